//! Bytes that are not the photo are never taken for it.

use base64::{Engine, engine::general_purpose::STANDARD};
use tintype_app::runs::RunChoice;
use tintype_emulator::{CallKind, Effect, Fault, Generated, ItemBytes, Library, NewItem};
use tintype_model::{ErrorKind, item::ItemState, run::RunState};

use crate::world::World;

const LAKE: &[u8] = include_bytes!("../../../emulator/media/lake.jpg");

async fn photos() -> World {
    World::new(Library::Generated(Generated::photos(40, 40_000))).await
}

/// Breaks the downloads of a photo.
async fn never_marked_done(effect: Effect) {
    let world = photos().await;
    let ids = world.item_ids();
    never_stored(&world, &ids[5], &ids[9], effect).await;
}

/// Breaks one item for good, and another one for one download: the first is never stored, the second heals itself.
async fn never_stored(world: &World, broken: &str, flaky: &str, effect: Effect) {
    let items = world.item_ids().len();
    world
        .emulator()
        .fault(Fault::on(CallKind::Download, effect.clone()).item(broken));
    world
        .emulator()
        .fault(Fault::on(CallKind::Download, effect).item(flaky).times(1));
    let run = world.back_up(RunChoice::Full).await;
    assert_eq!(run.status.state, RunState::Partial);
    let manifest = world.manifest(&run).await;
    assert_eq!(manifest.items.len(), items - 1);
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
    assert_eq!(world.manifest(&mended).await.items.len(), items);
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
    // Google offers no checksum, and the picture data of a JPEG has none either; a PNG's has.
    let world = photos().await;
    let chart = |name| NewItem::new(name, ItemBytes::Sample("chart.png".into()));
    let broken = world.add("to be broken", chart("broken.png"));
    let flaky = world.add("to be broken once", chart("flaky.png"));
    never_stored(&world, &broken, &flaky, Effect::Corrupt).await;
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

/// A JPEG with a trailer of a kind that nobody knows.
fn with_trailer(name: &str) -> NewItem {
    let mut bytes = LAKE.to_vec();
    bytes.extend_from_slice(b"a trailer of the camera's own");
    NewItem::new(name, ItemBytes::Base64(STANDARD.encode(bytes)))
}

#[tokio::test]
async fn a_trailer_that_google_holds_is_kept_and_one_request_more_tells() {
    let world = photos().await;
    let odd = world.add("a trailer", with_trailer("odd.jpg"));
    let run = world.back_up(RunChoice::Full).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    let manifest = world.manifest(&run).await;
    assert!(manifest.items.contains_key(&odd));
    world.assert_manifest_is_what_google_serves(&manifest);
    assert_eq!(world.calls(CallKind::Download), 41);
    assert_eq!(world.calls(CallKind::DownloadHead), 1);
    assert_eq!(world.progress(&run).await.downloads, 42);
}

#[tokio::test]
async fn a_trailer_is_kept_where_google_does_not_tell_the_size() {
    let world = photos().await;
    world.emulator().set(|it| it.head = false);
    let odd = world.add("a trailer", with_trailer("odd.jpg"));
    let run = world.back_up(RunChoice::Full).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    assert!(world.manifest(&run).await.items.contains_key(&odd));
}

#[tokio::test]
async fn a_base_url_that_died_before_the_size_was_asked_for_is_renewed() {
    let world = photos().await;
    let odd = world.add("a trailer", with_trailer("odd.jpg"));
    let forbidden = Effect::Status {
        code: 403,
        message: None,
        retry_after: None,
    };
    world
        .emulator()
        .fault(Fault::on(CallKind::DownloadHead, forbidden).times(1));
    let run = world.back_up(RunChoice::Full).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    assert!(world.manifest(&run).await.items.contains_key(&odd));
    assert_eq!(world.calls(CallKind::DownloadHead), 2);
    assert_eq!(world.calls(CallKind::BatchGet), 1);
}

#[tokio::test]
async fn asking_for_sizes_costs_one_more_unit_an_item() {
    let world = photos().await;
    world.read_sizes().await;
    world.add("a trailer", with_trailer("odd.jpg"));
    let run = world.back_up(RunChoice::Full).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    assert_eq!(world.manifest(&run).await.items.len(), 41);
    assert_eq!(world.calls(CallKind::Download), 41);
    assert_eq!(world.calls(CallKind::DownloadHead), 41);
    assert_eq!(world.progress(&run).await.downloads, 82);
}

/// A file whose structure is not walked: only its length can show that half of it is missing.
fn raw(name: &str) -> NewItem {
    let bytes: Vec<u8> = [b"II\x2A\0".to_vec(), vec![0xA7; 30_000]].concat();
    NewItem::new(name, ItemBytes::Base64(STANDARD.encode(bytes)))
}

#[tokio::test]
async fn a_length_that_is_not_the_size_is_refused() {
    let world = photos().await;
    world.read_sizes().await;
    let broken = world.add("to be broken", raw("broken.arw"));
    let flaky = world.add("to be broken once", raw("flaky.arw"));
    never_stored(&world, &broken, &flaky, Effect::Short { at: 0.5 }).await;
}

#[tokio::test]
async fn a_refused_length_is_named_with_the_size() {
    let world = photos().await;
    world.read_sizes().await;
    let broken = world.add("to be broken", raw("broken.arw"));
    world
        .emulator()
        .fault(Fault::on(CallKind::Download, Effect::Short { at: 0.5 }).item(&broken));
    world.back_up(RunChoice::Full).await;
    let fault = world.item(&broken).await.fault.expect("a fault");
    assert_eq!(fault.kind, ErrorKind::Corrupt);
    assert_eq!(
        fault.message,
        "15002 bytes came, but by google's word it has 30004; the same after 3 downloads"
    );
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
