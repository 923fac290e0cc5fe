//! A folder with a vault in it, and the database beside it for whoever wants to tamper.

use std::{path::PathBuf, sync::Arc};

use sqlx::{AssertSqlSafe, SqlitePool, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tintype_ports::{
    Entropy,
    contract::vault::{self, FakeGoogle},
    fake::ManualClock,
};
use tintype_vault_core::{KeyRing, VaultCore};

#[derive(Debug)]
pub(crate) struct Halfway;

impl Entropy for Halfway {
    fn id_bytes(&self) -> [u8; 10] {
        [5; 10]
    }

    fn unit(&self) -> f64 {
        0.5
    }
}

/// A folder, a key ring, and the outside world.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) ring: KeyRing,
    pub(crate) google: Arc<FakeGoogle>,
    pub(crate) clock: Arc<ManualClock>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            ring: KeyRing::generate().unwrap(),
            google: Arc::default(),
            clock: vault::clock(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) async fn open(&self) -> VaultCore {
        self.open_named(
            "vault.db",
            Arc::clone(&self.google),
            Arc::clone(&self.clock),
        )
        .await
    }

    pub(crate) async fn open_named(
        &self,
        name: &str,
        google: Arc<FakeGoogle>,
        clock: Arc<ManualClock>,
    ) -> VaultCore {
        let ring = self.ring.clone();
        VaultCore::open(&self.path(name), ring, google, clock, Arc::new(Halfway))
            .await
            .unwrap()
    }

    /// The database itself, as an intruder or a broken disk sees it.
    pub(crate) async fn database(&self) -> SqlitePool {
        let options = SqliteConnectOptions::new()
            .filename(self.path("vault.db"))
            .foreign_keys(false);
        SqlitePool::connect_with(options).await.unwrap()
    }

    /// Runs statements behind the vault's back.
    pub(crate) async fn tamper(&self, sql: &str) {
        let database = self.database().await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&database)
            .await
            .unwrap();
        database.close().await;
    }

    /// Everything on disk.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files
            .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .collect()
    }
}
