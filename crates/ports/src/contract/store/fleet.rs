//! Named leases, workers, schedules, and shards that are set aside.

use chrono::TimeDelta;
use futures::future::join_all;
use tintype_model::{
    PlanId, ShardId, TenantId, WorkerId, plan::Plan, progress::Progress, run::RunState,
    schedule::Schedule, shard::ShardState, tenant::Tenant,
};

use super::world::{LONG, MAX_FAILURES, SHORT, StoreUnderTest, World, instant, new_id};
use crate::store::{
    LeaseAnswer, Load, Lost, Release, RunFilter, ShardStanding, StoreError, WorkerReport,
};

const NAME: &str = "scheduler";

async fn epoch(world: &World, holder: WorkerId) -> Option<i64> {
    let taken = world.store.take_lease(NAME, holder, LONG).await;
    taken.expect("an answer").map(|lease| lease.epoch)
}

pub async fn a_named_lease_has_one_holder(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let holders: Vec<WorkerId> = (0..8).map(|_| new_id(WorkerId::new)).collect();
    let answers = join_all(holders.iter().map(|holder| epoch(&world, *holder))).await;
    let winners: Vec<usize> = (0..8).filter(|&it| answers[it].is_some()).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    let winner = holders[winners[0]];
    let held = world.store.held_lease(NAME).await.expect("read");
    assert_eq!(held.map(|lease| lease.holder), Some(winner));
    assert_eq!(epoch(&world, winner).await, Some(1), "extended, not new");
    let other = world.store.take_lease("other", new_id(WorkerId::new), LONG);
    assert!(other.await.expect("an answer").is_some());
}

pub async fn a_named_lease_passes_on_when_dropped_or_expired(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let [first, second, third] = [(); 3].map(|()| new_id(WorkerId::new));
    assert_eq!(epoch(&world, first).await, Some(1));
    world
        .store
        .drop_lease(NAME, second)
        .await
        .expect("not its own");
    assert_eq!(epoch(&world, second).await, None);
    world.store.drop_lease(NAME, first).await.expect("dropped");
    assert_eq!(world.store.held_lease(NAME).await.expect("read"), None);
    let taken = world.store.take_lease(NAME, second, SHORT).await;
    assert_eq!(taken.expect("an answer").map(|it| it.epoch), Some(2));
    world.pass(2 * SHORT).await;
    assert_eq!(epoch(&world, third).await, Some(3));
    assert_eq!(epoch(&world, second).await, None);
}

pub async fn workers_count_while_they_report(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let worker = |name: &str, slots| WorkerReport {
        id: new_id(WorkerId::new),
        name: name.into(),
        slots,
    };
    let (stays, goes, vanishes) = (worker("a", 6), worker("b", 2), worker("c", 3));
    for (report, ttl) in [(&stays, LONG), (&goes, LONG), (&vanishes, SHORT)] {
        world.store.report_worker(report, ttl).await.expect("known");
    }
    let expected = [stays.clone(), goes.clone(), vanishes];
    assert_eq!(world.store.workers().await.expect("read"), expected);
    world.store.remove_worker(goes.id).await.expect("removed");
    world.pass(2 * SHORT).await;
    assert_eq!(world.store.workers().await.expect("read"), [stays]);
    let (_, first) = world.start().await;
    let sent = world.store.dispatch(std::slice::from_ref(&first), LONG);
    assert_eq!(sent.await.expect("dispatched"), 1);
    let load = world.store.load().await.expect("read");
    let overdue_at = load.first_overdue_at.expect("a message is out");
    let now = world.store.time().await.expect("the time");
    let out_for = (now - (overdue_at - LONG)).num_seconds();
    assert!((0..60).contains(&out_for), "{out_for} s");
    assert_eq!(load.in_flight, 1);
    world.lease(&first).await;
    let load = Load {
        workers: 1,
        slots: 6,
        in_flight: 1,
        first_overdue_at: None,
    };
    assert_eq!(world.store.load().await.expect("read"), load);
}

pub async fn a_shard_whose_workers_vanish_is_set_aside(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, first) = world.start().await;
    for failures in 0..MAX_FAILURES {
        let lease = world.lease_for(&first, SHORT).await;
        assert_eq!(lease.failures, failures);
        world.pass(2 * SHORT).await;
    }
    let refused = world.try_lease(&first, LONG).await;
    assert!(matches!(refused, LeaseAnswer::SetAside(_)), "{refused:?}");
    assert_eq!(world.try_lease(&first, LONG).await, LeaseAnswer::Stale);
    let stuck = world.store.stuck(5).await.expect("read");
    assert_eq!(stuck, [(world.tenant, run.id)]);
    let aside = world.store.shards_set_aside(5).await.expect("read");
    assert_eq!(aside.len(), 1);
    assert_eq!(aside[0].shard, first);
    let back = world.store.requeue_shard(world.tenant, first.id).await;
    assert!(back.expect("an answer"));
    assert_eq!(world.store.stuck(5).await.expect("read"), []);
    assert_eq!(world.lease(&first).await.failures, 0);
}

