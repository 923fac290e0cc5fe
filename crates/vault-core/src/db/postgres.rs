//! A server that many replicas share. Transactions run as the role `tintype_vault`, which owns nothing.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{
    Connection as _, Executor as _, PgConnection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tintype_ports::Clock;

use super::{Database, Growth, LogRow, Server, Sql, Tx, time::ServerTime};
use crate::error::OpenError;

mod dialect;
#[path = "sql/mod.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "the statements stand once and are compiled for each engine"
)]
mod sql;

type Db = sqlx::Postgres;
type Conn = PgConnection;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/vault/postgres");

/// How long migrations may take, the wait for another process that runs them included.
const MIGRATION: Duration = Duration::from_secs(600);

/// Commits of the access log under way together: one writes its rows while the other waits for the disk, which takes one after the
/// other.
const COMMITS_AT_ONCE: u32 = 2;

/// How long an idle connection is taken to be alive.
const TRUSTED: Duration = Duration::from_secs(1);

/// What every session begins with: its role, and that a statement sees what was committed before it, whatever the server's default.
const SESSION: &str =
    "SET ROLE tintype_vault; SET default_transaction_isolation = 'read committed'";

/// One state of the database: the data key may be replaced at any moment.
const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const WRITE: &str = "BEGIN";

/// Whose time leases, pauses and the ends of tokens go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Times {
    /// The server's, so that no replica's clock matters.
    #[default]
    Database,
    /// The clock that the vault was given: for tests that move it.
    Clock,
}

/// Sizes and deadlines of a vault on PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VaultPostgresSettings {
    /// Connections of this process.
    pub connections: u32,
    /// The longest a statement may run.
    pub statement_timeout: Duration,
    /// The longest a statement may wait for a lock.
    pub lock_timeout: Duration,
    /// The longest a transaction may take, the wait for a connection and a silent network included.
    pub call_timeout: Duration,
    /// How long the others wait for a replica that refreshes a token and is not heard of again. Google gets two thirds of it.
    pub refresh_lease: Duration,
    /// Whose time counts.
    pub times: Times,
}

impl Default for VaultPostgresSettings {
    fn default() -> Self {
        Self {
            connections: 16,
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(20),
            refresh_lease: crate::refresh::LEASE,
            times: Times::Database,
        }
    }
}

/// Brings the tables up to date, as their owner. Processes that do it at once wait for each other.
pub(crate) async fn migrate(url: &str) -> Result<(), OpenError> {
    let options: PgConnectOptions = url.parse()?;
    let work = async {
        let mut owner = PgConnection::connect_with(&options).await?;
        MIGRATIONS.run(&mut owner).await?;
        owner.close().await?;
        Ok(())
    };
    let done = tokio::time::timeout(MIGRATION, work).await;
    done.unwrap_or(Err(OpenError::Slow(MIGRATION)))
}

/// The connections, and the time that their server tells.
pub(crate) struct Postgres {
    pool: PgPool,
    /// Only for commits of the access log. Their few sessions are always warm: a pool hands out whichever rested longest.
    log: PgPool,
    call_timeout: Duration,
    time: ServerTime,
    /// Used instead of the server's time.
    clock: Option<Arc<dyn Clock>>,
}

impl Postgres {
    /// Connects; the tables must be there, see [`migrate`].
    pub(crate) async fn connect(
        url: &str,
        settings: VaultPostgresSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let millis = |time: Duration| time.as_millis().to_string();
        let options: PgConnectOptions = url.parse()?;
        let options = options.application_name("tintype-vault").options([
            ("statement_timeout", millis(settings.statement_timeout)),
            ("lock_timeout", millis(settings.lock_timeout)),
            // A replica that dies between two statements must not keep its locks.
            (
                "idle_in_transaction_session_timeout",
                millis(settings.call_timeout),
            ),
            // Everything is found by its key. A plan is made once for a session, not for each list of values, and one that was
            // made while the tables were small must not read them whole when they are large.
            ("plan_cache_mode", "force_generic_plan".to_owned()),
            ("enable_seqscan", "off".to_owned()),
            ("enable_hashjoin", "off".to_owned()),
            ("enable_mergejoin", "off".to_owned()),
        ]);
        let loggers = (settings.connections / 2).clamp(1, COMMITS_AT_ONCE);
        let others = settings.connections.saturating_sub(loggers).max(1);
        let pool = |connections: u32| {
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(settings.call_timeout)
                .after_connect(|connection, _| {
                    Box::pin(async move {
                        connection.execute(SESSION).await?;
                        Ok(())
                    })
                })
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
        };
        let log = pool(loggers).connect_lazy_with(options.clone());
        let pool = pool(others).connect_with(options).await?;
        Ok(Self {
            pool,
            log,
            call_timeout: settings.call_timeout,
            time: ServerTime::default(),
            clock: (settings.times == Times::Clock).then_some(clock),
        })
    }
}

#[async_trait]
impl Database for Postgres {
    async fn read(&self) -> Sql<Tx> {
        Ok(Box::new(sql::Begun(self.pool.begin_with(READ).await?)))
    }

    async fn write(&self) -> Sql<Tx> {
        Ok(Box::new(sql::Begun(self.pool.begin_with(WRITE).await?)))
    }

    async fn now(&self) -> Sql<DateTime<Utc>> {
        if let Some(now) = self.clock.as_ref().map(|clock| clock.now()) {
            return Ok(now);
        }
        if let Some(now) = self.time.known() {
            return Ok(now);
        }
        let now = sqlx::query_scalar("SELECT clock_timestamp()")
            .fetch_one(&self.pool)
            .await?;
        self.time.learn(now);
        Ok(now)
    }

    /// The server's own clean-up reuses the pages; what is deleted opens only with a key that is gone.
    async fn scrub(&self) -> Sql<()> {
        Ok(())
    }

    async fn close(&self) {
        self.log.close().await;
        self.pool.close().await;
    }

    fn call_timeout(&self) -> Duration {
        self.call_timeout
    }

    fn server(&self) -> Option<&dyn Server> {
        Some(self)
    }
}

#[async_trait]
impl Server for Postgres {
    fn commits_at_once(&self) -> u32 {
        COMMITS_AT_ONCE
    }

    async fn append_to(&self, growths: &[Growth]) -> Sql<Vec<LogRow>> {
        let mut connection = self.log.acquire().await?;
        dialect::append_to(&mut connection, growths).await
    }
}
