//! Bytes that are not the photo are never taken for it.

use tintype_app::runs::RunChoice;
use tintype_emulator::{CallKind, Effect, Fault, Generated, Library};
use tintype_model::{ErrorKind, item::ItemState, run::RunState};

use crate::world::World;

/// Breaks one item for good, and the same item for one download: the first is never stored, the second heals itself.
async fn never_marked_done(effect: Effect) {
    let world = World::new(Library::Generated(Generated::photos(40, 40_000))).await;
    let ids = world.item_ids();
    let (broken, flaky) = (&ids[5], &ids[9]);
    world
        .emulator()
        .fault(Fault::on(CallKind::Download, effect.clone()).item(broken));
    world
        .emulator()
        .fault(Fault::on(CallKind::Download, effect).item(flaky).times(1));
    let run = world.back_up(RunChoice::Full).await;
    assert_eq!(run.status.state, RunState::Partial);
    let manifest = world.manifest(&run).await;
    assert_eq!(manifest.items.len(), 39);
    assert!(!manifest.items.contains_key(broken) && manifest.items.contains_key(flaky));
    world.assert_manifest_is_what_google_serves(&manifest);
    let item = world.item(broken).await;
    assert_eq!(item.state, ItemState::Failed);
    let kind = item.fault.map(|fault| fault.kind);
    assert!(
        matches!(kind, Some(ErrorKind::Corrupt | ErrorKind::Unavailable)),
        "{kind:?}"
    );

    world.emulator().clear_faults(None);
    let mended = world.back_up(RunChoice::Routine).await;
    assert_eq!(mended.status.state, RunState::Succeeded);
    assert_eq!(world.manifest(&mended).await.items.len(), 40);
    world.assert_archive_is_clean().await;
}

#[tokio::test]
async fn a_truncated_body_is_never_marked_done() {
    never_marked_done(Effect::Truncate { at: 0.5 }).await;
}

#[tokio::test]
async fn a_body_shorter_than_the_photo_is_never_marked_done() {
    never_marked_done(Effect::Short { at: 0.5 }).await;
}

#[tokio::test]
async fn a_corrupted_body_is_never_marked_done() {
    never_marked_done(Effect::Corrupt).await;
}

#[tokio::test]
async fn an_empty_body_is_never_marked_done() {
    never_marked_done(Effect::Empty).await;
}

#[tokio::test]
async fn a_web_page_is_never_marked_done() {
    never_marked_done(Effect::Html).await;
}

#[tokio::test]
async fn an_oversized_body_is_never_marked_done() {
    never_marked_done(Effect::Oversized { extra: 1_000 }).await;
}

#[tokio::test]
async fn dropped_connections_and_server_errors_heal() {
    let world = World::new(Library::Generated(Generated::photos(80, 60_000))).await;
    let status = Effect::Status {
        code: 503,
        message: None,
        retry_after: None,
    };
    for fault in [
        Fault::on(CallKind::Download, Effect::Truncate { at: 0.5 })
            .fraction(0.2)
            .times_per_item(1),
        Fault::on(CallKind::Download, status.clone())
            .fraction(0.2)
            .times_per_item(1),
        Fault::on(CallKind::Search, status).times(1),
        Fault::on(CallKind::Search, Effect::MalformedJson).times(1),
    ] {
        world.emulator().fault(fault);
    }
    let run = world.back_up(RunChoice::Full).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    let manifest = world.manifest(&run).await;
    assert_eq!(manifest.items.len(), 80);
    world.assert_manifest_is_what_google_serves(&manifest);
}
