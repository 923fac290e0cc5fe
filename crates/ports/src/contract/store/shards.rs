//! Shards and their fenced leases.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use tintype_model::{
    ShardId, WorkerId,
    progress::Progress,
    run::RunState,
    shard::{Lease, Shard, ShardKind},
};

use super::world::{LONG, MAX_FAILURES, SHORT, StoreUnderTest, World, counts, new_id, stored};
use crate::store::{LeaseAnswer, PageWrite, Release, StoreError, StoreResult};

fn is_lost<T: std::fmt::Debug>(answer: &StoreResult<T>) -> bool {
    matches!(answer, Err(StoreError::LeaseLost))
}

pub async fn a_ready_shard_is_leased_and_done_once(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, first) = world.start().await;
    let lease = world.lease(&first).await;
    assert_eq!((&lease.shard, lease.epoch, lease.attempt), (&first, 1, 1));
    assert_eq!(world.try_lease(&first, LONG).await, LeaseAnswer::Held);
    world
        .store
        .release(&lease, Release::Done, &Progress::default())
        .await
        .expect("released");
    assert_eq!(world.try_lease(&first, LONG).await, LeaseAnswer::Stale);
    let unknown = Shard {
        id: new_id(ShardId::new),
        ..first
    };
    assert_eq!(world.try_lease(&unknown, LONG).await, LeaseAnswer::Stale);
}

pub async fn of_two_leasers_one_is_granted(under_test: StoreUnderTest) {
    let world = Arc::new(World::new(under_test).await);
    let (_, first) = world.start().await;
    let leasers = (0..2).map(|_| {
        let (world, first) = (Arc::clone(&world), first.clone());
        tokio::spawn(async move { world.try_lease(&first, LONG).await })
    });
    let mut answers = join_all(leasers)
        .await
        .into_iter()
        .map(|answer| answer.expect("no panic"));
    let (one, other) = (answers.next().expect("one"), answers.next().expect("two"));
    let granted = |answer: &LeaseAnswer| matches!(answer, LeaseAnswer::Granted(_));
    assert!(granted(&one) != granted(&other), "{one:?}, {other:?}");
    assert!(one == LeaseAnswer::Held || other == LeaseAnswer::Held);
}

pub async fn a_lease_that_expired_is_granted_again_with_a_later_epoch(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, first) = world.start().await;
    let lost = world.lease_for(&first, SHORT).await;
    world.pass(2 * SHORT).await;
    let taken = world.lease(&first).await;
    assert_eq!((taken.epoch, taken.attempt), (lost.epoch + 1, 2));
}

pub async fn an_expired_lease_that_nobody_took_is_still_the_holders(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, first) = world.start().await;
    let lease = world.lease_for(&first, SHORT).await;
    world.pass(2 * SHORT).await;
    assert_eq!(
        world
            .store
            .renew(&lease, LONG)
            .await
            .expect("still ours")
            .state,
        RunState::Queued
    );
    assert_eq!(world.try_lease(&first, LONG).await, LeaseAnswer::Held);
}

pub async fn a_stale_epoch_is_refused(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, first) = world.start().await;
    let stale = world.lease_for(&first, SHORT).await;
    world.pass(2 * SHORT).await;
    let current = world.lease(&first).await;
    let (store, spent) = (&world.store, counts(1));
    assert!(is_lost(&store.renew(&stale, LONG).await));
    assert!(is_lost(&store.release(&stale, Release::Done, &spent).await));
    assert!(is_lost(
        &store.release(&stale, Release::Later(LONG), &spent).await
    ));
    assert!(is_lost(
        &store
            .finish(&stale, &spent, &world.shard(run.id, ShardKind::Finalize))
            .await
    ));
    assert!(is_lost(&store.record(&stale, &[stored(0)], &spent).await));
    assert!(is_lost(
        &store
            .write_page(
                &stale,
                &PageWrite {
                    spent,
                    ..PageWrite::default()
                }
            )
            .await
    ));
    assert!(is_lost(
        &store.add_snapshot(&stale, &world.snapshot(run.id, 1)).await
    ));
    assert_eq!(
        store.progress(world.tenant, run.id).await.expect("read"),
        Progress::default()
    );
    store
        .renew(&current, LONG)
        .await
        .expect("the current one goes on");
}

pub async fn a_renewed_lease_outlives_its_first_time(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, first) = world.start().await;
    let lease = world.lease_for(&first, SHORT).await;
    world.store.renew(&lease, LONG).await.expect("renewed");
    world.pass(2 * SHORT).await;
    assert_eq!(world.try_lease(&first, LONG).await, LeaseAnswer::Held);
}

pub async fn renewal_tells_the_state_of_the_run(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, lease) = world.listing().await;
    world.set(run.id, RunState::Queued, RunState::Pausing).await;
    assert_eq!(
        world
            .store
            .renew(&lease, LONG)
            .await
            .expect("renewed")
            .state,
        RunState::Pausing
    );
}

