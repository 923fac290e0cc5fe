//! Sessions that only read keep for whom they read. Here all reads share one.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tintype_model::{StorageId, TenantId};
use tintype_ports::store::{Scheduling as _, Setup as _};
use tintype_store::{PostgresSettings, PostgresStore};
use tintype_testkit::postgres::TestDatabase;
use uuid::Uuid;

use crate::samples::samples;

/// The tenants of the sample rows, each with a storage.
const TENANTS: [(&str, &str); 2] = [
    (
        "0190f5a0-0000-7000-8000-000100000001",
        "0190f5a0-0000-7000-8000-000100000002",
    ),
    (
        "0190f5a0-0000-7000-8000-000200000001",
        "0190f5a0-0000-7000-8000-000200000002",
    ),
];

fn id(text: &str) -> Uuid {
    text.parse().expect("an id")
}

fn tenant(number: usize) -> TenantId {
    TenantId::from_uuid(id(TENANTS[number].0))
}

fn storage(number: usize) -> StorageId {
    StorageId::from_uuid(id(TENANTS[number].1))
}

struct Filled {
    store: PostgresStore,
    owner: PgConnection,
    database: TestDatabase,
}

/// A store with one reader, and the first sample rows.
async fn filled() -> Filled {
    let database = TestDatabase::create().await;
    PostgresStore::migrate(&database.url())
        .await
        .expect("migrated");
    let owner = PgConnection::connect(&database.url()).await;
    let mut owner = owner.expect("connected");
    for version in 1..=2 {
        let rows = sqlx::raw_sql(AssertSqlSafe(samples("postgres", version)));
        rows.execute(&mut owner).await.expect("sample rows");
    }
    let settings = PostgresSettings {
        connections: 4,
        ..PostgresSettings::default()
    };
    let store = PostgresStore::connect(&database.url(), settings).await;
    Filled {
        store: store.expect("a store"),
        owner,
        database,
    }
}

impl Filled {
    /// Whether tenants see their own storage and nobody else's, and the scheduler sees all tenants.
    async fn keeps_them_apart(&self) {
        let looks = (0..60).map(|look| {
            let (store, me, other) = (self.store.clone(), look % 2, 1 - look % 2);
            tokio::spawn(async move {
                let own = store.storage(tenant(me), storage(me)).await;
                assert!(own.expect("a read").is_some());
                let foreign = store.storage(tenant(me), storage(other)).await;
                assert!(foreign.expect("a read").is_none());
                if look % 5 == 0 {
                    store.load().await.expect("a read of all");
                }
            })
        });
        let looks: Vec<_> = looks.collect();
        for look in looks {
            look.await.expect("kept apart");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_that_read_through_one_session_in_turn_see_their_own() {
    let filled = filled().await;
    filled.keeps_them_apart().await;
    filled.database.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_stops_waiting_in_the_middle_leaves_nothing_to_the_next() {
    let filled = filled().await;
    for micros in (0..3_000).step_by(20) {
        let (me, limit) = (micros % 40 / 20, Duration::from_micros(micros as u64));
        let look = filled.store.storage(tenant(me), storage(me));
        // It ends in time or does not: both is fine.
        drop(tokio::time::timeout(limit, look).await);
        let other = 1 - me;
        let own = filled.store.storage(tenant(other), storage(other)).await;
        assert!(own.expect("a read").is_some(), "after {micros} µs");
    }
    filled.keeps_them_apart().await;
    filled.database.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_the_server_ended_is_made_anew() {
    let mut filled = filled().await;
    for is_long_ago in [false, true] {
        filled.keeps_them_apart().await;
        let ended: i64 = sqlx::query_scalar(
            "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'tintype'",
        )
        .fetch_one(&mut filled.owner)
        .await
        .expect("ended");
        assert!(ended > 0);
        if is_long_ago {
            // Then it is asked first whether it lives.
            tokio::time::sleep(Duration::from_millis(1_500)).await;
        } else {
            // The first one notices, and nobody meets that session again.
            drop(filled.store.storage(tenant(0), storage(0)).await);
        }
    }
    filled.keeps_them_apart().await;
    filled.database.close().await;
}

#[tokio::test]
async fn a_closed_store_reads_no_more() {
    let filled = filled().await;
    filled.keeps_them_apart().await;
    filled.store.close().await;
    let read = filled.store.storage(tenant(0), storage(0)).await;
    assert!(read.is_err());
    filled.database.close().await;
}
