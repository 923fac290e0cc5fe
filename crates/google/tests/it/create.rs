//! Items of bytes that were sent.

use bytes::Bytes;
use tintype_emulator::{CallKind, DEFAULT_ACCOUNT, Effect, Fault, Library, Replay};
use tintype_google::GoogleEndpoints;
use tintype_model::item::ProviderId;
use tintype_ports::photos::{
    Batch, Creation, NewItem, Persistence, PhotoError, PhotoSink, Traffic, UploadToken,
};
use url::Url;

use crate::world::{Gate, LIBRARY, World, open_sink, quick};

const CREATE: CallKind = CallKind::BatchCreate;

fn status(code: u16) -> Effect {
    Effect::Status {
        code,
        message: None,
        retry_after: None,
    }
}

fn named(filename: &str, token: UploadToken) -> NewItem {
    NewItem {
        token,
        filename: filename.to_owned(),
        description: None,
    }
}

/// Sends bytes that nobody else has for each name.
async fn sent(sink: &dyn PhotoSink, names: &[&str]) -> Vec<NewItem> {
    let mut items = Vec::new();
    for name in names {
        let bytes = Bytes::from(format!("the bytes of {name}"));
        let token = sink.send("image/jpeg", bytes).await.unwrap();
        items.push(named(name, token));
    }
    items
}

async fn create(world: &World, album: Option<&ProviderId>, names: &[&str]) -> Batch {
    let sink = world.sink(Persistence::Usual);
    let items = sent(sink.as_ref(), names).await;
    sink.create(album, &items).await
}

/// The ids of items that were all made.
fn made(batch: &Batch) -> Vec<&ProviderId> {
    batch.results.as_ref().unwrap().iter().map(id).collect()
}

fn id(creation: &Creation) -> &ProviderId {
    match creation {
        Creation::Made(id) => id,
        other => panic!("{other:?}"),
    }
}

fn items_at_google(world: &World) -> usize {
    world.control.items(DEFAULT_ACCOUNT, 100).unwrap().len()
}

#[tokio::test]
async fn items_are_made_with_name_and_description_for_one_request() {
    let world = World::with(Library::Empty).await;
    let sink = world.sink(Persistence::Usual);
    let mut items = sent(sink.as_ref(), &["a.jpg", "b.jpg"]).await;
    items[1].description = Some("the sea".to_owned());
    let batch = sink.create(None, &items).await;
    assert!(!batch.in_doubt);
    assert_eq!(world.control.calls(CREATE), 1);
    assert_eq!(world.gate.traffic()[2], Traffic::Call);
    let mut listed = world.source.list(&LIBRARY, None).await.unwrap().entries;
    listed.sort_by(|a, b| a.metadata.filename.cmp(&b.metadata.filename));
    let ids: Vec<_> = listed.iter().map(|item| &item.id).collect();
    assert_eq!(ids, made(&batch));
    let descriptions: Vec<_> = listed
        .iter()
        .map(|item| item.metadata.description.as_deref())
        .collect();
    assert_eq!(descriptions, [None, Some("the sea")]);
    world.close().await;
}

#[tokio::test]
async fn each_item_of_a_batch_has_an_outcome_of_its_own() {
    for status in [200, 207] {
        let world = World::with(Library::Empty).await;
        world.control.set(|it| it.batch_partial_status = status);
        for (name, code) in [("three", 3), ("six", 6), ("eight", 8), ("thirteen", 13)] {
            let fault = Fault::on(CREATE, Effect::BatchItem { code });
            world.control.fault(fault.file_name(name));
        }
        let sink = world.sink(Persistence::Usual);
        let names = [
            "three.jpg",
            "six.jpg",
            "fine.jpg",
            "eight.jpg",
            "thirteen.jpg",
        ];
        let mut items = sent(sink.as_ref(), &names).await;
        items.push(named("lost.jpg", UploadToken::new("lost".to_owned())));
        let batch = sink.create(None, &items).await;
        assert!(!batch.in_doubt);
        let results = batch.results.unwrap();
        let Creation::Made(_) = results[2] else {
            panic!("{results:?}")
        };
        let failed = "Failed: There was an error while trying to create this media item.";
        let expected = [
            Creation::Refused(format!("{failed} (code 3)")),
            Creation::Exists(None),
            results[2].clone(),
            Creation::NotNow("Quota exceeded for this user. (code 8)".to_owned()),
            Creation::NotNow(format!("{failed} (code 13)")),
            Creation::TokenLost,
        ];
        assert_eq!(results, expected);
        assert_eq!(items_at_google(&world), 1);
        world.close().await;
    }
}

#[tokio::test]
async fn an_album_takes_items_until_it_is_full() {
    let world = World::with(Library::Empty).await;
    world.control.set(|it| it.max_album_items = 1);
    let sink = world.sink(Persistence::Usual);
    let album = sink.create_album("Sea").await.unwrap();
    let batch = create(&world, Some(&album.provider_id), &["a.jpg", "b.jpg"]).await;
    let results = batch.results.unwrap();
    assert!(
        matches!(results[..], [Creation::Made(_), Creation::AlbumFull]),
        "{results:?}"
    );
    world.close().await;
}

