//! The catalogue in a SQLite file.

use std::sync::Arc;

use chrono::DateTime;
use tintype_ports::{
    contract::{
        self,
        store::{StoreUnderTest, World},
    },
    fake::ManualClock,
    store::Plans as _,
    store_contract,
};
use tintype_store::SqliteStore;

async fn on_disk() -> StoreUnderTest {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
    let path = folder.path().join("catalogue.db");
    let store = SqliteStore::open(&path, Arc::clone(&clock) as _)
        .await
        .expect("a store");
    StoreUnderTest {
        store: Arc::new(store),
        clock: Some(clock),
        keep: Box::new(folder),
    }
}

store_contract!(on_disk);

/// The same in memory: one connection for everything, so that a call that needs two would hang.
#[tokio::test]
async fn a_catalogue_in_memory_works_alike() {
    let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
    let store = SqliteStore::in_memory(Arc::clone(&clock) as _)
        .await
        .expect("a store");
    let under_test = StoreUnderTest {
        store: Arc::new(store),
        clock: Some(clock),
        keep: Box::new(()),
    };
    contract::store::outcomes::what_is_recorded_is_read_back(under_test).await;
}

#[tokio::test]
async fn what_was_committed_is_there_after_reopening() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("catalogue.db");
    let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
    let store = SqliteStore::open(&path, Arc::clone(&clock) as _)
        .await
        .expect("a store");
    let under_test = StoreUnderTest {
        store: Arc::new(store.clone()),
        clock: None,
        keep: Box::new(()),
    };
    let world = World::new(under_test).await;
    store.close().await;
    let reopened = SqliteStore::open(&path, clock).await.expect("a store");
    let plan = reopened
        .plan(world.tenant, world.plan.id)
        .await
        .expect("read");
    assert_eq!(plan, Some(world.plan));
}
