//! Uploads while something goes wrong: files, answers, crashes, quota, the account itself.

use std::collections::BTreeMap;

use tintype_app::{AppError, Step, runs::RunChoice};
use tintype_emulator::{CallKind, Effect, Fault, Library, Replay};
use tintype_model::{
    ErrorKind,
    quota::QuotaLimits,
    run::RunState,
    storage::{BatchMode, BatchOptions},
};

use crate::upload::{empty, upload};
use crate::world::{World, photo};

async fn one_bad_of_fifty(mode: BatchMode, effect: Effect, is_split: bool) {
    let world = empty().await;
    world
        .choose(|it| {
            it.batch = BatchOptions {
                mode,
                ..BatchOptions::default()
            }
        })
        .await;
    let folder = world.folder("pictures");
    world.put_photos(&folder, "", 0..49);
    world.put(&folder, "broken.jpg", &photo(1_000));
    world
        .emulator()
        .fault(Fault::on(CallKind::BatchCreate, effect).file_name("broken.jpg"));
    let party = world.upload_plan(&folder).await;
    let run = upload(&world, &party).await;
    assert_eq!(run.status.state, RunState::Partial, "{mode:?}");
    let names = world.names_in(World::EMAIL);
    assert_eq!(names.len(), 49, "{mode:?}");
    assert!(
        names.values().all(|count| *count == 1),
        "{mode:?}: {names:?}"
    );
    let failures = world.failures(&run).await;
    assert_eq!(failures.len(), 1, "{mode:?}");
    assert!(
        failures[0].fault.message.contains("broken.jpg"),
        "{failures:?}"
    );
    if is_split && mode != BatchMode::Off {
        // Fifty come down to one in six steps.
        assert!(world.calls(CallKind::BatchCreate) >= 6);
    }
}

#[tokio::test]
async fn one_corrupt_file_among_forty_nine_good_ones_stands_alone_in_every_mode() {
    for mode in [BatchMode::Sync, BatchMode::Async, BatchMode::Off] {
        one_bad_of_fifty(mode, Effect::BatchItem { code: 3 }, false).await;
        one_bad_of_fifty(mode, Effect::BatchPoison { code: 400 }, true).await;
    }
}

#[tokio::test]
async fn a_batch_that_google_cannot_answer_is_split_as_well() {
    let world = World::with_settings(Library::Empty, |settings| settings.shard_attempts = 1).await;
    let folder = world.folder("pictures");
    world.put_photos(&folder, "", 0..11);
    world.put(&folder, "broken.jpg", &photo(1_000));
    let poison = Effect::BatchPoison { code: 500 };
    world
        .emulator()
        .fault(Fault::on(CallKind::BatchCreate, poison).file_name("broken.jpg"));
    let party = world.upload_plan(&folder).await;
    let run = upload(&world, &party).await;
    assert_eq!(run.status.state, RunState::Partial);
    assert_eq!(world.names_in(World::EMAIL).len(), 11);
    let failures = world.failures(&run).await;
    assert_eq!(failures.len(), 1);
    assert!(
        failures[0].fault.message.contains("broken.jpg"),
        "{failures:?}"
    );
    assert!(world.twins().await.is_empty());
}

/// Dies once at each step around a batch, and says how many items there are of each name.
async fn survive(replay: Replay, step: Step) -> (World, BTreeMap<String, usize>) {
    let world = empty().await;
    world
        .emulator()
        .set(|switches| switches.token_replay = replay);
    let folder = world.folder("pictures");
    world.put_photos(&folder, "", 0..20);
    world.put_photos(&folder, "album/", 20..60);
    let party = world.upload_plan(&folder).await;
    world.break_once_at(step);
    let run = upload(&world, &party).await;
    assert_eq!(world.deaths(), 1, "{step}");
    assert_eq!(
        run.status.state,
        RunState::Succeeded,
        "{step}: {:?}",
        run.status
    );
    let names = world.names_in(World::EMAIL);
    assert_eq!(names.len(), 60, "{step}");
    let albums = world.albums_in(World::EMAIL).await;
    assert_eq!(albums.keys().collect::<Vec<_>>(), ["album"], "{step}");
    (world, names)
}

const AROUND_A_BATCH: [Step; 6] = [
    Step::BytesSent,
    Step::AlbumIntended,
    Step::AlbumMade,
    Step::UploadJournalled,
    Step::ItemsMade,
    Step::UploadRecorded,
];

