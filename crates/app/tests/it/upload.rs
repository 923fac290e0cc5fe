//! Uploads: folders of photos into a Google Photos account, and what their options do.

use std::collections::BTreeMap;

use tintype_app::{AppError, runs::RunChoice};
use tintype_emulator::{CallKind, Effect, Fault, Library};
use tintype_model::{
    plan::UploadOptions,
    run::RunState,
    storage::{BatchMode, BatchOptions},
};

use crate::world::{Party, World, photo};

pub(crate) async fn empty() -> World {
    World::new(Library::Empty).await
}

/// Runs the plan to its end.
pub(crate) async fn upload(world: &World, party: &Party) -> tintype_model::run::Run {
    let run = world.start_for(party, RunChoice::Routine).await;
    world.until_over(&run).await
}

pub(crate) fn batch_sizes(world: &World) -> Vec<usize> {
    let calls = world
        .emulator()
        .ledger(Some(CallKind::BatchCreate), 0, 100_000);
    calls.into_iter().map(|call| call.items as usize).collect()
}

#[tokio::test]
async fn folders_become_albums_and_a_second_run_sends_nothing() {
    let world = empty().await;
    let folder = world.folder("pictures");
    world.put_photos(&folder, "", 0..10);
    world.put_photos(&folder, "Trips/2019 Rome/", 10..130);
    world.put_photos(&folder, "Trips/", 130..200);
    let party = world.upload_plan(&folder).await;
    world.emulator().reset_ledger();
    let run = upload(&world, &party).await;
    assert_eq!(run.status.state, RunState::Succeeded, "{:?}", run.status);
    let progress = world.progress(&run).await;
    assert_eq!(
        (progress.new, progress.stored, progress.failed),
        (200, 200, 0)
    );
    let names = world.names_in(World::EMAIL);
    assert_eq!(names.len(), 200);
    assert!(names.values().all(|count| *count == 1));
    let albums = world.albums_in(World::EMAIL).await;
    let sizes: BTreeMap<&str, usize> = albums
        .iter()
        .map(|it| (it.0.as_str(), it.1.len()))
        .collect();
    assert_eq!(
        sizes,
        BTreeMap::from([("Trips", 70), ("Trips/2019 Rome", 120)])
    );
    // Each item one call, each batch one, each album one.
    assert_eq!(world.calls(CallKind::UploadRaw), 200);
    assert_eq!(world.calls(CallKind::CreateAlbum), 2);
    assert!(
        world.calls(CallKind::BatchCreate) <= 8,
        "{:?}",
        batch_sizes(&world)
    );
    assert_eq!(
        progress.requests,
        200 + 2 + world.calls(CallKind::BatchCreate)
    );
    world.emulator().reset_ledger();
    let again = upload(&world, &party).await;
    assert_eq!(again.status.state, RunState::Succeeded);
    assert_eq!(world.all_calls(), 0);
}

#[tokio::test]
async fn what_google_would_not_take_costs_nothing_and_is_named() {
    let world = empty().await;
    let folder = world.folder("pictures");
    world.put_photos(&folder, "", 0..5);
    world.put(&folder, "notes.txt", b"not a photo");
    world.put(&folder, "empty.jpg", b"");
    world.put(
        &folder,
        "page.jpg",
        b"<!DOCTYPE html><html><body>moved</body></html>",
    );
    world.put(&folder, "huge.jpg", b"");
    let huge = std::fs::File::options()
        .write(true)
        .open(folder.join("huge.jpg"))
        .expect("opened");
    huge.set_len(201 << 20).expect("a sparse file");
    let party = world.upload_plan(&folder).await;
    world.emulator().reset_ledger();
    let run = upload(&world, &party).await;
    assert_eq!(run.status.state, RunState::Partial);
    assert_eq!(world.names_in(World::EMAIL).len(), 5);
    assert_eq!(world.calls(CallKind::UploadRaw), 5);
    let failures = world.failures(&run).await;
    let told: BTreeMap<&str, &str> = failures
        .iter()
        .map(|it| (it.metadata.filename.as_str(), it.fault.message.as_str()))
        .collect();
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told["notes.txt"].contains(".txt"), "{told:?}");
    assert!(told["empty.jpg"].contains("0 bytes"), "{told:?}");
    assert!(told["huge.jpg"].contains("200 MB"), "{told:?}");
    assert!(told["page.jpg"].contains("web page"), "{told:?}");
}

#[tokio::test]
async fn the_same_bytes_in_two_folders_are_one_item_in_two_albums() {
    let world = empty().await;
    let folder = world.folder("pictures");
    world.put(&folder, "a/one.jpg", &photo(1));
    world.put(&folder, "b/the same.jpg", &photo(1));
    world.put(&folder, "b/again.jpg", &photo(1));
    let party = world.upload_plan(&folder).await;
    let run = upload(&world, &party).await;
    assert_eq!(run.status.state, RunState::Succeeded, "{:?}", run.status);
    let names = world.names_in(World::EMAIL);
    assert_eq!(names.values().sum::<usize>(), 1, "{names:?}");
    let albums = world.albums_in(World::EMAIL).await;
    assert_eq!(albums.keys().collect::<Vec<_>>(), ["a", "b"]);
    assert!(
        albums.values().all(|members| members.len() == 1),
        "{albums:?}"
    );
}

#[tokio::test]
async fn an_item_that_was_taken_away_at_google_is_uploaded_anew_by_another_plan() {
    let world = empty().await;
    let folder = world.folder("pictures");
    world.put_photos(&folder, "", 0..3);
    let party = world.upload_plan(&folder).await;
    upload(&world, &party).await;
    let victim = world.id_of("photo-0001.jpg");
    world.emulator().remove_item(&victim).expect("removed");
    let second = world.upload_plan(&folder).await;
    world.emulator().reset_ledger();
    let run = upload(&world, &second).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    assert_eq!(world.names_in(World::EMAIL).len(), 3);
    // The other two were only looked for.
    assert_eq!(world.calls(CallKind::UploadRaw), 1);
}

