//! The vault: envelope encryption, single-flight refresh, signing keys, and a log without which there is no answer.
//!
//! A key-encryption key (from the key ring, never in the database) wraps each tenant's data key; the data key seals each
//! secret field, bound to its place. Refresh tokens and client secrets never leave; access tokens live in memory only.

mod audit;
mod db;
mod error;
mod keyring;
mod records;
mod refresh;
mod rotation;
mod seal;
mod signing;
mod tenants;
mod tokens;

use std::{fmt, path::Path, sync::Arc};

use async_trait::async_trait;
use tintype_model::{StorageId, TenantId};
use tintype_ports::{
    Clock, Entropy, Vault, VaultError,
    google_auth::GoogleAuth,
    vault::{AccessToken, AuditEntry, BucketKeys, Grant, Secret, SecretInfo},
};

pub use audit::{AuditFault, AuditHead};
pub use error::OpenError;
pub use keyring::{KeyRing, KeyRingError};
pub use rotation::Rewrapped;

use audit::{Group, NewEntry, append};
use db::Database;
use error::database;
use keyring::SharedRing;
use records::{CredentialRow, Opened};
use seal::{SealingKey, random_key};
use tokens::Slots;

/// The vault on a database file.
#[derive(Clone)]
pub struct VaultCore {
    inner: Arc<Inner>,
}

struct Inner {
    db: Database,
    ring: Arc<SharedRing>,
    google: Arc<dyn GoogleAuth>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    log: Arc<Group>,
    slots: Slots,
    /// Seals the access tokens in memory; dies with the process.
    memory_key: SealingKey,
}

impl VaultCore {
    /// Opens the vault's database, which is made when absent, and checks that the ring has the keys it needs.
    /// `entropy` is for jitter only; keys and nonces come from the cryptography library.
    ///
    /// # Errors
    /// When the file cannot be opened or migrated, or the ring lacks a key or holds another one.
    pub async fn open(
        path: &Path,
        ring: KeyRing,
        google: Arc<dyn GoogleAuth>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, OpenError> {
        let db = db::open(path).await?;
        check_ring(&db, &ring).await?;
        let memory_key = random_key().and_then(|bytes| SealingKey::new(&bytes));
        let ring = SharedRing::new(ring);
        let log = Group::new(db.writer.clone(), Arc::clone(&ring));
        let inner = Inner {
            log,
            db,
            ring,
            google,
            clock,
            entropy,
            slots: Slots::default(),
            memory_key: memory_key.map_err(OpenError::MemoryKey)?,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Exchanges the key ring of a running vault: give all replicas the ring with the new key before any of them rewraps.
    ///
    /// # Errors
    /// When the new ring lacks a key that the database needs; then the old one stays.
    pub async fn use_key_ring(&self, ring: KeyRing) -> Result<(), OpenError> {
        check_ring(&self.inner.db, &ring).await?;
        self.inner.ring.set(ring);
        Ok(())
    }

    /// Checks a tenant's whole log: every entry follows from the one before it, none is missing, the end is not cut.
    ///
    /// # Errors
    /// The first fault found.
    pub async fn verify_audit(&self, tenant: TenantId) -> Result<AuditHead, AuditFault> {
        audit::verify(&self.inner.db.reader, &self.inner.ring(), tenant).await
    }

    /// Waits for running statements and closes the database.
    pub async fn close(&self) {
        self.inner.db.reader.close().await;
        self.inner.db.writer.close().await;
    }
}

impl fmt::Debug for VaultCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultCore")
            .field("ring", &self.inner.ring())
            .finish_non_exhaustive()
    }
}

/// A key that is missing or wrong is told at the start, not at the first secret.
async fn check_ring(db: &Database, ring: &KeyRing) -> Result<(), OpenError> {
    let needed: Vec<(i64, uuid::Uuid)> =
        sqlx::query_as("SELECT kek_version, MIN(tenant_id) FROM vault_tenant GROUP BY kek_version")
            .fetch_all(&db.reader)
            .await?;
    for (version, tenant) in needed {
        if !ring.versions().contains(&version) {
            return Err(OpenError::KeyMissing(version));
        }
        let mut connection = db.reader.acquire().await?;
        let row = tenants::load(&mut connection, TenantId::from_uuid(tenant)).await?;
        // A rewrap may have moved it on in between.
        let row = row.filter(|row| row.kek_version == version);
        if row.is_some_and(|row| row.audit_key_bytes(ring).is_err()) {
            return Err(OpenError::KeyWrong(version));
        }
    }
    Ok(())
}

impl Inner {
    fn ring(&self) -> Arc<KeyRing> {
        self.ring.get()
    }

