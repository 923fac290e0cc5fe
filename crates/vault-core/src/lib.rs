//! The vault: envelope encryption, single-flight refresh, signing keys, and a log without which there is no answer.
//!
//! A key-encryption key (from a key ring or an outside key service, never in the database) wraps each tenant's data key; the
//! data key seals each secret field, bound to its place. Refresh tokens and client secrets never leave. Any number of replicas
//! may share one PostgreSQL database: what they must agree on (whose turn it is to ask Google, for how long it is left alone, the
//! token it gave) stands there.

mod audit;
mod db;
mod error;
mod keeper;
mod keeping;
mod keyring;
mod records;
mod refresh;
mod rotation;
mod seal;
mod sign_in;
mod signing;
mod tenants;
mod tokens;
mod using;

use std::{
    fmt,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tintype_model::TenantId;
use tintype_ports::{Clock, Entropy, VaultError, google_auth::GoogleAuth, vault::Grant};
use tokio::task::AbortHandle;
use uuid::Uuid;

pub use audit::{AuditFault, AuditHead};
pub use db::{Times, VaultPostgresSettings};
pub use error::OpenError;
pub use keeper::{KeySource, TransitSettings};
pub use keyring::{KeyRing, KeyRingError};

use audit::{Group, NewEntry};
use db::{CredentialRow, Database, Postgres, Sqlite};
use error::database;
use keeper::{Keys, TenantKeys};
use rotation::Progress;
use seal::{SealingKey, random_key};
use tokens::Slots;

/// The vault: in one file, or as a replica on a shared database.
#[derive(Clone)]
pub struct VaultCore {
    inner: Arc<Inner>,
}

struct Inner {
    db: Arc<dyn Database>,
    keys: Arc<Keys>,
    google: Arc<dyn GoogleAuth>,
    entropy: Arc<dyn Entropy>,
    log: Arc<Group>,
    slots: Slots,
    rewrap: Progress,
    /// Seals the access tokens in memory; dies with the process.
    memory_key: SealingKey,
    /// Who this replica is, in leases.
    holder: Uuid,
    refresh_lease: Duration,
    /// The task that looks for keys.
    watch: OnceLock<AbortHandle>,
}

impl VaultCore {
    /// Opens the vault's database file, which is made when absent. `clock` is the time it goes by; `entropy` is for jitter only:
    /// keys and nonces come from the cryptography library. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// When the file cannot be opened or migrated, or a [`KeySource::Ring`] lacks a key or holds another one. With any other
    /// source the vault opens sealed and unseals by itself.
    pub async fn open(
        path: &Path,
        keys: impl Into<KeySource> + Send,
        google: Arc<dyn GoogleAuth>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, OpenError> {
        let db = Arc::new(Sqlite::open(path, clock).await?);
        Self::start(db, keys.into(), google, entropy, refresh::LEASE).await
    }

    /// Brings the tables of a PostgreSQL database up to date, as their owner, and makes the role `tintype_vault`. The database is
    /// the vault's alone. Processes that do it at once wait for each other.
    ///
    /// # Errors
    /// When the server cannot be reached, refuses, or a newer version of the program was here.
    pub async fn migrate_postgres(owner_url: &str) -> Result<(), OpenError> {
        db::migrate(owner_url).await
    }

    /// Joins the replicas on a PostgreSQL database (15 or later), see [`Self::migrate_postgres`]. The login must be a member of
    /// the role `tintype_vault` and should own nothing. `clock` is used only where the settings say so.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub async fn connect(
        url: &str,
        settings: VaultPostgresSettings,
        keys: impl Into<KeySource> + Send,
        google: Arc<dyn GoogleAuth>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, OpenError> {
        let db = Arc::new(Postgres::connect(url, settings, clock).await?);
        Self::start(db, keys.into(), google, entropy, settings.refresh_lease).await
    }

    async fn start(
        db: Arc<dyn Database>,
        source: KeySource,
        google: Arc<dyn GoogleAuth>,
        entropy: Arc<dyn Entropy>,
        refresh_lease: Duration,
    ) -> Result<Self, OpenError> {
        let may_come_later = source.may_come_later();
        let keys = Arc::new(Keys::new(source, Arc::clone(&entropy)));
        match keys.look(&*db).await {
            Err(error) if !may_come_later => return Err(error),
            // Noted, and looked at again by the watch.
            _ => {}
        }
        let memory_key = random_key().and_then(|bytes| SealingKey::new(&bytes));
        let holder = random_key().map_err(OpenError::MemoryKey)?;
        let mut id = [0; 16];
        id.copy_from_slice(&holder[..16]);
        let inner = Arc::new(Inner {
            log: Group::new(Arc::clone(&db), Arc::clone(&keys)),
            db,
            keys,
            google,
            entropy,
            slots: Slots::default(),
            rewrap: Progress::default(),
            memory_key: memory_key.map_err(OpenError::MemoryKey)?,
            holder: Uuid::from_bytes(id),
            refresh_lease,
            watch: OnceLock::new(),
        });
        Inner::watch(&inner);
        Ok(Self { inner })
    }

    /// Gives the vault a key ring by hand: unseals one that is sealed, and exchanges the ring of a running one. Give all replicas
    /// the ring with a new key before any of them rewraps.
    ///
    /// # Errors
    /// When the ring lacks a key that the database needs, or holds another one; then everything stays as it was.
    pub async fn unseal_with(&self, ring: KeyRing) -> Result<(), OpenError> {
        self.inner.keys.take_ring(&*self.inner.db, ring).await
    }

    /// Checks a tenant's whole log: every entry follows from the one before it, none is missing, the end is not cut. The head
    /// that it returns, kept elsewhere, shows a database that was set back later.
    ///
    /// # Errors
    /// The first fault found.
    pub async fn verify_audit(&self, tenant: TenantId) -> Result<AuditHead, AuditFault> {
        audit::verify(&self.inner, tenant).await
    }

    /// The time that all replicas go by: the database server's, or that of the file's clock.
    ///
    /// # Errors
    /// When the server does not say it.
    pub async fn time(&self) -> Result<DateTime<Utc>, VaultError> {
        self.inner.now().await
    }

    /// Waits for running statements and closes the database.
    pub async fn close(&self) {
        if let Some(watch) = self.inner.watch.get() {
            watch.abort();
        }
        self.inner.db.close().await;
    }
}

impl fmt::Debug for VaultCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultCore")
            .field("sealed", &self.inner.keys.sealed())
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// Looks for keys again and again, and forgets those that were kept long enough.
    fn watch(inner: &Arc<Self>) {
        let vault = Arc::downgrade(inner);
        let watch = tokio::spawn(async move {
            while let Some(pause) = vault.upgrade().map(|vault| vault.keys.pause()) {
                tokio::time::sleep(pause).await;
                let Some(vault) = vault.upgrade() else { return };
                vault.keys.sweep();
                // What is wrong is noted and told to whoever asks.
                let _ = vault.keys.look(&*vault.db).await;
            }
        });
        let _ = inner.watch.set(watch.abort_handle());
    }

    /// The time that all replicas go by.
    async fn now(&self) -> Result<DateTime<Utc>, VaultError> {
        self.within(async { self.db.now().await.map_err(database) })
            .await
    }

    /// No call waits for ever: not for a connection, a lock, nor a network that went silent. Whether a write that ran out of
    /// time took effect is then unknown, as after any lost answer.
    async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, VaultError>>,
    ) -> Result<T, VaultError> {
        let done = tokio::time::timeout(self.db.call_timeout(), work).await;
        done.unwrap_or_else(|elapsed| Err(VaultError::Database(Box::new(elapsed))))
    }

    /// The credential a grant is for, with its tenant's keys and the version of the data key.
    async fn read(
        &self,
        grant: &Grant,
    ) -> Result<(CredentialRow, i64, Arc<TenantKeys>), VaultError> {
        let (row, tenant) = self
            .within(async {
                // One transaction: the data key may be replaced at any moment.
                let mut tx = self.db.read().await.map_err(database)?;
                let row = tx.credential(grant.tenant, grant.storage).await;
                let row = row.map_err(database)?.ok_or(VaultError::NotFound)?;
                let tenant = tx.tenant(grant.tenant).await.map_err(database)?;
                tx.rollback().await.map_err(database)?;
                Ok((row, tenant.ok_or(VaultError::NotFound)?))
            })
            .await?;
        let keys = self.keys.open(&*self.db, &tenant).await?;
        Ok((row, tenant.data_key_version, keys))
    }

    async fn record(&self, grant: &Grant, action: &'static str) -> Result<(), VaultError> {
        let entry = NewEntry::of_grant(grant, action, self.now().await?);
        self.log.record(entry, None).await?;
        Ok(())
    }

    /// Logs a refusal before it is answered. Passing trouble is none, and a tenant without a log has nothing to refuse.
    async fn logged_refusal(&self, grant: &Grant, error: VaultError) -> VaultError {
        let is_refusal = matches!(
            error,
            VaultError::NotFound
                | VaultError::WrongKind
                | VaultError::Refused(_)
                | VaultError::Sealed
        );
        if !is_refusal {
            return error;
        }
        match self.record(grant, "refused").await {
            Ok(()) | Err(VaultError::NotFound) => error,
            Err(unlogged) => unlogged,
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(watch) = self.watch.get() {
            watch.abort();
        }
    }
}
