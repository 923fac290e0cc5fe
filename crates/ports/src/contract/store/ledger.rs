//! The quota ledger.

use std::sync::Arc;

use chrono::NaiveDate;
use futures::future::join_all;
use tintype_model::quota::{CloudProject, QuotaDay, QuotaKind};

use super::world::{StoreUnderTest, World};
use crate::Store;

const KIND: QuotaKind = QuotaKind::Download;

fn project() -> CloudProject {
    "1234".parse().expect("a project")
}

fn day() -> QuotaDay {
    QuotaDay::from_date(NaiveDate::from_ymd_opt(2026, 6, 10).expect("a date"))
}

async fn lease(store: &Arc<dyn Store>, want: u64, limit: u64) -> u64 {
    store
        .lease_units(&project(), KIND, day(), want, limit)
        .await
        .expect("an answer")
}

async fn leased(store: &Arc<dyn Store>) -> u64 {
    store
        .leased_units(&project(), KIND, day())
        .await
        .expect("read")
}

pub async fn units_are_leased_up_to_the_limit(under_test: StoreUnderTest) {
    let World { store, .. } = &World::new(under_test).await;
    assert_eq!(leased(store).await, 0);
    assert_eq!(
        (lease(store, 60, 100).await, lease(store, 60, 100).await),
        (60, 40)
    );
    assert_eq!((lease(store, 60, 100).await, leased(store).await), (0, 100));
    assert_eq!(lease(store, 60, 50).await, 0, "a limit that shrank");
    assert_eq!(lease(store, 60, 110).await, 10, "a limit that grew");
}

pub async fn many_tasks_never_lease_more_than_the_limit(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let tasks = (0..50).map(|_| {
        let store = Arc::clone(&world.store);
        tokio::spawn(async move { lease(&store, 30, 1_000).await + lease(&store, 7, 1_000).await })
    });
    let granted: u64 = join_all(tasks)
        .await
        .into_iter()
        .map(|granted| granted.expect("no panic"))
        .sum();
    assert_eq!((granted, leased(&world.store).await), (1_000, 1_000));
}

pub async fn units_that_are_returned_can_be_leased_again(under_test: StoreUnderTest) {
    let World { store, .. } = &World::new(under_test).await;
    lease(store, 100, 100).await;
    store
        .return_units(&project(), KIND, day(), 30)
        .await
        .expect("returned");
    assert_eq!((leased(store).await, lease(store, 50, 100).await), (70, 30));
    store
        .return_units(&project(), KIND, day(), 1_000)
        .await
        .expect("never below none");
    assert_eq!(leased(store).await, 0);
    let other_day = QuotaDay::from_date(NaiveDate::from_ymd_opt(2026, 6, 11).expect("a date"));
    store
        .return_units(&project(), KIND, other_day, 5)
        .await
        .expect("nothing was leased");
    assert_eq!(
        store
            .leased_units(&project(), KIND, other_day)
            .await
            .expect("read"),
        0
    );
}

pub async fn an_exhausted_day_stays_exhausted(under_test: StoreUnderTest) {
    let World { store, .. } = &World::new(under_test).await;
    lease(store, 40, 100).await;
    store
        .exhaust_day(&project(), KIND, day(), 100)
        .await
        .expect("exhausted");
    assert_eq!((leased(store).await, lease(store, 1, 100).await), (100, 0));
    // A counter that gives its unspent units back must not let others ask Google again.
    store
        .return_units(&project(), KIND, day(), 40)
        .await
        .expect("accepted");
    assert_eq!(lease(store, 1, 100).await, 0);
}

pub async fn days_kinds_and_projects_are_apart(under_test: StoreUnderTest) {
    let World { store, .. } = &World::new(under_test).await;
    store
        .exhaust_day(&project(), KIND, day(), 100)
        .await
        .expect("exhausted");
    let other_day = QuotaDay::from_date(NaiveDate::from_ymd_opt(2026, 6, 11).expect("a date"));
    let other: CloudProject = "99".parse().expect("a project");
    let lease = async |project: &CloudProject, kind, day| {
        store
            .lease_units(project, kind, day, 5, 100)
            .await
            .expect("an answer")
    };
    assert_eq!(lease(&other, KIND, day()).await, 5);
    assert_eq!(lease(&project(), QuotaKind::Request, day()).await, 5);
    assert_eq!(lease(&project(), KIND, other_day).await, 5);
}
