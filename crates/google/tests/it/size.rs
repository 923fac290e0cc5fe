//! The length of an item's bytes, asked for without them.

use std::time::Duration;

use tintype_emulator::{CallKind, Effect, Fault, Generated, Library};
use tintype_model::quota::QuotaKind;
use tintype_ports::photos::{AttemptOutcome, PhotoError};

use crate::world::World;

const HEAD: CallKind = CallKind::DownloadHead;

fn status(code: u16) -> Effect {
    Effect::Status {
        code,
        message: None,
        retry_after: None,
    }
}

#[tokio::test]
async fn the_size_is_that_of_the_download_and_costs_one_unit() {
    for (library, suffix) in [
        (Generated::photos(1, 300_000), "d"),
        (Generated::videos(1, 300_000), "dv"),
    ] {
        let world = World::with(Library::Generated(library)).await;
        let item = world.first_item().await;
        let expected = world.true_bytes(&item, suffix).len() as u64;
        assert_eq!(world.size(&item).await.unwrap(), Some(expected));
        assert_eq!(
            *world.gate.admitted.lock().unwrap(),
            [QuotaKind::Request, QuotaKind::Download]
        );
        assert_eq!(world.control.calls(CallKind::Download), 0);
        world.close().await;
    }
}

#[tokio::test]
async fn a_google_that_answers_no_head_does_not_tell() {
    let world = World::with_photos(1).await;
    let item = world.first_item().await;
    world.control.set(|it| it.head = false);
    assert_eq!(world.size(&item).await.unwrap(), None);
    world.control.set(|it| it.head = true);
    world.control.fault(Fault::on(HEAD, status(501)));
    assert_eq!(world.size(&item).await.unwrap(), None);
    assert_eq!(world.control.calls(HEAD), 2, "asked once each");
    world.close().await;
}

#[tokio::test]
async fn a_web_page_does_not_tell_the_size_of_the_photo() {
    let world = World::with_photos(1).await;
    let item = world.first_item().await;
    world.control.fault(Fault::on(HEAD, Effect::Html));
    assert_eq!(world.size(&item).await.unwrap(), None);
    world.close().await;
}

#[tokio::test]
async fn an_expired_base_url_is_told_and_a_removed_item_not_found() {
    let world = World::with_photos(1).await;
    let item = world.first_item().await;
    world.control.fault(Fault::on(HEAD, status(404)).times(1));
    assert!(matches!(
        world.size(&item).await,
        Err(PhotoError::ItemNotFound)
    ));
    world.control.expire_base_urls();
    assert!(matches!(
        world.size(&item).await,
        Err(PhotoError::BaseUrlExpired)
    ));
    assert_eq!(world.control.calls(HEAD), 2);
    world.close().await;
}

#[tokio::test]
async fn passing_trouble_is_asked_through_and_lasting_trouble_given_up() {
    let world = World::with_photos(1).await;
    let item = world.first_item().await;
    for effect in [status(503), Effect::QuotaMinute, Effect::DropBefore] {
        world.control.fault(Fault::on(HEAD, effect).times(1));
    }
    let expected = world.true_bytes(&item, "d").len() as u64;
    assert_eq!(world.size(&item).await.unwrap(), Some(expected));
    assert_eq!(world.control.calls(HEAD), 4);
    assert!(world.gate.outcomes().contains(&AttemptOutcome::Throttled));
    world.control.fault(Fault::on(HEAD, status(503)));
    let error = world.size(&item).await.unwrap_err();
    assert!(matches!(error, PhotoError::Unavailable(_)), "{error}");
    assert_eq!(world.control.calls(HEAD), 8);
    world.close().await;
}

#[tokio::test]
async fn a_silent_head_ends_at_its_deadline() {
    let library = Library::Generated(Generated::photos(1, 64 * 1024));
    let world = World::tuned(library, |settings, _| {
        settings.deadlines.download_head = Duration::from_millis(50);
        settings.retry.retries = 1;
    })
    .await;
    let item = world.first_item().await;
    world
        .control
        .fault(Fault::on(HEAD, Effect::Delay { ms: 60_000 }));
    let error = world.size(&item).await.unwrap_err();
    assert!(
        matches!(&error, PhotoError::Unavailable(text) if text.contains("no answer within")),
        "{error}"
    );
    assert_eq!(world.gate.outcomes().len(), 3, "each attempt is reported");
}

#[tokio::test]
async fn no_size_is_asked_for_beyond_the_quota() {
    let library = Library::Generated(Generated::photos(1, 64 * 1024));
    let world = World::tuned(library, |_, gate| gate.limit = Some(1)).await;
    let item = world.first_item().await;
    let error = world.size(&item).await.unwrap_err();
    assert!(
        matches!(error, PhotoError::QuotaExhausted { .. }),
        "{error}"
    );
    assert_eq!(world.control.calls(HEAD), 0);
    world.close().await;
}