pub async fn the_reconciler_counts_vanished_workers_too(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, first) = world.start().await;
    for _ in 1..MAX_FAILURES {
        world.lease_for(&first, SHORT).await;
        world.pass(2 * SHORT).await;
        let lost = world.store.requeue_lost(MAX_FAILURES).await;
        let requeued = Lost {
            requeued: 1,
            set_aside: 0,
        };
        assert_eq!(lost.expect("requeued"), requeued);
    }
    world.lease_for(&first, SHORT).await;
    world.pass(2 * SHORT).await;
    let lost = world.store.requeue_lost(MAX_FAILURES).await;
    let aside = Lost {
        requeued: 0,
        set_aside: 1,
    };
    assert_eq!(lost.expect("requeued"), aside);
}

pub async fn failures_are_forgotten_once_work_gets_done(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, first) = world.start().await;
    let nothing = Progress::default();
    let failed = Release::Failed(std::time::Duration::ZERO);
    for failures in 0..2 {
        let lease = world.lease(&first).await;
        assert_eq!(lease.failures, failures);
        world
            .store
            .release(&lease, failed, &nothing)
            .await
            .expect("released");
    }
    let lease = world.lease(&first).await;
    assert_eq!(lease.failures, 2);
    let listed = Progress {
        listed: 1,
        ..nothing
    };
    let later = Release::Later(std::time::Duration::ZERO);
    world
        .store
        .release(&lease, later, &listed)
        .await
        .expect("released");
    assert_eq!(world.lease(&first).await.failures, 0);
}

pub async fn a_shard_that_is_set_aside_is_nobodys(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, lease) = world.listing().await;
    world
        .store
        .set_aside(&lease, "it breaks")
        .await
        .expect("set aside");
    let aside = world.store.shards_set_aside(5).await.expect("read");
    assert_eq!(aside[0].reason, "it breaks");
    let standing = world.store.shard(lease.shard.id).await.expect("read");
    let expected = ShardStanding {
        shard: lease.shard.clone(),
        state: ShardState::SetAside,
        failures: 0,
        reason: Some("it breaks".into()),
    };
    assert_eq!(standing, Some(expected));
    let lost = world.store.renew(&lease, LONG).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost)), "{lost:?}");
    assert_eq!(world.store.ready(world.tenant, 5).await.expect("read"), []);
    let nobody = new_id(ShardId::new);
    let missing = world.store.requeue_shard(world.tenant, nobody).await;
    assert!(!missing.expect("an answer"));
    assert_eq!(world.store.shard(nobody).await.expect("read"), None);
    world.end(run.id, RunState::Queued).await;
    let done = world
        .store
        .requeue_shard(world.tenant, lease.shard.id)
        .await;
    assert!(!done.expect("an answer"), "a run that is over stays so");
}

pub async fn leases_and_open_runs_are_listed(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, lease) = world.listing().await;
    let open = world.store.open_leases(5).await.expect("read");
    let [held] = &open[..] else {
        panic!("one lease, not {open:?}")
    };
    assert_eq!((&held.shard, held.worker), (&lease.shard, lease.worker));
    assert_eq!(
        (held.epoch, held.expires_at),
        (lease.epoch, lease.expires_at)
    );
    assert!(held.leased_at < held.expires_at);
    let runs = async || world.store.open_runs().await.expect("read");
    assert_eq!(runs().await, [(RunState::Queued, 1)]);
    world.end(run.id, RunState::Queued).await;
    assert_eq!(runs().await, []);
}

fn nightly(world: &World) -> Plan {
    Plan {
        schedule: Schedule::new("30 3 * * *", "Europe/Berlin").ok(),
        name: "nightly".into(),
        ..world.plan.clone()
    }
}

