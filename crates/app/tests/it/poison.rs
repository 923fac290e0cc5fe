//! Work that fails again and again, and how an operator puts it back.

use std::time::Duration;

use tintype_app::{
    AppError, Step,
    operate::{Redriven, Requeue},
    runs::RunChoice,
};
use tintype_emulator::{Generated, Library};
use tintype_model::{
    ErrorKind,
    run::{Run, RunState},
    shard::{Shard, ShardState},
};

use crate::world::World;

const PHOTOS: u64 = 30;

/// A run whose listing died of a defect until it was set aside.
async fn poisoned() -> (World, Run, Shard) {
    let library = Library::Generated(Generated::photos(PHOTOS, 8_000));
    let world = World::with_settings(library, |settings| {
        settings.shard_backoff = Duration::from_millis(10);
    })
    .await;
    world.break_at(Some(Step::PageListed));
    let run = world.start(RunChoice::Full).await;
    let waiting = world.until_state(&run, RunState::WaitingUser).await;
    world.break_at(None);
    let reason = waiting.status.reason.expect("a reason");
    assert!(reason.message.contains("tintype admin"), "{reason:?}");
    let aside = world.app().ports().store.shards_set_aside(5).await;
    let [aside] = &aside.expect("read")[..] else {
        panic!("one shard is set aside")
    };
    assert!(aside.reason.contains("defect"), "{}", aside.reason);
    (world, run, aside.shard.clone())
}

async fn assert_all_there(world: &World, run: &Run) {
    let run = world.until_over(run).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    assert_eq!(world.manifest(&run).await.items.len() as u64, PHOTOS);
}

#[tokio::test]
async fn a_poisoned_shard_is_tried_five_times_and_its_neighbours_go_on() {
    let (world, run, shard) = poisoned().await;
    assert_eq!(world.deaths(), 5);
    let letters = world.app().ports().queue.dead_letters(5).await;
    let letters = letters.expect("read");
    assert_eq!(letters.len(), 1);
    let message = letters[0].message.as_ref().expect("a message");
    assert_eq!((message.tenant, message.shard), (run.tenant, shard.id));

    let neighbour = Library::Generated(Generated::photos(PHOTOS, 8_000));
    let neighbour = world.neighbour("neighbour@example.com", neighbour).await;
    let theirs = world.start_for(&neighbour, RunChoice::Full).await;
    assert_eq!(
        world.until_over(&theirs).await.status.state,
        RunState::Succeeded
    );
    let standing = world.app().ports().store.shard(shard.id).await;
    let standing = standing.expect("read").expect("it is there");
    assert_eq!(standing.state, ShardState::SetAside);
}

#[tokio::test]
async fn a_shard_that_is_put_back_ends_its_run() {
    let (world, run, shard) = poisoned().await;
    let back = world.app().requeue_shard(shard.id, Requeue::Idle).await;
    assert_eq!(back.expect("put back"), shard);
    assert_all_there(&world, &run).await;
    let again = world.app().requeue_shard(shard.id, Requeue::Idle).await;
    let refused = again.expect_err("it is done");
    assert_eq!(refused.kind(), ErrorKind::Conflict, "{refused}");
}

#[tokio::test]
async fn redriving_dead_letters_puts_their_shards_back() {
    let (world, run, _) = poisoned().await;
    let redriven = world.app().redrive_dead_letters(10).await;
    let expected = Redriven {
        messages: 1,
        shards: 1,
        left: 0,
    };
    assert_eq!(redriven.expect("redriven"), expected);
    assert_all_there(&world, &run).await;
    let again = world.app().redrive_dead_letters(10).await;
    assert_eq!(again.expect("redriven"), Redriven::default());
}

#[tokio::test]
async fn a_letter_of_a_shard_that_was_put_back_already_does_no_harm() {
    let (world, run, shard) = poisoned().await;
    let back = world.app().requeue_shard(shard.id, Requeue::Idle).await;
    back.expect("put back");
    assert_all_there(&world, &run).await;
    let redriven = world.app().redrive_dead_letters(10).await;
    let expected = Redriven {
        messages: 1,
        shards: 0,
        left: 0,
    };
    assert_eq!(redriven.expect("redriven"), expected);
    world.until_idle().await;
    assert_all_there(&world, &run).await;
}

#[tokio::test]
async fn an_unknown_shard_is_not_found() {
    let (world, run, _) = poisoned().await;
    let nobody = tintype_model::ShardId::from_uuid(run.id.as_uuid());
    let refused = world.app().requeue_shard(nobody, Requeue::EvenLeased).await;
    assert!(matches!(refused, Err(AppError::NotFound(_))), "{refused:?}");
}

#[tokio::test]
async fn a_shard_that_is_worked_on_is_put_back_only_when_told_so() {
    let library = Library::Generated(Generated::photos(PHOTOS, 8_000));
    let world = World::new(library).await;
    world.emulator().set(|switches| {
        switches
            .latency_ms
            .insert(tintype_emulator::CallKind::Download, 1_000);
    });
    let run = world.start(RunChoice::Full).await;
    let store = &world.app().ports().store;
    let held = loop {
        let open = store.open_leases(5).await.expect("read");
        let transfer = open
            .into_iter()
            .find(|it| it.shard.kind == tintype_model::shard::ShardKind::Transfer);
        if let Some(held) = transfer {
            break held.shard;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let refused = world.app().requeue_shard(held.id, Requeue::Idle).await;
    let refused = refused.expect_err("it is held");
    assert_eq!(refused.kind(), ErrorKind::Conflict, "{refused}");
    let taken = world
        .app()
        .requeue_shard(held.id, Requeue::EvenLeased)
        .await;
    assert_eq!(taken.expect("put back"), held);
    assert_all_there(&world, &run).await;
}