#[tokio::test]
async fn a_crash_around_a_batch_makes_nothing_twice() {
    for replay in [Replay::SameId, Replay::AlreadyExists] {
        for step in AROUND_A_BATCH {
            let (world, names) = survive(replay, step).await;
            assert!(
                names.values().all(|count| *count == 1),
                "{replay:?} {step}: {names:?}"
            );
            assert!(world.twins().await.is_empty(), "{replay:?} {step}");
        }
    }
}

#[tokio::test]
async fn where_google_makes_a_token_twice_every_twin_is_found() {
    for step in AROUND_A_BATCH {
        let (world, names) = survive(Replay::Duplicate, step).await;
        let too_many: usize = names.values().map(|count| count - 1).sum();
        assert_eq!(world.twins().await.len(), too_many, "{step}");
        if step == Step::ItemsMade {
            assert!(too_many > 0, "{step}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_got_lost_leaves_no_duplicate_unnoticed() {
    for replay in [Replay::SameId, Replay::AlreadyExists, Replay::Duplicate] {
        let world = empty().await;
        world
            .emulator()
            .set(|switches| switches.token_replay = replay);
        world
            .emulator()
            .fault(Fault::on(CallKind::BatchCreate, Effect::DropAfter).times(1));
        let folder = world.folder("pictures");
        world.put_photos(&folder, "", 0..30);
        let party = world.upload_plan(&folder).await;
        let run = upload(&world, &party).await;
        assert_eq!(run.status.state, RunState::Succeeded, "{replay:?}");
        let names = world.names_in(World::EMAIL);
        let too_many: usize = names.values().map(|count| count - 1).sum();
        assert_eq!(world.twins().await.len(), too_many, "{replay:?}");
        let expected = if replay == Replay::Duplicate { 30 } else { 0 };
        assert_eq!(too_many, expected, "{replay:?}");
    }
}

#[tokio::test]
async fn an_upload_goes_on_the_next_day_where_the_quota_stopped_it() {
    let world = empty().await;
    let folder = world.folder("pictures");
    world.put_photos(&folder, "", 0..120);
    let party = world.upload_plan(&folder).await;
    world.limit(QuotaLimits {
        requests_per_day: 60,
        downloads_per_day: 1_000,
    });
    world.emulator().reset_ledger();
    let run = world.start_for(&party, RunChoice::Routine).await;
    let mut days = 0;
    let mut resumes_at = None;
    loop {
        let now = world
            .until(&run, "the next day or the end", |run| {
                let status = &run.status;
                let waits = status.state == RunState::WaitingQuota;
                status.state.is_final() || (waits && status.resumes_at != resumes_at)
            })
            .await;
        let spent = world.emulator().quota();
        let mut all = spent.values().flat_map(BTreeMap::values);
        assert!(all.all(|day| day.calls <= 60), "{spent:?}");
        if now.status.state.is_final() {
            break;
        }
        days += 1;
        resumes_at = now.status.resumes_at;
        // The run waits as soon as one of its shards does; no other one is to sleep through the jump in the middle of a call.
        world.until_unleased(&run).await;
        world.set_time(resumes_at.expect("a time") + chrono::TimeDelta::seconds(2));
    }
    // Within three days, as many calls as photos: nothing that was sent on one day is sent again on the next.
    assert_eq!((days, world.calls(CallKind::UploadRaw)), (2, 120));
    let run = world.until_over(&run).await;
    assert_eq!(run.status.state, RunState::Succeeded, "{:?}", run.status);
    let names = world.names_in(World::EMAIL);
    assert_eq!(names.len(), 120);
    assert!(names.values().all(|count| *count == 1));
}

#[tokio::test]
async fn a_batch_waits_for_what_is_under_way_where_no_call_more_can_be_paid() {
    let world = empty().await;
    let folder = world.folder("pictures");
    world.put_photos(&folder, "", 0..4);
    let slow = Fault::on(CallKind::UploadRaw, Effect::Delay { ms: 2_500 });
    world.emulator().fault(slow.skip(1));
    let party = world.upload_plan(&folder).await;
    // Four for the bytes and one that makes items of all. The batch of the first would wait one second for the others.
    world.limit(QuotaLimits {
        requests_per_day: 5,
        downloads_per_day: 1_000,
    });
    world.emulator().reset_ledger();
    let run = upload(&world, &party).await;
    assert_eq!(run.status.state, RunState::Succeeded, "{:?}", run.status);
    assert_eq!(world.names_in(World::EMAIL).len(), 4);
    let calls = (CallKind::UploadRaw, CallKind::BatchCreate);
    assert_eq!((world.calls(calls.0), world.calls(calls.1)), (4, 1));
}

#[tokio::test]
async fn a_revoked_token_stops_an_upload_and_a_new_one_lets_it_go_on() {
    let world = empty().await;
    let folder = world.folder("pictures");
    world.put_photos(&folder, "", 0..10);
    let party = world.upload_plan(&folder).await;
    world.revoke();
    let run = world.start_for(&party, RunChoice::Routine).await;
    world.until_state(&run, RunState::WaitingAuth).await;
    world.reauthorise().await;
    assert_eq!(
        world.until_over(&run).await.status.state,
        RunState::Succeeded
    );
    assert_eq!(world.names_in(World::EMAIL).len(), 10);
}

#[tokio::test]
async fn a_full_account_waits_for_its_person_and_nothing_is_lost() {
    let world = empty().await;
    let folder = world.folder("pictures");
    world.put_photos(&folder, "", 0..10);
    let party = world.upload_plan(&folder).await;
    world
        .emulator()
        .set(|switches| switches.storage_left = Some(0));
    let run = world.start_for(&party, RunChoice::Routine).await;
    let waiting = world.until_state(&run, RunState::WaitingUser).await;
    let reason = waiting.status.reason.expect("a reason");
    assert_eq!(reason.kind, ErrorKind::DestinationFull);
    world
        .emulator()
        .set(|switches| switches.storage_left = None);
    world
        .app()
        .resume_run(run.tenant, run.id)
        .await
        .expect("resumed");
    assert_eq!(
        world.until_over(&run).await.status.state,
        RunState::Succeeded
    );
    assert_eq!(world.names_in(World::EMAIL).len(), 10);
}

#[tokio::test]
async fn a_large_file_goes_up_in_pieces_and_goes_on_where_it_was_broken_off() {
    let world = empty().await;
    world
        .emulator()
        .set(|switches| switches.require_upload_hash = true);
    let folder = world.folder("pictures");
    let mut large = photo(7);
    large.resize(20 << 20, 7);
    world.put(&folder, "large.jpg", &large);
    let broken = Effect::DropUpload { after: 9 << 20 };
    world
        .emulator()
        .fault(Fault::on(CallKind::UploadChunk, broken).times(1));
    let party = world.upload_plan(&folder).await;
    let run = upload(&world, &party).await;
    assert_eq!(run.status.state, RunState::Succeeded, "{:?}", run.status);
    let id = world.id_of("large.jpg");
    let stored = world.uploaded(&id);
    assert!(stored == large, "other bytes arrived");
    assert_eq!(world.calls(CallKind::UploadQuery), 1);
    assert_eq!(world.calls(CallKind::UploadStart), 1);
}

#[tokio::test]
async fn a_token_of_another_account_does_not_take_the_place_of_one_that_was_uploaded_to() {
    let world = empty().await;
    let folder = world.folder("pictures");
    world.put_photos(&folder, "", 0..10);
    let party = world.upload_plan(&folder).await;
    upload(&world, &party).await;
    world.emulator().add_account("other@example.com");
    for other in [false, true] {
        let refused = world.reauthorise_as("other@example.com", other).await;
        assert!(
            matches!(&refused, Err(AppError::Conflict(text)) if text.contains("a storage of its own")),
            "{refused:?}"
        );
    }
    // The one who was there before goes on.
    world.reauthorise().await;
    world.put_photos(&folder, "", 10..12);
    assert_eq!(
        upload(&world, &party).await.status.state,
        RunState::Succeeded
    );
    assert_eq!(world.names_in(World::EMAIL).len(), 12);
    assert!(world.names_in("other@example.com").is_empty());
}

#[tokio::test]
async fn another_account_takes_the_place_of_one_that_is_read_only_where_that_was_said() {
    let world = World::new(Library::Sample).await;
    world.back_up(RunChoice::Full).await;
    world.emulator().add_account("other@example.com");
    let refused = world.reauthorise_as("other@example.com", false).await;
    assert!(matches!(refused, Err(AppError::Conflict(_))), "{refused:?}");
    let taken = world.reauthorise_as("other@example.com", true).await;
    assert!(taken.is_ok(), "{taken:?}");
}