    /// The credential a grant is for, with its secrets.
    async fn read(&self, grant: &Grant) -> Result<(CredentialRow, Opened), VaultError> {
        // One transaction: the data key may be replaced at any moment.
        let mut reading = self.db.reader.begin().await.map_err(database)?;
        let row = records::load(&mut reading, grant.tenant, grant.storage).await;
        let row = row.map_err(database)?.ok_or(VaultError::NotFound)?;
        let tenant = tenants::load(&mut reading, grant.tenant)
            .await
            .map_err(database)?;
        let opened = row.open(&tenant.ok_or(VaultError::NotFound)?, &self.ring())?;
        Ok((row, opened))
    }

    async fn record(&self, grant: &Grant, action: &'static str) -> Result<(), VaultError> {
        let entry = NewEntry::of_grant(grant, action, self.clock.now());
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

#[async_trait]
impl Vault for VaultCore {
    async fn put(
        &self,
        tenant: TenantId,
        storage: StorageId,
        secret: Secret,
    ) -> Result<SecretInfo, VaultError> {
        let inner = &self.inner;
        let mut transaction = db::begin(&inner.db.writer).await.map_err(database)?;
        let ring = inner.ring();
        let owner = tenants::load_or_create(&mut transaction, &ring, tenant).await?;
        let now = inner.clock.now();
        let entry = NewEntry::of_keeper(tenant, Some(storage), "put", "credential", now);
        let number = append(&mut transaction, &ring, &entry)
            .await
            .map_err(VaultError::from)?;
        let row = records::new_row(&owner, storage, number, secret, &owner.data_key(&ring)?)?;
        records::upsert(&mut transaction, &row).await?;
        transaction.commit().await.map_err(database)?;
        inner.slots.forget((tenant, storage));
        Ok(row.info())
    }

    async fn describe(
        &self,
        tenant: TenantId,
        storage: StorageId,
    ) -> Result<Option<SecretInfo>, VaultError> {
        let mut connection = self.inner.db.reader.acquire().await.map_err(database)?;
        let row = records::load(&mut connection, tenant, storage)
            .await
            .map_err(database)?;
        Ok(row.map(|row| row.info()))
    }

    async fn access_token(
        &self,
        grant: &Grant,
        rejected: Option<&AccessToken>,
    ) -> Result<AccessToken, VaultError> {
        refresh::access_token(&self.inner, grant, rejected).await
    }

    async fn bucket_keys(&self, grant: &Grant) -> Result<BucketKeys, VaultError> {
        let (row, opened) = match self.inner.read(grant).await {
            Ok(found) => found,
            Err(error) => return Err(self.inner.logged_refusal(grant, error).await),
        };
        if row.kind != records::S3 {
            return Err(self
                .inner
                .logged_refusal(grant, VaultError::WrongKind)
                .await);
        }
        self.inner.record(grant, "reveal").await?;
        Ok(BucketKeys {
            access_key_id: row.public_id,
            secret_access_key: opened.secret,
        })
    }

    async fn sign(&self, grant: &Grant, message: &[u8]) -> Result<[u8; 64], VaultError> {
        let pair = match signing::key_pair(&self.inner, grant).await {
            Ok(pair) => pair,
            Err(error) => return Err(self.inner.logged_refusal(grant, error).await),
        };
        let signature = signing::sign(&pair, message)?;
        self.inner.record(grant, "sign").await?;
        Ok(signature)
    }

    async fn signing_key(&self, grant: &Grant) -> Result<[u8; 32], VaultError> {
        let pair = match signing::key_pair(&self.inner, grant).await {
            Ok(pair) => pair,
            Err(error) => return Err(self.inner.logged_refusal(grant, error).await),
        };
        self.inner.record(grant, "reveal").await?;
        signing::public_half(&pair)
    }

    async fn delete(&self, tenant: TenantId, storage: StorageId) -> Result<(), VaultError> {
        let inner = &self.inner;
        let mut transaction = db::begin(&inner.db.writer).await.map_err(database)?;
        if !records::delete(&mut transaction, tenant, storage)
            .await
            .map_err(database)?
        {
            return Err(VaultError::NotFound);
        }
        let now = inner.clock.now();
        let entry = NewEntry::of_keeper(tenant, Some(storage), "delete", "credential", now);
        append(&mut transaction, &inner.ring(), &entry)
            .await
            .map_err(VaultError::from)?;
        transaction.commit().await.map_err(database)?;
        inner.slots.forget((tenant, storage));
        Ok(())
    }

    async fn audit_log(
        &self,
        tenant: TenantId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, VaultError> {
        let mut connection = self.inner.db.reader.acquire().await.map_err(database)?;
        audit::page(&mut connection, tenant, after, limit)
            .await
            .map_err(database)
    }
}