#[tokio::test]
async fn an_unknown_album_is_not_found() {
    let world = World::with(Library::Empty).await;
    let album = "none".parse().unwrap();
    let batch = create(&world, Some(&album), &["a.jpg"]).await;
    assert!(matches!(batch.results, Err(PhotoError::ItemNotFound)));
    assert!(!batch.in_doubt);
    world.close().await;
}

#[tokio::test]
async fn an_attempt_without_a_clear_answer_leaves_a_doubt() {
    for effect in [
        status(500),
        status(503),
        Effect::DropBefore,
        Effect::DropAfter,
        Effect::MalformedJson,
        Effect::Html,
        Effect::Empty,
    ] {
        let world = World::with(Library::Empty).await;
        world
            .control
            .fault(Fault::on(CREATE, effect.clone()).times(1));
        let batch = create(&world, None, &["a.jpg", "b.jpg"]).await;
        assert_eq!(made(&batch).len(), 2, "{effect:?}");
        assert!(batch.in_doubt, "{effect:?}");
        assert_eq!(world.control.calls(CREATE), 2, "{effect:?}");
        assert_eq!(items_at_google(&world), 2, "{effect:?}");
        world.close().await;
    }
}

#[tokio::test]
async fn a_doubt_outlives_the_error_that_ends_the_call() {
    let world = World::with(Library::Empty).await;
    world.control.fault(Fault::on(CREATE, status(503)));
    let batch = create(&world, None, &["a.jpg"]).await;
    assert!(matches!(batch.results, Err(PhotoError::Unavailable(_))));
    assert!(batch.in_doubt);
    world.control.clear_faults(None);
    world
        .control
        .fault(Fault::on(CREATE, Effect::DropAfter).times(1));
    world.control.fault(Fault::on(CREATE, status(403)).times(1));
    let batch = create(&world, None, &["b.jpg"]).await;
    assert!(matches!(batch.results, Err(PhotoError::Forbidden(_))));
    assert!(batch.in_doubt && items_at_google(&world) == 1);
    world.close().await;
}

#[tokio::test]
async fn a_clear_answer_leaves_no_doubt() {
    for effect in [
        Effect::WriteLock,
        Effect::QuotaMinute,
        status(429),
        status(401),
    ] {
        let world = World::with(Library::Empty).await;
        world
            .control
            .fault(Fault::on(CREATE, effect.clone()).times(1));
        let batch = create(&world, None, &["a.jpg"]).await;
        assert_eq!(made(&batch).len(), 1, "{effect:?}");
        assert!(!batch.in_doubt, "{effect:?}");
        assert_eq!(world.control.calls(CREATE), 2, "{effect:?}");
        world.close().await;
    }
}

#[tokio::test]
async fn a_refused_call_makes_nothing() {
    let world = World::with(Library::Empty).await;
    let poison = Fault::on(CREATE, Effect::BatchPoison { code: 400 });
    world.control.fault(poison.file_name("bomb"));
    let batch = create(&world, None, &["a.jpg", "bomb.jpg"]).await;
    assert!(matches!(batch.results, Err(PhotoError::Rejected(_))));
    assert!(!batch.in_doubt);
    world.control.set(|it| it.storage_left = Some(0));
    let batch = create(&world, None, &["b.jpg"]).await;
    assert!(matches!(batch.results, Err(PhotoError::StorageFull)));
    assert!(!batch.in_doubt && items_at_google(&world) == 0);
    assert_eq!(world.control.calls(CREATE), 2, "neither is repeated");
    world.close().await;
}

#[tokio::test]
async fn without_a_connection_nothing_was_made() {
    let nowhere = Url::parse("http://127.0.0.1:1").unwrap();
    let gate = Gate::alone();
    let sink = open_sink(
        quick(GoogleEndpoints::at(&nowhere)),
        &gate,
        Persistence::Usual,
    );
    let item = named("a.jpg", UploadToken::new("a".to_owned()));
    let batch = sink.create(None, &[item]).await;
    assert!(matches!(batch.results, Err(PhotoError::Unavailable(_))));
    assert!(!batch.in_doubt && gate.admits() == 4);
}

#[tokio::test]
async fn what_is_there_already_is_said_to_be() {
    let world = World::with(Library::Empty).await;
    world
        .control
        .set(|it| it.identical_bytes = Replay::AlreadyExists);
    let first = create(&world, None, &["a.jpg"]).await;
    assert_eq!(made(&first).len(), 1);
    let again = create(&world, None, &["a.jpg"]).await;
    assert_eq!(again.results.unwrap(), [Creation::Exists(None)]);
    world.close().await;
}

#[tokio::test]
async fn a_batch_that_cannot_be_meant_costs_nothing() {
    let world = World::with(Library::Empty).await;
    let sink = world.sink(Persistence::Usual);
    let item = |token: String| named("a.jpg", UploadToken::new(token));
    let many = (0..51).map(|it| item(format!("t{it}"))).collect();
    let twice = vec![item("t".to_owned()), item("t".to_owned())];
    for items in [Vec::new(), many, twice] {
        let batch = sink.create(None, &items).await;
        assert!(matches!(batch.results, Err(PhotoError::Rejected(_))));
        assert!(!batch.in_doubt);
    }
    assert_eq!(world.gate.admits(), 0);
    world.close().await;
}
