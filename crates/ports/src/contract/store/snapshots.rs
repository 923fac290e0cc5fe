//! Snapshots.

use tintype_model::{BlobHash, run::RunState, snapshot::Snapshot};

use super::world::{SHORT, StoreUnderTest, World};
use crate::store::StoreError;

pub async fn the_newest_snapshot_is_found(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    assert_eq!(
        world
            .store
            .latest_snapshot(world.tenant, world.plan.id)
            .await
            .expect("read"),
        None
    );
    let (run, lease) = world.listing().await;
    let newest = world.snapshot(run.id, 9);
    for snapshot in [&newest, &world.snapshot(run.id, 5)] {
        world
            .store
            .add_snapshot(&lease, snapshot)
            .await
            .expect("added");
    }
    assert_eq!(
        world
            .store
            .latest_snapshot(world.tenant, world.plan.id)
            .await
            .expect("read"),
        Some(newest)
    );
}

pub async fn a_snapshot_recorded_twice_is_one(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, lease) = world.listing().await;
    let snapshot = world.snapshot(run.id, 1);
    for _ in 0..2 {
        world
            .store
            .add_snapshot(&lease, &snapshot)
            .await
            .expect("added");
    }
    let recorded = world
        .store
        .run(world.tenant, run.id)
        .await
        .expect("read")
        .expect("there");
    assert_eq!(recorded.snapshot, Some(snapshot.id));
    let other = Snapshot {
        manifest_hash: BlobHash::of(b"other"),
        ..snapshot
    };
    let refused = world.store.add_snapshot(&lease, &other).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
}

pub async fn an_older_snapshot_can_be_kept(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (first, lease) = world.listing().await;
    let snapshot = world.snapshot(first.id, 1);
    world
        .store
        .add_snapshot(&lease, &snapshot)
        .await
        .expect("added");
    world.end(first.id, RunState::Queued).await;
    let (second, lease) = world.listing().await;
    let unknown = world.snapshot(second.id, 2).id;
    let refused = world.store.keep_snapshot(&lease, unknown).await;
    assert!(
        matches!(refused, Err(StoreError::NotFound(_))),
        "{refused:?}"
    );
    world
        .store
        .keep_snapshot(&lease, snapshot.id)
        .await
        .expect("kept");
    let run = world
        .store
        .run(world.tenant, second.id)
        .await
        .expect("read")
        .expect("there");
    assert_eq!(run.snapshot, Some(snapshot.id));
}

pub async fn a_stale_lease_records_no_snapshot(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, first) = world.start().await;
    let stale = world.lease_for(&first, SHORT).await;
    world.pass(2 * SHORT).await;
    let lease = world.lease(&first).await;
    let snapshot = world.snapshot(run.id, 1);
    world
        .store
        .add_snapshot(&lease, &snapshot)
        .await
        .expect("added");
    let lost = world.store.keep_snapshot(&stale, snapshot.id).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost)), "{lost:?}");
    let lost = world
        .store
        .add_snapshot(&stale, &world.snapshot(run.id, 2))
        .await;
    assert!(matches!(lost, Err(StoreError::LeaseLost)), "{lost:?}");
    assert_eq!(
        world
            .store
            .latest_snapshot(world.tenant, world.plan.id)
            .await
            .expect("read"),
        Some(snapshot)
    );
}
