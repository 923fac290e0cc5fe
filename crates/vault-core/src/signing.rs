//! Ed25519 keys: one a storage, made at first use, sealed like every other secret.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use sqlx::SqliteConnection;
use tintype_model::{StorageId, TenantId};
use tintype_ports::{VaultError, vault::Grant};
use uuid::Uuid;

use crate::{
    Inner, db,
    error::database,
    keyring::KeyRing,
    seal::{Place, SealingKey},
    tenants::{self, TenantRow},
};

/// A signing key's row.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct SigningRow {
    pub(crate) tenant_id: Uuid,
    pub(crate) storage_id: Uuid,
    pub(crate) key_version: i64,
    pub(crate) pkcs8: Vec<u8>,
}

impl SigningRow {
    const fn place(&self) -> Place<'static> {
        Place {
            purpose: "signing",
            tenant: TenantId::from_uuid(self.tenant_id),
            record: self.storage_id,
            field: "pkcs8",
            record_version: 1,
            key_version: self.key_version,
            public: ["", ""],
        }
    }

    /// Moves the key pair from one data key to another.
    pub(crate) fn reseal(
        &mut self,
        old: &SealingKey,
        new: &SealingKey,
        new_version: i64,
    ) -> Result<(), VaultError> {
        let plain = old.open(self.place(), &self.pkcs8)?;
        self.key_version = new_version;
        self.pkcs8 = new.seal(self.place(), &plain)?;
        Ok(())
    }

    fn open(&self, tenant: &TenantRow, ring: &KeyRing) -> Result<Ed25519KeyPair, VaultError> {
        let key = tenant.data_key(ring)?;
        let plain = key.open(self.place(), &self.pkcs8)?;
        Ed25519KeyPair::from_pkcs8(&plain).map_err(|_| VaultError::Sealed)
    }
}

/// The storage's key pair, made at first use.
pub(crate) async fn key_pair(vault: &Inner, grant: &Grant) -> Result<Ed25519KeyPair, VaultError> {
    let mut reading = vault.db.reader.begin().await.map_err(database)?;
    if let Some(row) = load(&mut reading, grant).await.map_err(database)? {
        let tenant = tenants::load(&mut reading, grant.tenant)
            .await
            .map_err(database)?;
        return row.open(&tenant.ok_or(VaultError::NotFound)?, &vault.ring());
    }
    drop(reading);
    let mut transaction = db::begin(&vault.db.writer).await.map_err(database)?;
    let ring = vault.ring();
    let tenant = tenants::load_or_create(&mut transaction, &ring, grant.tenant).await?;
    // Another caller may have made it between the two transactions.
    if let Some(row) = load(&mut transaction, grant).await.map_err(database)? {
        return row.open(&tenant, &ring);
    }
    let row = new_row(&tenant, grant.storage, &ring)?;
    store(&mut transaction, &row).await.map_err(database)?;
    transaction.commit().await.map_err(database)?;
    row.open(&tenant, &ring)
}

/// The public half.
pub(crate) fn public_half(pair: &Ed25519KeyPair) -> Result<[u8; 32], VaultError> {
    pair.public_key()
        .as_ref()
        .try_into()
        .map_err(|_| VaultError::Sealed)
}

/// The signature of a message.
pub(crate) fn sign(pair: &Ed25519KeyPair, message: &[u8]) -> Result<[u8; 64], VaultError> {
    pair.sign(message)
        .as_ref()
        .try_into()
        .map_err(|_| VaultError::Sealed)
}

/// All signing keys of a tenant.
pub(crate) async fn of_tenant(
    connection: &mut SqliteConnection,
    tenant: TenantId,
) -> Result<Vec<SigningRow>, sqlx::Error> {
    sqlx::query_as("SELECT * FROM signing_key WHERE tenant_id = $1")
        .bind(tenant.as_uuid())
        .fetch_all(connection)
        .await
}

/// Puts or replaces a row.
pub(crate) async fn store(
    connection: &mut SqliteConnection,
    row: &SigningRow,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO signing_key (tenant_id, storage_id, key_version, pkcs8) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant_id, storage_id) DO UPDATE SET
             key_version = excluded.key_version, pkcs8 = excluded.pkcs8",
    )
    .bind(row.tenant_id)
    .bind(row.storage_id)
    .bind(row.key_version)
    .bind(&row.pkcs8)
    .execute(connection)
    .await?;
    Ok(())
}

async fn load(
    connection: &mut SqliteConnection,
    grant: &Grant,
) -> Result<Option<SigningRow>, sqlx::Error> {
    sqlx::query_as("SELECT * FROM signing_key WHERE tenant_id = $1 AND storage_id = $2")
        .bind(grant.tenant.as_uuid())
        .bind(grant.storage.as_uuid())
        .fetch_optional(connection)
        .await
}

fn new_row(
    tenant: &TenantRow,
    storage: StorageId,
    ring: &KeyRing,
) -> Result<SigningRow, VaultError> {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| VaultError::Unavailable("no key pair could be made".to_owned()))?;
    let mut row = SigningRow {
        tenant_id: tenant.tenant_id,
        storage_id: storage.as_uuid(),
        key_version: tenant.data_key_version,
        pkcs8: Vec::new(),
    };
    row.pkcs8 = tenant.data_key(ring)?.seal(row.place(), pkcs8.as_ref())?;
    Ok(row)
}
