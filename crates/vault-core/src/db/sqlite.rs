//! One file: one writer, a few readers, every commit on the disk before it counts.

use std::{
    fs::OpenOptions, io, os::unix::fs::OpenOptionsExt as _, path::Path, sync::Arc, time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{
    SqliteConnection, SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tintype_ports::Clock;

use super::{Database, Sql, Tx};
use crate::error::OpenError;

mod dialect;
#[path = "sql/mod.rs"]
mod sql;

type Db = sqlx::Sqlite;
type Conn = SqliteConnection;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/vault/sqlite");

/// How long to wait for a connection, and for another process's write.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest a transaction may take, the wait for the writer included.
const CALL: Duration = Duration::from_secs(60);

const READERS: u32 = 4;

/// The two pools on one file, and the clock that its times go by.
pub(crate) struct Sqlite {
    writer: SqlitePool,
    reader: SqlitePool,
    clock: Arc<dyn Clock>,
}

impl Sqlite {
    /// Opens the file, made with mode 0600 when absent, and brings its schema up to date.
    pub(crate) async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let created = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        match created {
            Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
                return Err(OpenError::File {
                    path: path.to_owned(),
                    source,
                });
            }
            _ => {}
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            // Overwrites what is deleted: a destroyed key must not stay in a free page.
            .pragma("secure_delete", "ON");
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .connect_with(options.clone())
            .await?;
        MIGRATIONS.run(&writer).await?;
        let reader = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(PATIENCE)
            .connect_with(options)
            .await?;
        Ok(Self {
            writer,
            reader,
            clock,
        })
    }
}

#[async_trait]
impl Database for Sqlite {
    async fn read(&self) -> Sql<Tx> {
        Ok(Box::new(sql::Begun(self.reader.begin().await?)))
    }

    /// IMMEDIATE takes the write lock now: a read that turns into a write later could not wait for it.
    async fn write(&self) -> Sql<Tx> {
        let begun = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Box::new(sql::Begun(begun)))
    }

    async fn now(&self) -> Sql<DateTime<Utc>> {
        Ok(self.clock.now())
    }

    /// Brings the write-ahead log into the file and empties it, so that no old page survives there.
    async fn scrub(&self) -> Sql<()> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    fn call_timeout(&self) -> Duration {
        CALL
    }
}
