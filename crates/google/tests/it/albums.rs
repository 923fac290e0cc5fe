//! Albums that are made, and filled.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use tintype_emulator::{CallKind, Effect, Fault, Library};
use tintype_model::item::ProviderId;
use tintype_ports::photos::{
    AttemptOutcome, Creation, NewItem, Persistence, PhotoError, Scope, Traffic,
};

use crate::world::World;

fn status(code: u16) -> Effect {
    Effect::Status {
        code,
        message: None,
        retry_after: None,
    }
}

/// Makes items of bytes that nobody else has.
async fn items(world: &World, names: &[&'static str]) -> Vec<ProviderId> {
    let sink = world.sink(Persistence::Usual);
    let mut items = Vec::new();
    for name in names {
        let bytes = Bytes::from_static(name.as_bytes());
        items.push(NewItem {
            token: sink.send("image/jpeg", bytes).await.unwrap(),
            filename: (*name).to_owned(),
            description: None,
        });
    }
    let results = sink.create(None, &items).await.results.unwrap();
    let id = |creation| match creation {
        Creation::Made(id) => id,
        other => panic!("{other:?}"),
    };
    results.into_iter().map(id).collect()
}

/// What is in an album, in its order.
async fn members(world: &World, album: &ProviderId) -> Vec<ProviderId> {
    let scope = Scope::Album(album.clone());
    let page = world.source.list(&scope, None).await.unwrap();
    page.entries.into_iter().map(|item| item.id).collect()
}

async fn titles(world: &World) -> Vec<String> {
    let page = world.source.albums(None).await.unwrap();
    page.entries.into_iter().map(|album| album.title).collect()
}

#[tokio::test]
async fn an_album_is_made_and_listed() {
    let world = World::with(Library::Empty).await;
    let sink = world.sink(Persistence::Usual);
    let album = sink.create_album("The sea, \"1984\"").await.unwrap();
    assert_eq!(world.gate.traffic(), [Traffic::Call]);
    assert_eq!(album.title, "The sea, \"1984\"");
    assert_eq!(world.source.albums(None).await.unwrap().entries, [album]);
    world.close().await;
}

#[tokio::test]
async fn making_an_album_is_not_repeated_when_it_may_be_there() {
    for (effect, is_there) in [
        (status(500), false),
        (status(503), false),
        (Effect::DropBefore, false),
        (Effect::DropAfter, true),
        (Effect::MalformedJson, true),
        (Effect::Html, true),
    ] {
        let world = World::with(Library::Empty).await;
        world
            .control
            .fault(Fault::on(CallKind::CreateAlbum, effect.clone()));
        let sink = world.sink(Persistence::Usual);
        let error = sink.create_album("Sea").await.unwrap_err();
        assert!(
            matches!(error, PhotoError::Unavailable(_)),
            "{effect:?}: {error}"
        );
        assert_eq!(world.control.calls(CallKind::CreateAlbum), 1, "{effect:?}");
        assert_eq!(world.gate.outcomes(), [AttemptOutcome::Failed]);
        assert_eq!(
            titles(&world).await.len(),
            usize::from(is_there),
            "{effect:?}"
        );
        world.close().await;
    }
}

#[tokio::test]
async fn making_an_album_is_repeated_after_a_clear_no() {
    let world = World::with(Library::Empty).await;
    world.control.expire_access_tokens();
    let busy = Fault::on(CallKind::CreateAlbum, Effect::WriteLock).skip(1);
    world.control.fault(busy.times(2));
    let sink = world.sink(Persistence::Usual);
    sink.create_album("Sea").await.unwrap();
    assert_eq!(world.control.calls(CallKind::CreateAlbum), 4);
    assert_eq!(world.gate.renewed.load(Ordering::Relaxed), 1);
    assert_eq!(titles(&world).await, ["Sea"]);
    world.close().await;
}

#[tokio::test]
async fn a_title_that_google_refuses_is_rejected() {
    let world = World::with(Library::Empty).await;
    let sink = world.sink(Persistence::Usual);
    for title in [String::new(), "x".repeat(501)] {
        let error = sink.create_album(&title).await.unwrap_err();
        assert!(matches!(error, PhotoError::Rejected(_)), "{error}");
    }
    assert_eq!(world.control.calls(CallKind::CreateAlbum), 2);
    world.close().await;
}

#[tokio::test]
async fn items_go_into_an_album_once_however_often_it_is_asked() {
    let world = World::with(Library::Empty).await;
    let sink = world.sink(Persistence::Usual);
    let album = sink.create_album("Sea").await.unwrap().provider_id;
    let ids = items(&world, &["a.jpg", "b.jpg", "c.jpg"]).await;
    sink.add_to_album(&album, &ids[..2]).await.unwrap();
    for effect in [status(503), Effect::DropAfter, Effect::Html] {
        let trouble = Fault::on(CallKind::AlbumAdd, effect).times(1);
        world.control.fault(trouble);
        sink.add_to_album(&album, &ids).await.unwrap();
    }
    assert_eq!(world.control.calls(CallKind::AlbumAdd), 7);
    assert_eq!(members(&world, &album).await, ids);
    world.close().await;
}

#[tokio::test]
async fn an_unknown_album_or_item_is_refused_at_once() {
    let world = World::with(Library::Empty).await;
    let sink = world.sink(Persistence::Usual);
    let album = sink.create_album("Sea").await.unwrap().provider_id;
    let ids = items(&world, &["a.jpg"]).await;
    let unknown = "none".parse().unwrap();
    let error = sink.add_to_album(&unknown, &ids).await.unwrap_err();
    assert!(matches!(error, PhotoError::ItemNotFound), "{error}");
    // An item's id is that of no album.
    let error = sink.add_to_album(&ids[0], &ids).await.unwrap_err();
    assert!(matches!(error, PhotoError::ItemNotFound), "{error}");
    let error = sink.add_to_album(&album, &[unknown]).await.unwrap_err();
    assert!(matches!(error, PhotoError::Rejected(_)), "{error}");
    assert_eq!(world.control.calls(CallKind::AlbumAdd), 3);
    for wrong in [Vec::new(), vec![ids[0].clone(); 51]] {
        let error = sink.add_to_album(&album, &wrong).await.unwrap_err();
        assert!(matches!(error, PhotoError::Rejected(_)), "{error}");
    }
    assert_eq!(world.control.calls(CallKind::AlbumAdd), 3);
    assert!(members(&world, &album).await.is_empty());
    world.close().await;
}