#[tokio::test]
async fn an_album_that_is_full_goes_on_in_a_second_one() {
    let world = empty().await;
    world
        .emulator()
        .set(|switches| switches.max_album_items = 30);
    let folder = world.folder("pictures");
    world.put_photos(&folder, "big/", 0..70);
    let party = world.upload_plan(&folder).await;
    let run = upload(&world, &party).await;
    assert_eq!(run.status.state, RunState::Succeeded, "{:?}", run.status);
    let names = world.names_in(World::EMAIL);
    assert_eq!(names.values().sum::<usize>(), 70);
    let albums = world.albums_in(World::EMAIL).await;
    assert_eq!(
        albums.keys().collect::<Vec<_>>(),
        ["big", "big (2)", "big (3)"]
    );
    assert_eq!(
        albums.values().map(Vec::len).sum::<usize>(),
        70,
        "{albums:?}"
    );
}

#[tokio::test]
async fn nothing_is_uploaded_to_an_account_that_is_read_only() {
    let world = empty().await;
    let folder = world.folder("pictures");
    world.put_photos(&folder, "", 0..3);
    let party = world.upload_plan(&folder).await;
    world.choose(|it| it.read_only = true).await;
    let refused = world
        .try_upload_plan(&folder, UploadOptions::default(), world.account())
        .await;
    assert!(
        matches!(&refused, Err(AppError::Invalid(text)) if text.contains("read only")),
        "{:?}",
        refused.err()
    );
    let run = world.start_for(&party, RunChoice::Routine).await;
    let waiting = world.until_state(&run, RunState::WaitingUser).await;
    let reason = waiting.status.reason.expect("a reason");
    assert!(reason.message.contains("read only"), "{reason:?}");
    assert_eq!(world.calls(CallKind::UploadRaw), 0);
    world.choose(|it| it.read_only = false).await;
    world
        .app()
        .resume_run(run.tenant, run.id)
        .await
        .expect("resumed");
    assert_eq!(
        world.until_over(&run).await.status.state,
        RunState::Succeeded
    );
}

#[tokio::test]
async fn the_batch_size_is_what_was_chosen() {
    let sizes = async |batch: BatchOptions| {
        let world = empty().await;
        world.choose(|it| it.batch = batch).await;
        let folder = world.folder("pictures");
        world.put_photos(&folder, "", 0..60);
        let party = world.upload_plan(&folder).await;
        let run = upload(&world, &party).await;
        assert_eq!(run.status.state, RunState::Succeeded);
        let mut sizes = batch_sizes(&world);
        sizes.sort_unstable();
        sizes
    };
    let of = |mode, size| BatchOptions {
        mode,
        size,
        // Nothing but fullness and the end close a batch.
        timeout_seconds: 600,
    };
    assert_eq!(sizes(of(BatchMode::Sync, 0)).await, [10, 50]);
    assert_eq!(
        sizes(of(BatchMode::Sync, 7)).await,
        [4, 7, 7, 7, 7, 7, 7, 7, 7]
    );
    assert_eq!(sizes(of(BatchMode::Async, 0)).await, [10, 50]);
    assert_eq!(sizes(of(BatchMode::Async, 20)).await, [20, 20, 20]);
    assert_eq!(sizes(of(BatchMode::Off, 20)).await, [1; 60]);
}

#[tokio::test]
async fn a_batch_that_nothing_comes_to_does_not_wait_longer_than_was_chosen() {
    let calls = async |timeout_seconds| {
        let world = empty().await;
        world
            .choose(|it| {
                it.batch = BatchOptions {
                    mode: BatchMode::Async,
                    size: 0,
                    timeout_seconds,
                };
            })
            .await;
        let folder = world.folder("pictures");
        world.put_photos(&folder, "", 0..6);
        // One of them is long in coming.
        let slow = Effect::Delay { ms: 4_000 };
        world
            .emulator()
            .fault(Fault::on(CallKind::UploadRaw, slow).times(1));
        let party = world.upload_plan(&folder).await;
        let run = upload(&world, &party).await;
        assert_eq!(run.status.state, RunState::Succeeded);
        world.calls(CallKind::BatchCreate)
    };
    assert_eq!(calls(1).await, 2);
    assert_eq!(calls(60).await, 1);
}

#[tokio::test]
async fn bytes_go_no_further_ahead_than_the_mode_says() {
    let ahead = async |mode| {
        let world = empty().await;
        let batch = BatchOptions {
            mode,
            size: 5,
            timeout_seconds: 600,
        };
        world.choose(|it| it.batch = batch).await;
        let folder = world.folder("pictures");
        world.put_photos(&folder, "", 0..40);
        world
            .emulator()
            .fault(Fault::on(CallKind::BatchCreate, Effect::Delay { ms: 1_500 }).times(1));
        let party = world.upload_plan(&folder).await;
        let run = upload(&world, &party).await;
        assert_eq!(run.status.state, RunState::Succeeded);
        let ledger = world.emulator().ledger(None, 0, 100_000);
        // The first batch is answered late; whatever was sent until then was sent ahead.
        let first_made = ledger
            .iter()
            .position(|call| call.kind == CallKind::BatchCreate)
            .expect("a batch");
        let sent_before = ledger[..first_made].iter();
        sent_before
            .filter(|call| call.kind == CallKind::UploadRaw)
            .count()
    };
    assert!(ahead(BatchMode::Sync).await <= 10);
    assert!(ahead(BatchMode::Async).await > 10);
}
