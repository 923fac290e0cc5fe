//! The catalogue in one SQLite file: one writer, several readers, write-ahead log.

use std::{future::Future, path::Path, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use sqlx::{
    Pool, Sqlite, SqliteConnection,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tintype_model::TenantId;
use tintype_ports::{Clock, StoreError, store::StoreResult};

use crate::{deadline, failure::Outcome};

mod dialect;
#[path = "sql/mod.rs"]
mod sql;

type Db = Sqlite;
type Conn = SqliteConnection;
use SqliteStore as Store;
use sql::Tx;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// Readers beside the one writer. Reads of one process are short, and the machine's disk serves no more at once.
const READERS: u32 = 2;
/// How long a statement waits for another process that writes the same file.
const BUSY: Duration = Duration::from_secs(10);
/// Rows of an answer that may be ahead of their reader.
const ROWS_AHEAD: usize = 1_024;
/// Folding the log into the file writes and syncs the file. Pages that change in many transactions are folded once if the log
/// may grow, here to 32 MiB.
const WAL_PAGES: &str = "8000";
/// The longest a call may take, the wait for the writer included.
const CALL: Duration = Duration::from_secs(60);

/// The catalogue in one SQLite file, for a single process. Its own clock is the one that leases go by.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: Pool<Sqlite>,
    readers: Pool<Sqlite>,
    clock: Arc<dyn Clock>,
}

impl SqliteStore {
    /// Opens or creates the file and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file cannot be opened, or a newer version of the program made it.
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> StoreResult<Self> {
        let file = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL syncs the log at every commit. NORMAL could lose the last commits with the power: for items that
            // costs a second download, but for the quota ledger it would mean units that are spent twice.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            // A row that waits for room costs a change of threads.
            .row_buffer_size(ROWS_AHEAD)
            .pragma("wal_autocheckpoint", WAL_PAGES)
            // In KiB. Small on purpose: the system caches the file as well, and a worker's memory stays small.
            .pragma("cache_size", "-4096");
        let writer = connect(file.clone(), 1).await?;
        MIGRATIONS.run(&writer).await.map_err(failed)?;
        let readers = connect(
            file.pragma("query_only", "true")
                .pragma("cache_size", "-2048"),
            READERS,
        )
        .await?;
        Ok(Self {
            writer,
            readers,
            clock,
        })
    }

    /// A catalogue that lives as long as this value, for tests.
    ///
    /// # Errors
    /// [`StoreError::Database`] when SQLite refuses.
    pub async fn in_memory(clock: Arc<dyn Clock>) -> StoreResult<Self> {
        let memory = SqliteConnectOptions::new()
            .in_memory(true)
            .foreign_keys(true);
        // A second connection would be a second database.
        let only = connect(memory, 1).await?;
        MIGRATIONS.run(&only).await.map_err(failed)?;
        Ok(Self {
            writer: only.clone(),
            readers: only,
            clock,
        })
    }

    /// Waits until every connection is closed; the log is folded into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn within<T>(&self, work: impl Future<Output = Outcome<T>>) -> StoreResult<T> {
        deadline::within(CALL, work).await
    }

    /// For a statement that reads by itself.
    async fn look(&self, tenant: TenantId) -> Outcome<Reading> {
        self.read(tenant).await.map(|tx| self.reading(tx))
    }

    async fn look_all(&self) -> Outcome<Reading> {
        self.read_all().await.map(|tx| self.reading(tx))
    }

    fn reading(&self, tx: Tx) -> Reading {
        Reading {
            tx,
            now: self.clock.now(),
        }
    }

    /// Every statement names its tenant; SQLite itself knows none.
    async fn read(&self, _tenant: TenantId) -> Outcome<Tx> {
        self.read_all().await
    }

    async fn write(&self, _tenant: TenantId) -> Outcome<Tx> {
        self.write_all().await
    }

    async fn read_all(&self) -> Outcome<Tx> {
        Ok(Tx::new(self.readers.begin().await?, Some(self.clock.now())))
    }

    /// Every commit waits for the disk: there is one file, and one writer.
    async fn write_lightly(&self, tenant: TenantId) -> Outcome<Tx> {
        self.write(tenant).await
    }

    async fn write_all_lightly(&self) -> Outcome<Tx> {
        self.write_all().await
    }

    async fn write_all(&self) -> Outcome<Tx> {
        // IMMEDIATE takes the write lock now: a read that turns into a write later could not wait for it.
        let begun = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Tx::new(begun, Some(self.clock.now())))
    }
}

/// A statement that only reads, in a transaction, which costs next to nothing here.
struct Reading {
    tx: Tx,
    now: DateTime<Utc>,
}

impl Reading {
    fn conn(&mut self) -> &mut Conn {
        self.tx.conn()
    }

    /// The process's time takes the place of the server's.
    const fn told_time(&self) -> Option<DateTime<Utc>> {
        Some(self.now)
    }

    fn end(self) {}
}

async fn connect(options: SqliteConnectOptions, connections: u32) -> StoreResult<Pool<Sqlite>> {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(CALL)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .map_err(failed)
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Database(Box::new(error))
}
