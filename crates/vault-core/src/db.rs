//! The vault's database file: one writer, a few readers, every commit on the disk before it counts.

use std::{fs::OpenOptions, io, os::unix::fs::OpenOptionsExt as _, path::Path, time::Duration};

use sqlx::{
    Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::error::OpenError;

/// How long to wait for a connection, and for another process's write.
const PATIENCE: Duration = Duration::from_secs(10);

const READERS: u32 = 4;

/// The two pools on one file.
pub(crate) struct Database {
    pub(crate) writer: SqlitePool,
    pub(crate) reader: SqlitePool,
}

/// Opens the file, made with mode 0600 when absent, and brings its schema up to date.
pub(crate) async fn open(path: &Path) -> Result<Database, OpenError> {
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
    sqlx::migrate!("../../migrations/vault")
        .run(&writer)
        .await?;
    let reader = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(PATIENCE)
        .connect_with(options)
        .await?;
    Ok(Database { writer, reader })
}

/// A write transaction that holds the write lock from its first statement.
pub(crate) async fn begin(
    writer: &SqlitePool,
) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
    writer.begin_with("BEGIN IMMEDIATE").await
}

/// Brings the write-ahead log into the file and empties it, so that no old page survives there.
pub(crate) async fn checkpoint(writer: &SqlitePool) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(writer)
        .await?;
    Ok(())
}
