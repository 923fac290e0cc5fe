//! The catalogue on PostgreSQL, under row-level security.

use std::{future::Future, sync::Arc, time::Duration};

use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, Pool, Postgres,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tintype_model::TenantId;
use tintype_ports::{StoreError, store::StoreResult};

use crate::{deadline, failure::Outcome};

mod dialect;
mod readers;
#[path = "sql/mod.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "the statements stand once and are compiled for each engine"
)]
mod sql;

type Db = Postgres;
type Conn = PgConnection;
use PostgresStore as Store;
use readers::{Readers, Reading, Whom};
use sql::Tx;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// How long migrations may take, the wait for another process that runs them included.
const MIGRATION: Duration = Duration::from_secs(600);

const LIGHTLY: &str = "; SET LOCAL synchronous_commit = off";

/// How long an idle connection is taken to be alive.
const TRUSTED: Duration = Duration::from_secs(1);

/// Deadlines and sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostgresSettings {
    /// Connections of this process, two at least; a quarter of them read.
    pub connections: u32,
    /// The longest a statement may run.
    pub statement_timeout: Duration,
    /// The longest a statement may wait for a lock.
    pub lock_timeout: Duration,
    /// The longest a call may take, the wait for a connection and a silent network included.
    pub call_timeout: Duration,
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self {
            connections: 16,
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(10),
            call_timeout: Duration::from_secs(45),
        }
    }
}

/// The catalogue on PostgreSQL 15 or later. Lease times are the server's.
///
/// The login must be a member of the roles `tintype_app` and `tintype_dispatch`, and should own nothing: calls of a tenant
/// run as the first, which sees that tenant's rows only; calls across tenants run as the second.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    pool: Pool<Postgres>,
    readers: Arc<Readers>,
    call_timeout: Duration,
}

impl PostgresStore {
    /// Brings the tables up to date, as their owner. Processes that do it at once wait for each other.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the server cannot be reached, refuses, or a newer version of the program was here.
    pub async fn migrate(url: &str) -> StoreResult<()> {
        let options: PgConnectOptions = url.parse().map_err(failed)?;
        deadline::within(MIGRATION, async {
            let mut owner = PgConnection::connect_with(&options).await?;
            MIGRATIONS.run(&mut owner).await.map_err(failed)?;
            owner.close().await?;
            Ok(())
        })
        .await
    }

    /// Connects; the tables must be there, see [`PostgresStore::migrate`].
    ///
    /// # Errors
    /// [`StoreError::Database`] when the URL is wrong or the server cannot be reached.
    pub async fn connect(url: &str, settings: PostgresSettings) -> StoreResult<Self> {
        let millis = |time: Duration| time.as_millis().to_string();
        let options: PgConnectOptions = url.parse().map_err(failed)?;
        let options = options.application_name("tintype").options([
            ("statement_timeout", millis(settings.statement_timeout)),
            ("lock_timeout", millis(settings.lock_timeout)),
            // A process that dies between two statements must not keep its locks.
            (
                "idle_in_transaction_session_timeout",
                millis(settings.call_timeout),
            ),
            // Every table is read by its keys. A plan made while a table was small is kept, and would go on to read all of it.
            ("enable_seqscan", "off".to_owned()),
        ]);
        let readers = (settings.connections / 4).max(1);
        let pool = PgPoolOptions::new()
            .max_connections(settings.connections.saturating_sub(readers).max(1))
            .acquire_timeout(settings.call_timeout)
            // A connection that was used a moment ago is not asked first whether it still lives.
            .test_before_acquire(false)
            .before_acquire(|connection, about| {
                Box::pin(async move {
                    if about.idle_for > TRUSTED {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(options.clone())
            .await
            .map_err(failed)?;
        Ok(Self {
            pool,
            readers: Readers::new(options, readers),
            call_timeout: settings.call_timeout,
        })
    }

    /// Waits until every connection is closed.
    pub async fn close(&self) {
        self.readers.close().await;
        self.pool.close().await;
    }

    async fn within<T>(&self, work: impl Future<Output = Outcome<T>>) -> StoreResult<T> {
        deadline::within(self.call_timeout, work).await
    }

    /// For a statement that reads by itself.
    async fn look(&self, tenant: TenantId) -> Outcome<Reading> {
        self.readers.take(Whom::Tenant(tenant)).await
    }

    async fn look_all(&self) -> Outcome<Reading> {
        self.readers.take(Whom::Dispatch).await
    }

    async fn read(&self, tenant: TenantId) -> Outcome<Tx> {
        self.write(tenant).await
    }

    async fn write(&self, tenant: TenantId) -> Outcome<Tx> {
        self.begin(Whom::Tenant(tenant), "").await
    }

    async fn read_all(&self) -> Outcome<Tx> {
        self.write_all().await
    }

    async fn write_all(&self) -> Outcome<Tx> {
        self.begin(Whom::Dispatch, "").await
    }

    /// For what does no harm if a crash of the server takes it back: a hint, a sign of life, or work that is then done again. Its
    /// commit does not wait for the disk; the next one that does keeps it as well.
    async fn write_lightly(&self, tenant: TenantId) -> Outcome<Tx> {
        self.begin(Whom::Tenant(tenant), LIGHTLY).await
    }

    async fn write_all_lightly(&self) -> Outcome<Tx> {
        self.begin(Whom::Dispatch, LIGHTLY).await
    }

    /// Role and tenant last until the transaction ends. They go with BEGIN, in one message.
    async fn begin(&self, whom: Whom, how: &str) -> Outcome<Tx> {
        let begin = format!("BEGIN; {}{how}", whom.statements("SET LOCAL"));
        let begun = self.pool.begin_with(AssertSqlSafe(begin)).await?;
        Ok(Tx::new(begun, None))
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Database(Box::new(error))
}
