//! What the scheduler does across tenants.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use futures::future::join_all;
use tintype_model::{
    progress::Progress,
    run::{RunState, RunStatus},
    shard::{Shard, ShardKind},
};

use super::world::{LONG, MAX_FAILURES, SHORT, StoreUnderTest, TRACE, World, instant};
use crate::{
    queue::JobMessage,
    store::{Backlog, LeaseAnswer, PageWrite, Release, StoreError},
};

async fn messages(world: &World) -> Vec<JobMessage> {
    let rows = world.store.outbox(100).await.expect("read");
    rows.into_iter().map(|(_, message)| message).collect()
}

fn message(shard: &Shard) -> JobMessage {
    JobMessage {
        tenant: shard.tenant,
        shard: shard.id,
        trace: TRACE.parse().ok(),
    }
}

async fn ready(world: &World) -> Vec<Shard> {
    world.store.ready(world.tenant, 50).await.expect("read")
}

async fn requeued(world: &World) -> u64 {
    let lost = world.store.requeue_lost(MAX_FAILURES).await;
    lost.expect("requeued").requeued
}

/// The backlog without its times, which are the store's.
async fn backlog(world: &World) -> Vec<Backlog> {
    let backlog = world.store.backlog().await.expect("read");
    let timeless = backlog.into_iter().map(|it| Backlog {
        oldest: instant(0),
        ..it
    });
    timeless.collect()
}

async fn dispatch(world: &World, shards: &[Shard], patience: Duration) -> u64 {
    world
        .store
        .dispatch(shards, patience)
        .await
        .expect("dispatched")
}

pub async fn the_backlog_counts_what_can_be_worked_on(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let neighbour = world.neighbour("next door").await;
    let (_, listing) = world.listing().await;
    assert_eq!(backlog(&world).await, [], "nothing is ready");
    let first = world.list(&listing, 0..7).await;
    world.list(&listing, 7..12).await;
    let (rests, _) = neighbour.start().await;
    let mine = |items, in_flight| Backlog {
        tenant: world.tenant,
        weight: 3,
        items,
        in_flight,
        max_shards: None,
        oldest: instant(0),
    };
    let next_door = Backlog {
        tenant: neighbour.tenant,
        weight: 3,
        items: 1,
        in_flight: 0,
        max_shards: None,
        oldest: instant(0),
    };
    assert_eq!(backlog(&world).await, [mine(12, 1), next_door]);
    dispatch(&world, &[first], LONG).await;
    neighbour
        .set(rests.id, RunState::Queued, RunState::Paused)
        .await;
    assert_eq!(backlog(&world).await, [mine(5, 2)]);
}

pub async fn listings_and_manifests_go_first(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, listing) = world.listing().await;
    let transfers: Vec<Shard> = (0..3)
        .map(|_| world.shard(run.id, ShardKind::Transfer))
        .collect();
    let manifest = world.shard(run.id, ShardKind::Finalize);
    let shards = transfers.iter().rev().chain([&manifest]).cloned().collect();
    let page = PageWrite {
        shards,
        ..PageWrite::default()
    };
    world
        .store
        .write_page(&listing, &page)
        .await
        .expect("a page");
    let expected = [&manifest, &transfers[2], &transfers[1], &transfers[0]].map(Clone::clone);
    assert_eq!(ready(&world).await, expected);
    assert_eq!(
        world.store.ready(world.tenant, 2).await.expect("read"),
        expected[..2]
    );
    world
        .set(run.id, RunState::Queued, RunState::WaitingQuota)
        .await;
    assert_eq!(ready(&world).await, []);
}

pub async fn a_shard_dispatched_twice_is_sent_once(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, first) = world.start().await;
    assert_eq!(
        dispatch(&world, &[first.clone(), first.clone()], LONG).await,
        1
    );
    assert_eq!(
        dispatch(&world, std::slice::from_ref(&first), LONG).await,
        0
    );
    assert_eq!(messages(&world).await, [message(&first)]);
    assert_eq!(ready(&world).await, []);
    world.lease(&first).await;
    assert_eq!(dispatch(&world, &[first], LONG).await, 0);
}

pub async fn of_two_dispatchers_one_sends(under_test: StoreUnderTest) {
    let world = Arc::new(World::new(under_test).await);
    let (run, listing) = world.listing().await;
    let shards: Vec<Shard> = (0..10)
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
    let reversed: Vec<Shard> = shards.iter().rev().cloned().collect();
    let dispatchers = [shards, reversed].map(|shards| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { dispatch(&world, &shards, LONG).await })
    });
    let sent: u64 = join_all(dispatchers)
        .await
        .into_iter()
        .map(|sent| sent.expect("no panic"))
        .sum();
    assert_eq!((sent, messages(&world).await.len()), (10, 10));
}

