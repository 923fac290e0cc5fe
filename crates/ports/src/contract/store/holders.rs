//! Shards that are asked back from whoever holds them.

use std::time::Duration;

use tintype_model::{progress::Progress, shard::Lease};

use super::world::{LONG, StoreUnderTest, World, stored};
use crate::store::{Holder, Release};

async fn is_recalled(world: &World, lease: &Lease) -> bool {
    let renewed = world.store.renew(lease, LONG).await;
    renewed.expect("renewed").recalled
}

pub async fn what_was_leased_last_is_asked_back_first(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    let mut leases = Vec::new();
    for number in 0..3 {
        let shard = world.list(&listing, 10 * number..10 * number + 5).await;
        leases.push(world.lease(&shard).await);
        world.pass(Duration::from_millis(2)).await;
    }
    let holder = async || {
        let holders = world.store.holders().await.expect("read");
        let found = holders.into_iter().find(|it| it.tenant == world.tenant);
        found.expect("the tenant holds some")
    };
    let held = Holder {
        tenant: world.tenant,
        weight: 3,
        transfers: 3,
        recalled: 0,
    };
    assert_eq!(holder().await, held);
    let asked = world.store.recall(world.tenant, 2).await.expect("asked");
    assert_eq!(asked, [5, 5]);
    assert_eq!(
        holder().await,
        Holder {
            transfers: 1,
            recalled: 2,
            ..held
        }
    );
    assert!(!is_recalled(&world, &leases[0]).await);
    assert!(is_recalled(&world, &leases[1]).await && is_recalled(&world, &leases[2]).await);
    // A listing is nobody's to take back.
    assert!(!is_recalled(&world, &listing).await);
    let asked = world.store.recall(world.tenant, 5).await.expect("asked");
    assert_eq!(asked, [5], "each is asked for once");
}

pub async fn a_shard_that_was_asked_back_waits_with_what_is_left(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, listing) = world.listing().await;
    let shard = world.list(&listing, 0..5).await;
    let lease = world.lease(&shard).await;
    let spent = Progress {
        stored: 2,
        ..Progress::default()
    };
    let outcomes = [stored(0), stored(1)];
    let recorded = world.store.record(&lease, &outcomes, &spent).await;
    recorded.expect("recorded");
    let asked = world.store.recall(world.tenant, 1).await.expect("asked");
    assert_eq!(asked, [3]);
    let (later, nothing) = (Release::Later(Duration::ZERO), Progress::default());
    let released = world.store.release(&lease, later, &nothing);
    released.await.expect("given back");
    let ready = world.store.ready(world.tenant, 5).await.expect("read");
    let left: Vec<_> = ready.iter().map(|it| (it.id, it.run, it.items)).collect();
    assert_eq!(left, [(shard.id, run.id, 3)]);
    // It was no attempt at its items that came to nothing.
    let again = world.lease(&shard).await;
    assert_eq!(again.attempt, lease.attempt);
    assert!(!is_recalled(&world, &again).await);
}
