//! Ed25519 keys: one a storage, made at first use, sealed like every other secret.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use tintype_model::{StorageId, TenantId};
use tintype_ports::{VaultError, vault::Grant};

use crate::{
    Inner,
    db::{SigningRow, TenantRow},
    error::database,
    seal::{Place, SealingKey},
};

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

    fn open(&self, key: &SealingKey) -> Result<Ed25519KeyPair, VaultError> {
        let plain = key.open(self.place(), &self.pkcs8)?;
        Ed25519KeyPair::from_pkcs8(&plain).map_err(|_| VaultError::Sealed)
    }
}

/// The storage's key pair, made at first use.
pub(crate) async fn key_pair(vault: &Inner, grant: &Grant) -> Result<Ed25519KeyPair, VaultError> {
    let mut reading = vault.db.read().await.map_err(database)?;
    let row = reading.signing_key(grant.tenant, grant.storage).await;
    if let Some(row) = row.map_err(database)? {
        let tenant = reading.tenant(grant.tenant).await.map_err(database)?;
        let tenant = tenant.ok_or(VaultError::NotFound)?;
        reading.rollback().await.map_err(database)?;
        let keys = vault.keys.open(&*vault.db, &tenant).await?;
        return row.open(keys.data()?);
    }
    reading.rollback().await.map_err(database)?;
    let mut held = vault.hold_or_create(grant.tenant).await?;
    let keys = held.keys.clone();
    let key = keys.data()?;
    // Another caller may have made it between the two transactions.
    let row = held.tx.signing_key(grant.tenant, grant.storage).await;
    if let Some(row) = row.map_err(database)? {
        return row.open(key);
    }
    let row = new_row(&held.row, grant.storage, key)?;
    held.tx.put_signing_key(&row).await.map_err(database)?;
    held.commit().await?;
    row.open(key)
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

fn new_row(
    tenant: &TenantRow,
    storage: StorageId,
    key: &SealingKey,
) -> Result<SigningRow, VaultError> {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| VaultError::Unavailable("no key pair could be made".to_owned()))?;
    let mut row = SigningRow {
        tenant_id: tenant.tenant_id,
        storage_id: storage.as_uuid(),
        key_version: tenant.data_key_version,
        pkcs8: Vec::new(),
    };
    row.pkcs8 = key.seal(row.place(), pkcs8.as_ref())?;
    Ok(row)
}