pub async fn a_due_plan_is_moved_on_once(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let now = world.store.time().await.expect("a time");
    let plan = nightly(&world);
    let (past, next) = (instant(0).min(now), now + TimeDelta::days(1));
    let due = async || world.store.due_plans(5).await.expect("read");
    assert_eq!(due().await, []);
    world
        .store
        .update_plan(&world.plan, &plan, Some(past))
        .await
        .expect("changed");
    assert_eq!(due().await, [(plan.clone(), past)]);
    let movers = (0..4).map(|_| world.store.move_due(&plan, past, Some(next)));
    let moved = join_all(movers).await.into_iter();
    assert_eq!(moved.filter(|it| matches!(it, Ok(true))).count(), 1);
    assert_eq!(due().await, []);
    let read = world.store.plan(world.tenant, plan.id).await.expect("read");
    assert_eq!(read, Some(plan));
}

pub async fn tenants_and_plans_are_listed_and_changed(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let other = world.neighbour("next door").await;
    let all = world.store.tenants(None, 10).await.expect("read");
    let ids: Vec<_> = all.iter().map(|tenant| tenant.id).collect();
    assert_eq!(ids, [world.tenant, other.tenant]);
    let rest = world.store.tenants(Some(world.tenant), 10).await;
    assert_eq!(rest.expect("read"), all[1..]);
    let changed = Tenant {
        name: "changed".into(),
        weight: 9,
        max_shards: Some(2),
        ..all[0].clone()
    };
    world
        .store
        .update_tenant(&all[0], &changed)
        .await
        .expect("changed");
    let read = world.store.tenant(world.tenant).await.expect("read");
    assert_eq!(read, Some(changed));
    let plans = world.store.plans(world.tenant).await.expect("read");
    assert_eq!(plans, std::slice::from_ref(&world.plan));
}

pub async fn runs_of_a_tenant_are_paged_newest_first(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let mut made = Vec::new();
    for _ in 0..3 {
        let (run, _) = world.start().await;
        world.end(run.id, RunState::Queued).await;
        made.push(run.id);
    }
    made.sort();
    made.reverse();
    let page = async |before, limit| {
        let runs = world
            .store
            .runs_of_tenant(world.tenant, &RunFilter::default(), before, limit)
            .await;
        let runs = runs.expect("read").into_iter();
        runs.map(|run| run.id).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 2).await, made[..2]);
    assert_eq!(page(Some(made[1]), 2).await, made[2..]);
    let other = world.neighbour("next door").await;
    let theirs = world
        .store
        .runs_of_tenant(other.tenant, &RunFilter::default(), None, 5)
        .await;
    assert_eq!(theirs.expect("read"), []);
}

pub async fn runs_are_picked_by_plan_and_state(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (over, _) = world.start().await;
    world.end(over.id, RunState::Queued).await;
    let (open, _) = world.start().await;
    let pick = async |plan, states: &[RunState]| {
        let which = RunFilter {
            plan,
            states: states.to_vec(),
        };
        let runs = world
            .store
            .runs_of_tenant(world.tenant, &which, None, 9)
            .await;
        let runs = runs.expect("read").into_iter();
        runs.map(|run| run.id).collect::<Vec<_>>()
    };
    let plan = Some(world.plan.id);
    assert_eq!(pick(None, &[RunState::Queued]).await, [open.id]);
    assert_eq!(pick(plan, &[RunState::Cancelled]).await, [over.id]);
    assert_eq!(pick(plan, &[]).await.len(), 2);
    let both = [RunState::Cancelled, RunState::Queued];
    assert_eq!(pick(plan, &both).await.len(), 2);
    assert_eq!(pick(Some(new_id(PlanId::new)), &[]).await, []);
}

pub async fn a_change_of_what_was_changed_meanwhile_is_refused(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (store, tenant) = (&world.store, world.tenant);
    let before = store.tenant(tenant).await.expect("read").expect("there");
    let heavier = Tenant {
        weight: 8,
        ..before.clone()
    };
    store
        .update_tenant(&before, &heavier)
        .await
        .expect("changed");
    let stale = store.update_tenant(&before, &before).await;
    assert!(matches!(stale, Err(StoreError::Conflict(_))), "{stale:?}");
    let nobody = Tenant {
        id: new_id(TenantId::new),
        ..before
    };
    let missing = store.update_tenant(&nobody, &nobody).await;
    assert!(
        matches!(missing, Err(StoreError::NotFound(_))),
        "{missing:?}"
    );
    let nightly = nightly(&world);
    let changed = store.update_plan(&world.plan, &nightly, None).await;
    changed.expect("changed");
    let stale = store.update_plan(&world.plan, &world.plan, None).await;
    assert!(matches!(stale, Err(StoreError::Conflict(_))), "{stale:?}");
    let back = store.update_plan(&nightly, &world.plan, None).await;
    back.expect("changed back");
}