pub async fn confirmed_messages_leave_the_outbox(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, listing) = world.listing().await;
    let shards: Vec<Shard> = (0..3)
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
    dispatch(
        &world,
        &[shards[2].clone(), shards[0].clone(), shards[1].clone()],
        LONG,
    )
    .await;
    let oldest = world.store.outbox(2).await.expect("read");
    let sent: Vec<&JobMessage> = oldest.iter().map(|(_, message)| message).collect();
    assert_eq!(
        sent,
        [&message(&shards[2]), &message(&shards[0])],
        "in the order of the dispatch"
    );
    let ids: Vec<i64> = oldest.iter().map(|(id, _)| *id).collect();
    world.store.clear_outbox(&ids).await.expect("cleared");
    world
        .store
        .clear_outbox(&ids)
        .await
        .expect("cleared already");
    assert_eq!(messages(&world).await, [message(&shards[1])]);
}

pub async fn what_is_overdue_returns_to_the_backlog(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    let dispatched = world.list(&listing, 0..1).await;
    let leased = world.list(&listing, 1..2).await;
    dispatch(&world, std::slice::from_ref(&dispatched), SHORT).await;
    let stale = world.lease_for(&leased, SHORT).await;
    world.pass(2 * SHORT).await;
    assert_eq!(requeued(&world).await, 2);
    assert_eq!(requeued(&world).await, 0);
    assert_eq!(ready(&world).await, [dispatched.clone(), leased]);
    let lost = world.store.renew(&stale, LONG).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost)), "{lost:?}");
    assert_eq!(
        dispatch(&world, std::slice::from_ref(&dispatched), LONG).await,
        1
    );
    assert_eq!(
        messages(&world).await,
        [message(&dispatched)],
        "the outbox holds a shard once"
    );
}

pub async fn a_live_lease_is_not_lost(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    let dispatched = world.list(&listing, 0..1).await;
    dispatch(&world, &[dispatched], LONG).await;
    assert_eq!(requeued(&world).await, 0);
    world.store.renew(&listing, LONG).await.expect("still ours");
}

pub async fn at_start_everything_is_ready(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    let dispatched = world.list(&listing, 0..1).await;
    dispatch(&world, std::slice::from_ref(&dispatched), LONG).await;
    assert_eq!(world.store.requeue_all().await.expect("requeued"), 2);
    assert_eq!(messages(&world).await, []);
    assert_eq!(ready(&world).await, [listing.shard.clone(), dispatched]);
    let again = world.lease(&listing.shard).await;
    assert_eq!(again.epoch, listing.epoch + 1);
}

pub async fn runs_resume_when_their_time_has_come(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, _) = world.start().await;
    let waiting = RunStatus {
        resumes_at: Some(instant(50)),
        ..RunStatus::plain(RunState::WaitingQuota)
    };
    let set = world
        .store
        .set_run_status(world.tenant, run.id, RunState::Queued, &waiting, instant(1))
        .await;
    assert!(set.expect("an answer"));
    let due = async |now| world.store.due(now, 5).await.expect("read");
    assert_eq!(due(instant(50) - TimeDelta::microseconds(1)).await, []);
    assert_eq!(due(instant(50)).await, [(world.tenant, run.id)]);
    world
        .set(run.id, RunState::WaitingQuota, RunState::Running)
        .await;
    assert_eq!(due(instant(99)).await, []);
}

pub async fn a_pausing_run_is_drained_without_live_leases(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, first) = world.start().await;
    let lease = world.lease_for(&first, LONG).await;
    assert_eq!(world.store.drained(5).await.expect("read"), []);
    world.set(run.id, RunState::Queued, RunState::Pausing).await;
    assert_eq!(
        world.store.drained(5).await.expect("read"),
        [],
        "a lease is live"
    );
    world.store.renew(&lease, SHORT).await.expect("renewed");
    world.pass(2 * SHORT).await;
    assert_eq!(
        world.store.drained(5).await.expect("read"),
        [(world.tenant, run.id)]
    );
    assert_eq!(world.try_lease(&first, LONG).await, LeaseAnswer::Stale);
}

pub async fn the_next_event_is_the_earliest(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let next = async || world.store.next_event_at().await.expect("read");
    assert_eq!(next().await, None);
    let (run, lease) = world.listing().await;
    assert_eq!(next().await, None, "a held lease ends by its holder");
    world
        .store
        .release(&lease, Release::Later(LONG), &Progress::default())
        .await
        .expect("released");
    let shard_ready = next().await.expect("the shard becomes ready");
    assert!(
        shard_ready > lease.expires_at - TimeDelta::seconds(5),
        "{shard_ready} of {:?}",
        lease.expires_at
    );
    let sooner = shard_ready - TimeDelta::seconds(300);
    let waiting = RunStatus {
        resumes_at: Some(sooner),
        ..RunStatus::plain(RunState::WaitingUser)
    };
    let neighbour = world.neighbour("next door").await;
    let (other, _) = neighbour.start().await;
    let set = world
        .store
        .set_run_status(
            neighbour.tenant,
            other.id,
            RunState::Queued,
            &waiting,
            instant(1),
        )
        .await;
    assert!(set.expect("an answer"));
    assert_eq!(next().await, Some(sooner));
    neighbour.end(other.id, RunState::WaitingUser).await;
    assert_eq!(next().await, Some(shard_ready));
    world.set(run.id, RunState::Queued, RunState::Paused).await;
    assert_eq!(next().await, None, "a paused run does not go on by itself");
}
