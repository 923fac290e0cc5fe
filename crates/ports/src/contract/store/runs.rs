//! Runs.

use std::sync::Arc;

use futures::future::join_all;
use tintype_model::{
    ErrorKind, RunId,
    run::{Run, RunReason, RunState, RunStatus},
    shard::ShardKind,
};

use super::world::{LONG, StoreUnderTest, World, counts, instant, new_id};
use crate::store::{LeaseAnswer, OpenShards, PageWrite, Release, StoreError};

pub async fn a_plan_has_one_unfinished_run(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, _) = world.start().await;
    let (second, first_shard) = world.new_run(1);
    let refused = world.store.start_run(&second, &first_shard).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    world.end(run.id, RunState::Queued).await;
    world
        .store
        .start_run(&second, &first_shard)
        .await
        .expect("the first one has ended");
    assert_eq!(
        world
            .store
            .run(world.tenant, second.id)
            .await
            .expect("read"),
        Some(second)
    );
}

pub async fn of_many_starts_at_once_one_wins(under_test: StoreUnderTest) {
    let world = Arc::new(World::new(under_test).await);
    let starts = (0..8).map(|_| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let (run, first) = world.new_run(0);
            world.store.start_run(&run, &first).await.is_ok()
        })
    });
    let won = join_all(starts)
        .await
        .into_iter()
        .filter(|won| *won.as_ref().expect("no panic"))
        .count();
    assert_eq!(won, 1);
    assert_eq!(
        world
            .store
            .runs(world.tenant, world.plan.id, 10)
            .await
            .expect("read")
            .len(),
        1
    );
}

pub async fn a_status_changes_only_from_the_expected_state(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, _) = world.start().await;
    let waiting = RunStatus {
        state: RunState::WaitingUser,
        reason: Some(RunReason {
            kind: ErrorKind::DestinationFull,
            message: "make room\0".into(),
        }),
        resumes_at: Some(instant(99)),
    };
    let set = async |id, from| {
        world
            .store
            .set_run_status(world.tenant, id, from, &waiting, instant(9))
            .await
    };
    assert!(!set(run.id, RunState::Running).await.expect("an answer"));
    assert_eq!(
        world.store.run(world.tenant, run.id).await.expect("read"),
        Some(run.clone())
    );
    assert!(set(run.id, RunState::Queued).await.expect("an answer"));
    let changed = Run {
        status: waiting.clone(),
        ..run
    };
    assert_eq!(
        world
            .store
            .run(world.tenant, changed.id)
            .await
            .expect("read"),
        Some(changed)
    );
    assert!(
        !set(new_id(RunId::new), RunState::Queued)
            .await
            .expect("an answer")
    );
}

pub async fn a_final_state_ends_the_run_and_its_leases(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, listing) = world.listing().await;
    let waiting = world.list(&listing, 0..2).await;
    world.end(run.id, RunState::Queued).await;
    let ended = world
        .store
        .run(world.tenant, run.id)
        .await
        .expect("read")
        .expect("there");
    assert_eq!(ended.ended_at, Some(instant(60)));
    let lost = world.store.renew(&listing, LONG).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost)), "{lost:?}");
    assert_eq!(world.try_lease(&waiting, LONG).await, LeaseAnswer::Stale);
    let open = world
        .store
        .open_shards(world.tenant, run.id)
        .await
        .expect("read");
    assert_eq!(open, OpenShards::default());
}

pub async fn runs_are_listed_newest_first(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let mut ids = Vec::new();
    for created in [3, 1, 2] {
        let (run, first) = world.new_run(created);
        world.store.start_run(&run, &first).await.expect("a run");
        world.end(run.id, RunState::Queued).await;
        ids.push(run.id);
    }
    let listed = world
        .store
        .runs(world.tenant, world.plan.id, 2)
        .await
        .expect("read");
    assert_eq!(
        listed.iter().map(|run| run.id).collect::<Vec<_>>(),
        [ids[0], ids[2]]
    );
}

pub async fn progress_is_the_sum_of_all_shards(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, listing) = world.listing().await;
    assert_eq!(
        world
            .store
            .progress(world.tenant, run.id)
            .await
            .expect("read"),
        counts(0)
    );
    let shard = world.shard(run.id, ShardKind::Transfer);
    let page = PageWrite {
        shards: vec![shard.clone()],
        spent: counts(1),
        ..PageWrite::default()
    };
    world
        .store
        .write_page(&listing, &page)
        .await
        .expect("a page");
    let transfer = world.lease(&shard).await;
    let open = world
        .store
        .open_shards(world.tenant, run.id)
        .await
        .expect("read");
    assert_eq!(open, OpenShards { open: 2, leased: 2 });
    world
        .store
        .record(&transfer, &[], &counts(10))
        .await
        .expect("recorded");
    world
        .store
        .release(&transfer, Release::Done, &counts(100))
        .await
        .expect("released");
    world
        .store
        .release(&listing, Release::Later(LONG), &counts(1_000))
        .await
        .expect("released");
    assert_eq!(
        world
            .store
            .progress(world.tenant, run.id)
            .await
            .expect("read"),
        counts(1_111)
    );
    let open = world
        .store
        .open_shards(world.tenant, run.id)
        .await
        .expect("read");
    assert_eq!(open, OpenShards { open: 1, leased: 0 });
}