pub async fn renewal_tells_how_the_tenants_transfers_are_spread(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    let (one, other) = (new_id(WorkerId::new), new_id(WorkerId::new));
    let mut leases = Vec::new();
    for (number, worker) in [one, one, other].into_iter().enumerate() {
        let number = number as u64;
        let shard = world.list(&listing, 10 * number..10 * number + 5).await;
        let answer = world
            .store
            .lease(world.tenant, shard.id, worker, LONG, MAX_FAILURES)
            .await;
        match answer.expect("an answer") {
            LeaseAnswer::Granted(lease) => leases.push(*lease),
            refused => panic!("{refused:?}"),
        }
    }
    let spread = async |lease: &Lease| {
        let renewed = world.store.renew(lease, LONG).await.expect("renewed");
        (renewed.transfers_here, renewed.transfers)
    };
    assert_eq!(spread(&leases[0]).await, (2, 3));
    assert_eq!(spread(&leases[2]).await, (1, 3));
    // A listing takes no share of the downloads.
    assert_eq!(spread(&listing).await, (0, 3));
    let nothing = Progress::default();
    let done = world.store.release(&leases[1], Release::Done, &nothing);
    done.await.expect("done");
    assert_eq!(spread(&leases[0]).await, (1, 2));
}

pub async fn a_run_that_rests_grants_no_lease(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, first) = world.start().await;
    let mut from = RunState::Queued;
    for state in RunState::ALL
        .into_iter()
        .filter(|state| !state.is_runnable() && !state.is_final())
    {
        world.set(run.id, from, state).await;
        assert_eq!(
            world.try_lease(&first, LONG).await,
            LeaseAnswer::Stale,
            "{state:?}"
        );
        from = state;
    }
    world.set(run.id, from, RunState::Running).await;
    world.lease(&first).await;
}

pub async fn a_shard_that_is_to_wait_waits(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, lease) = world.listing().await;
    world
        .store
        .release(&lease, Release::Later(SHORT), &Progress::default())
        .await
        .expect("released");
    assert_eq!(world.store.ready(world.tenant, 5).await.expect("read"), []);
    assert_eq!(
        world.try_lease(&lease.shard, LONG).await,
        LeaseAnswer::Stale
    );
    world.pass(2 * SHORT).await;
    assert_eq!(
        world.store.ready(world.tenant, 5).await.expect("read"),
        std::slice::from_ref(&lease.shard)
    );
    assert_eq!(world.lease(&lease.shard).await.epoch, lease.epoch + 1);
}

pub async fn the_last_shard_adds_the_next_one(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, listing) = world.listing().await;
    let transfer = world.list(&listing, 0..1).await;
    let finalize = world.shard(run.id, ShardKind::Finalize);
    let finish = async |lease: &Lease| world.store.finish(lease, &counts(1), &finalize).await;
    assert!(
        !finish(&listing).await.expect("finished"),
        "a transfer is still open"
    );
    let lease = world.lease(&transfer).await;
    assert!(finish(&lease).await.expect("finished"), "it was the last");
    assert!(is_lost(&finish(&lease).await), "done is done");
    assert_eq!(
        world.store.ready(world.tenant, 5).await.expect("read"),
        std::slice::from_ref(&finalize)
    );
    assert_eq!(
        world
            .store
            .progress(world.tenant, run.id)
            .await
            .expect("read"),
        counts(2)
    );
    let last = world.lease(&finalize).await;
    assert!(
        !finish(&last).await.expect("finished"),
        "an equal id exists"
    );
}

pub async fn of_shards_that_finish_at_once_exactly_one_adds_the_next(under_test: StoreUnderTest) {
    let world = Arc::new(World::new(under_test).await);
    let (run, listing) = world.listing().await;
    let shards: Vec<Shard> = (0..8)
        .map(|_| world.shard(run.id, ShardKind::Transfer))
        .collect();
    let page = PageWrite {
        shards: shards.clone(),
        ..PageWrite::default()
    };
    world
        .store
        .write_page(&listing, &page)
        .await
        .expect("a page");
    world
        .store
        .release(&listing, Release::Done, &Progress::default())
        .await
        .expect("released");
    let finalize = world.shard(run.id, ShardKind::Finalize);
    let mut finishers = Vec::new();
    for shard in &shards {
        let (world, finalize) = (Arc::clone(&world), finalize.clone());
        let lease = world.lease_for(shard, Duration::from_secs(60)).await;
        finishers.push(tokio::spawn(async move {
            world
                .store
                .finish(&lease, &Progress::default(), &finalize)
                .await
                .expect("finished")
        }));
    }
    let added = join_all(finishers)
        .await
        .into_iter()
        .filter(|added| *added.as_ref().expect("no panic"))
        .count();
    assert_eq!(added, 1);
}
