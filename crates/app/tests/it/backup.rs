//! Backing up, again and again: what is new is copied once, what is gone stays in earlier snapshots.

use tintype_app::runs::RunChoice;
use tintype_emulator::{CallKind, Generated, ItemBytes, ItemChange, Library, NewItem};
use tintype_model::run::RunState;

use crate::world::World;

#[tokio::test]
async fn the_sample_library_arrives_byte_for_byte() {
    let world = World::new(Library::Sample).await;
    let run = world.back_up(RunChoice::Routine).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    let manifest = world.manifest(&run).await;
    assert_eq!(manifest.items.len(), 6);
    assert_eq!(manifest.albums.len(), 1);
    world.assert_manifest_is_what_google_serves(&manifest);
    world.assert_archive_is_clean().await;
}

#[tokio::test]
async fn one_request_a_hundred_items_and_one_download_an_item() {
    let world = World::new(Library::Generated(Generated::photos(1_000, 20_000))).await;
    let run = world.back_up(RunChoice::Routine).await;
    let progress = world.progress(&run).await;
    assert_eq!(
        (
            progress.listed,
            progress.new,
            progress.stored,
            progress.failed
        ),
        (1_000, 1_000, 1_000, 0)
    );
    assert_eq!(world.calls(CallKind::Download), 1_000);
    assert_eq!(
        (
            world.calls(CallKind::Search),
            world.calls(CallKind::ListAlbums)
        ),
        (10, 1)
    );
    assert_eq!(world.calls(CallKind::BatchGet), 0);
    assert_eq!((progress.requests, progress.downloads), (11, 1_000));
}

#[tokio::test]
async fn a_second_run_downloads_nothing_and_a_routine_one_asks_a_handful_of_times() {
    let world = World::new(Library::Generated(Generated::photos(450, 20_000))).await;
    let first = world.back_up(RunChoice::Routine).await;
    world.emulator().reset_ledger();
    let routine = world.back_up(RunChoice::Routine).await;
    assert_eq!(
        (
            world.calls(CallKind::Download),
            world.calls(CallKind::Search)
        ),
        (0, 1)
    );
    assert_eq!(routine.snapshot, first.snapshot);
    world.emulator().reset_ledger();
    let full = world.back_up(RunChoice::Full).await;
    assert_eq!(
        (
            world.calls(CallKind::Download),
            world.calls(CallKind::Search)
        ),
        (0, 5)
    );
    assert_eq!(full.snapshot, first.snapshot);
}

#[tokio::test]
async fn only_what_was_added_is_copied_and_backdated_items_wait_for_the_next_full_run() {
    let world = World::new(Library::Generated(Generated::photos(250, 20_000))).await;
    world.back_up(RunChoice::Full).await;
    let new = world.add_photo("new.jpg", None);
    let backdated = world.add_photo("old.jpg", Some(1_000_000_000_000));
    world.emulator().reset_ledger();
    let routine = world.back_up(RunChoice::Routine).await;
    assert_eq!(world.downloaded(), [new]);
    assert_eq!(world.manifest(&routine).await.items.len(), 251);
    world.emulator().reset_ledger();
    let full = world.back_up(RunChoice::Full).await;
    assert_eq!(world.downloaded(), [backdated]);
    assert_eq!(world.manifest(&full).await.items.len(), 252);
}

#[tokio::test]
async fn an_item_gone_at_google_stays_in_the_earlier_snapshot() {
    let world = World::new(Library::Generated(Generated::photos(150, 20_000))).await;
    let before = world.back_up(RunChoice::Full).await;
    let victim = world.item_ids()[7].clone();
    world.emulator().remove_item(&victim).expect("removed");
    let after = world.back_up(RunChoice::Full).await;
    assert_eq!(world.progress(&after).await.gone, 1);
    assert!(world.manifest(&before).await.items.contains_key(&victim));
    assert!(!world.manifest(&after).await.items.contains_key(&victim));
    world.assert_archive_is_clean().await;
}

#[tokio::test]
async fn an_archived_item_is_not_taken_for_gone() {
    let world = World::new(Library::Generated(Generated::photos(120, 20_000))).await;
    world.back_up(RunChoice::Full).await;
    let hidden = world.item_ids()[3].clone();
    let change = ItemChange {
        archived: Some(true),
        ..ItemChange::default()
    };
    world
        .emulator()
        .change_item(&hidden, change)
        .expect("changed");
    let after = world.back_up(RunChoice::Full).await;
    assert_eq!(world.progress(&after).await.gone, 0);
    assert!(world.manifest(&after).await.items.contains_key(&hidden));
}

