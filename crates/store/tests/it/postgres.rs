//! The catalogue on PostgreSQL, each test in a database of its own.

use std::sync::Arc;

use tintype_ports::{contract::store::StoreUnderTest, store_contract};
use tintype_store::{PostgresSettings, PostgresStore};
use tintype_testkit::postgres::TestDatabase;

/// Tests run side by side on one server.
pub(crate) const FEW: u32 = 4;

async fn on_server() -> StoreUnderTest {
    let database = TestDatabase::create().await;
    PostgresStore::migrate(&database.url())
        .await
        .expect("migrated");
    let settings = PostgresSettings {
        connections: FEW,
        ..PostgresSettings::default()
    };
    let store = PostgresStore::connect(&database.url(), settings)
        .await
        .expect("a store");
    StoreUnderTest {
        store: Arc::new(store),
        clock: None,
        keep: Box::new(database),
    }
}

store_contract!(on_server);
