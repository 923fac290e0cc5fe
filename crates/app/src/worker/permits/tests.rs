//! Turns, and whose they are.

use tintype_model::run::RunState;

use super::*;

fn claim(tenant: u8, backlog: u64) -> Claim {
    Claim {
        tenant: TenantId::from_uuid(uuid_of(tenant)),
        weight: 1,
        backlog,
        shard: 0,
    }
}

fn uuid_of(byte: u8) -> uuid::Uuid {
    uuid::Uuid::from_bytes([byte; 16])
}

fn permits(limit: u32) -> Permits {
    Permits::new(&Settings {
        initial_downloads: limit,
        max_downloads: limit,
        fair_burst: 10,
        ..Settings::default()
    })
}

fn road() -> Road {
    Road {
        project: "123".parse().expect("a project"),
        traffic: Traffic::Download,
    }
}

#[tokio::test]
async fn a_turn_whose_owner_went_away_is_given_to_the_next() {
    let (permits, road) = (permits(1), road());
    let held = permits.acquire(&road, claim(1, 5)).await;
    let impatient = permits.acquire(&road, claim(2, 5));
    assert!(
        tokio::time::timeout(std::time::Duration::from_millis(5), impatient)
            .await
            .is_err()
    );
    drop(held);
    let patient = permits.acquire(&road, claim(3, 5));
    assert!(
        tokio::time::timeout(std::time::Duration::from_secs(5), patient)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn the_shard_that_began_first_goes_first() {
    let (permits, road) = (Arc::new(permits(1)), road());
    let held = permits.acquire(&road, claim(3, 5)).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = tokio::task::JoinSet::new();
    let (first, second) = (permits.begin_shard(), permits.begin_shard());
    for shard in [second, first, second, first] {
        let (permits, road) = (Arc::clone(&permits), road.clone());
        let order = Arc::clone(&order);
        tasks.spawn(async move {
            let claim = Claim {
                shard,
                ..claim(1, 5)
            };
            let _permit = permits.acquire(&road, claim).await;
            order.lock().expect("the order").push(shard);
        });
    }
    tokio::task::yield_now().await;
    drop(held);
    while tasks.join_next().await.is_some() {}
    let order = order.lock().expect("the order");
    assert_eq!(*order, [first, first, second, second]);
}

/// Half of one tenant's shards are elsewhere: here it counts for half.
#[tokio::test]
async fn a_tenant_at_work_in_two_places_gets_one_share() {
    let (permits, road) = (Arc::new(permits(1)), road());
    let spread = Renewed {
        state: RunState::Running,
        transfers: 8,
        transfers_here: 4,
        recalled: false,
    };
    permits.spread(claim(1, 5).tenant, &spread);
    let held = permits.acquire(&road, claim(3, 5)).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..200 {
        for tenant in [1, 2] {
            let (permits, road) = (Arc::clone(&permits), road.clone());
            let order = Arc::clone(&order);
            tasks.spawn(async move {
                let _permit = permits.acquire(&road, claim(tenant, 5)).await;
                order.lock().expect("the order").push(tenant);
            });
        }
    }
    tokio::task::yield_now().await;
    drop(held);
    while tasks.join_next().await.is_some() {}
    let order = order.lock().expect("the order");
    let of_spread = order[..150].iter().filter(|it| **it == 1).count();
    assert!((40..=60).contains(&of_spread), "{of_spread} of 150");
}

#[tokio::test]
async fn neither_projects_nor_directions_wait_for_each_other() {
    let permits = permits(3);
    let elsewhere = Road {
        project: "456".parse().expect("a project"),
        ..road()
    };
    let back = Road {
        traffic: Traffic::Upload,
        ..road()
    };
    let soon = std::time::Duration::from_secs(5);
    let mut held = Vec::new();
    for road in [road(), elsewhere, back] {
        let turn = permits.acquire(&road, claim(1, 5));
        held.push(tokio::time::timeout(soon, turn).await.expect("at once"));
    }
}