#[tokio::test]
async fn a_new_description_is_noted_without_a_download_and_new_pixels_are_copied() {
    let world = World::new(Library::Generated(Generated::photos(60, 20_000))).await;
    let before = world.back_up(RunChoice::Full).await;
    let ids = world.item_ids();
    let described = ItemChange {
        description: Some("by the sea".into()),
        ..ItemChange::default()
    };
    world
        .emulator()
        .change_item(&ids[1], described)
        .expect("changed");
    let edited = ItemChange {
        bytes: Some(ItemBytes::Sample("lake.jpg".into())),
        ..ItemChange::default()
    };
    world
        .emulator()
        .change_item(&ids[2], edited)
        .expect("changed");
    world.emulator().reset_ledger();
    let after = world.back_up(RunChoice::Full).await;
    assert_eq!(world.downloaded(), std::slice::from_ref(&ids[2]));
    let (old, new) = (world.manifest(&before).await, world.manifest(&after).await);
    assert_eq!(
        new.items[&ids[1]].metadata.description.as_deref(),
        Some("by the sea")
    );
    assert_ne!(
        new.items[&ids[2]].content.blob,
        old.items[&ids[2]].content.blob
    );
    world.assert_manifest_is_what_google_serves(&new);
    world.assert_archive_is_clean().await;
}

#[tokio::test]
async fn albums_keep_their_order_and_bring_archived_members() {
    let generated = Generated {
        archived_every: 10,
        albums: 3,
        album_items: 130,
        ..Generated::photos(400, 20_000)
    };
    let world = World::new(Library::Generated(generated)).await;
    let run = world.back_up(RunChoice::Full).await;
    let manifest = world.manifest(&run).await;
    assert_eq!(manifest.albums.len(), 3);
    for album in &manifest.albums {
        assert_eq!(album.items.len(), 130);
        assert!(
            album
                .items
                .iter()
                .all(|id| manifest.items.contains_key(id.as_str()))
        );
    }
    world.emulator().reset_ledger();
    let again = world.back_up(RunChoice::Routine).await;
    assert_eq!(again.snapshot, run.snapshot);
    assert!(world.calls(CallKind::Search) + world.calls(CallKind::ListAlbums) <= 2);
}

#[tokio::test]
async fn overlapping_short_and_empty_pages_change_nothing() {
    let world = World::new(Library::Generated(Generated::photos(330, 20_000))).await;
    world.emulator().set(|switches| {
        switches.page_overlap = true;
        switches.short_pages = true;
        switches.empty_pages = true;
    });
    let run = world.back_up(RunChoice::Full).await;
    assert_eq!(world.manifest(&run).await.items.len(), 330);
    assert_eq!(world.calls(CallKind::Download), 330);
}

#[tokio::test]
async fn items_before_the_start_year_are_left_out() {
    let world = World::new(Library::Generated(Generated::photos(20, 20_000))).await;
    world.add_photo("ancient.jpg", Some(800_000_000_000));
    let run = world.back_up(RunChoice::Full).await;
    assert_eq!(world.manifest(&run).await.items.len(), 20);
}

#[tokio::test]
async fn a_video_that_is_still_processing_is_copied_when_it_is_ready() {
    let world = World::new(Library::Empty).await;
    world
        .emulator()
        .set(|switches| switches.video_processing_ms = 1_500);
    world.add(
        "clip.mp4",
        NewItem::new("clip.mp4", ItemBytes::Sample("clip.mp4".into())),
    );
    let run = world.back_up(RunChoice::Full).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    let manifest = world.manifest(&run).await;
    world.assert_manifest_is_what_google_serves(&manifest);
}

#[tokio::test]
async fn base_urls_that_die_young_cost_few_extra_calls() {
    let world = World::new(Library::Generated(Generated::photos(600, 20_000))).await;
    world.emulator().set(|switches| {
        switches.base_url_ttl_ms = 6_000;
        switches.latency_ms.insert(CallKind::Download, 400);
    });
    let run = world.back_up(RunChoice::Full).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    let downloads = world.calls(CallKind::Download);
    assert!(downloads <= 600 + 60, "{downloads} downloads for 600 items");
    assert_eq!(world.manifest(&run).await.items.len(), 600);
}
