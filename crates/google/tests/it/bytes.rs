//! Downloads: whole, interrupted, expired, and what only pretends to be a photo.

use std::time::Duration;

use tintype_emulator::{CallKind, DayUse, Effect, Fault, Generated, Library};
use tintype_model::quota::QuotaKind;
use tintype_ports::photos::{AttemptOutcome, BaseUrl, PhotoError};

use crate::world::{World, drain};

const DOWNLOAD: CallKind = CallKind::Download;

fn truncate(at: f64) -> Effect {
    Effect::Truncate { at }
}

/// Opens the first item under a fault and reads it as far as it goes; answers its length.
async fn read_under(world: &World, effect: Effect) -> Result<usize, PhotoError> {
    let item = world.first_item().await;
    world.control.fault(Fault::on(DOWNLOAD, effect));
    let mut download = world.download(&item).await?;
    Ok(drain(download.as_mut()).await?.len())
}

#[tokio::test]
async fn a_photo_and_a_video_come_whole_for_one_unit_each() {
    for (library, suffix) in [
        (Generated::photos(1, 300_000), "d"),
        (Generated::videos(1, 300_000), "dv"),
    ] {
        let world = World::with(Library::Generated(library)).await;
        let item = world.first_item().await;
        let expected = world.true_bytes(&item, suffix);
        let mut download = world.download(&item).await.unwrap();
        assert_eq!(download.total_length(), Some(expected.len() as u64));
        assert!(download.content_type().is_some());
        assert!(drain(download.as_mut()).await.unwrap() == expected);
        assert!(
            download.next().await.unwrap().is_none(),
            "the end stays the end"
        );
        assert_eq!(
            *world.gate.admitted.lock().unwrap(),
            [QuotaKind::Request, QuotaKind::Download]
        );
        world.close().await;
    }
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_stopped() {
    let world = World::with(Library::Generated(Generated::photos(1, 4_000_000))).await;
    let item = world.first_item().await;
    world
        .control
        .fault(Fault::on(DOWNLOAD, truncate(0.5)).times(2));
    let mut download = world.download(&item).await.unwrap();
    assert!(drain(download.as_mut()).await.unwrap() == world.true_bytes(&item, "d"));
    let starts = world.control.ledger(Some(DOWNLOAD), 0, 10);
    let starts = starts
        .iter()
        .map(|entry| entry.range_start)
        .collect::<Vec<_>>();
    assert!(
        matches!(starts[..], [None, Some(first), Some(second)] if 0 < first && first < second),
        "{starts:?}"
    );
    world.close().await;
}

#[tokio::test]
async fn a_server_that_ignores_ranges_is_read_again_up_to_the_break() {
    let world = World::with(Library::Generated(Generated::photos(1, 4_000_000))).await;
    world.control.set(|it| it.range = false);
    let item = world.first_item().await;
    world
        .control
        .fault(Fault::on(DOWNLOAD, truncate(0.7)).times(1));
    let mut download = world.download(&item).await.unwrap();
    assert!(drain(download.as_mut()).await.unwrap() == world.true_bytes(&item, "d"));
    assert_eq!(world.control.calls(DOWNLOAD), 2);
    world.close().await;
}

#[tokio::test]
async fn an_item_that_changes_between_two_stretches_is_not_patched_together() {
    let world = World::with(Library::Generated(Generated::photos(1, 4_000_000))).await;
    world.control.set(|it| it.range = false);
    let item = world.first_item().await;
    world
        .control
        .fault(Fault::on(DOWNLOAD, truncate(0.7)).times(1));
    world
        .control
        .fault(Fault::on(DOWNLOAD, Effect::Short { at: 0.9 }));
    let mut download = world.download(&item).await.unwrap();
    let error = drain(download.as_mut())
        .await
        .map(|all| all.len())
        .unwrap_err();
    assert!(
        matches!(&error, PhotoError::Unavailable(text) if text.contains("changed")),
        "{error}"
    );
    world.close().await;
}

#[tokio::test]
async fn a_download_that_always_breaks_is_cut_short() {
    let world = World::with_photos(1).await;
    world.control.set(|it| it.range = false);
    let error = read_under(&world, truncate(0.5)).await.unwrap_err();
    assert!(
        matches!(&error, PhotoError::NotMedia(text) if text.contains("cut short")),
        "{error}"
    );
    assert_eq!(world.control.calls(DOWNLOAD), 4);
    world.close().await;
}

#[tokio::test]
async fn more_bytes_than_promised_are_not_the_photo() {
    let world = World::with(Library::Generated(Generated::photos(1, 4_000_000))).await;
    let item = world.first_item().await;
    world
        .control
        .fault(Fault::on(DOWNLOAD, truncate(0.5)).times(1));
    world
        .control
        .fault(Fault::on(DOWNLOAD, Effect::Oversized { extra: 7 }));
    let mut download = world.download(&item).await.unwrap();
    let error = drain(download.as_mut())
        .await
        .map(|all| all.len())
        .unwrap_err();
    assert!(
        matches!(&error, PhotoError::NotMedia(text) if text.contains("promised")),
        "{error}"
    );
    world.close().await;
}

#[tokio::test]
async fn a_web_page_and_nothing_are_not_the_photo_and_not_asked_for_again() {
    for (effect, expected) in [(Effect::Html, "text/html"), (Effect::Empty, "empty")] {
        let world = World::with_photos(1).await;
        let error = read_under(&world, effect).await.unwrap_err();
        assert!(
            matches!(&error, PhotoError::NotMedia(text) if text.contains(expected)),
            "{error}"
        );
        assert_eq!(world.control.calls(DOWNLOAD), 1);
        world.close().await;
    }
}

#[tokio::test]
async fn an_expired_base_url_is_told_before_the_first_byte() {
    let world = World::with_photos(1).await;
    let item = world.first_item().await;
    world.control.expire_base_urls();
    assert!(matches!(
        world.download(&item).await.err(),
        Some(PhotoError::BaseUrlExpired)
    ));
    assert_eq!(world.control.calls(DOWNLOAD), 1);
    world.close().await;
}

#[tokio::test]
async fn a_base_url_that_expires_in_mid_file_is_replaced_and_the_rest_asked_for() {
    let world = World::with(Library::Generated(Generated::photos(1, 4_000_000))).await;
    let item = world.first_item().await;
    world
        .control
        .fault(Fault::on(DOWNLOAD, truncate(0.5)).times(1));
    let mut download = world.download(&item).await.unwrap();
    world.control.expire_base_urls();
    let mut all = Vec::new();
    let error = loop {
        match download.next().await {
            Ok(piece) => all.extend_from_slice(&piece.expect("the rest is missing")),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, PhotoError::BaseUrlExpired), "{error}");
    tokio::time::sleep(Duration::from_millis(5)).await;
    let fresh = world
        .source
        .items(std::slice::from_ref(&item.id))
        .await
        .unwrap()
        .remove(0)
        .unwrap();
    download.go_on_from(fresh.base_url.unwrap());
    all.extend(drain(download.as_mut()).await.unwrap());
    assert!(all == world.true_bytes(&item, "d"));
    world.close().await;
}

#[tokio::test]
async fn a_removed_item_is_not_found() {
    let world = World::with_photos(1).await;
    let item = world.first_item().await;
    world.control.fault(Fault::on(
        DOWNLOAD,
        Effect::Status {
            code: 404,
            message: None,
            retry_after: None,
        },
    ));
    assert!(matches!(
        world.download(&item).await.err(),
        Some(PhotoError::ItemNotFound)
    ));
    world.close().await;
}

#[tokio::test]
async fn a_plain_429_does_not_say_that_the_day_is_over() {
    let world = World::with_photos(1).await;
    let item = world.first_item().await;
    let used = DayUse {
        loads: 75_000,
        ..DayUse::default()
    };
    world.control.set_quota_used("123456789012", used);
    let error = world.download(&item).await.err();
    assert!(
        matches!(error, Some(PhotoError::Unavailable(_))),
        "{error:?}"
    );
    assert_eq!(world.control.calls(DOWNLOAD), 3);
    assert!(world.gate.exhausted.lock().unwrap().is_empty());
    world.close().await;
}

#[tokio::test]
async fn throttled_and_failing_downloads_are_repeated() {
    let world = World::with_photos(1).await;
    let item = world.first_item().await;
    world
        .control
        .fault(Fault::on(DOWNLOAD, Effect::QuotaMinute).times(1));
    world
        .control
        .fault(Fault::on(DOWNLOAD, Effect::DropBefore).times(1));
    let mut download = world.download(&item).await.unwrap();
    assert!(drain(download.as_mut()).await.unwrap() == world.true_bytes(&item, "d"));
    let mut outcomes = world.gate.outcomes().split_off(1);
    outcomes.sort_by_key(|outcome| format!("{outcome:?}"));
    assert_eq!(
        outcomes,
        [
            AttemptOutcome::Answered,
            AttemptOutcome::Failed,
            AttemptOutcome::Throttled
        ]
    );
    world.close().await;
}

#[tokio::test]
async fn a_download_stops_when_its_quota_does() {
    let library = Library::Generated(Generated::photos(1, 4_000_000));
    let world = World::tuned(library, |_, gate| gate.limit = Some(2)).await;
    let error = read_under(&world, truncate(0.5)).await.unwrap_err();
    assert!(
        matches!(error, PhotoError::QuotaExhausted { .. }),
        "{error}"
    );
    assert_eq!(world.control.calls(DOWNLOAD), 1);
    world.close().await;
}

#[tokio::test]
async fn a_base_url_is_shown_in_no_error() {
    let world = World::with_photos(1).await;
    world
        .emulator
        .control()
        .fault(Fault::on(DOWNLOAD, Effect::DropBefore));
    let item = world.first_item().await;
    let error = world.download(&item).await.err().unwrap();
    let url = item.base_url.as_ref().map(BaseUrl::expose).unwrap();
    let secret = url.rsplit('/').next().unwrap();
    assert!(!format!("{error} {error:?} {item:?}").contains(secret));
    world.close().await;
}
