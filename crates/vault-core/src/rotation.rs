//! Key changes while the vault works: rewrap under a new key-encryption key, a new data key, destruction.

use tintype_model::TenantId;
use tintype_ports::VaultError;
use uuid::Uuid;

use crate::{
    Inner, VaultCore,
    audit::{NewEntry, append},
    db,
    error::database,
    records,
    seal::{SealingKey, random_key},
    signing,
    tenants::{self, TenantRow},
};

/// Tenants looked up at a time.
const BATCH: u32 = 100;

/// What a rewrap did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// Tenants whose keys are wrapped with the newest key now.
    pub moved: u64,
    /// Tenants whose keys could not be opened; they stay as they are.
    pub failed: u64,
}

impl VaultCore {
    /// Wraps every tenant's keys with the newest key of the ring, one tenant a commit: broken off, it goes on where it
    /// stopped when called again. Afterwards [`Self::key_versions_in_use`] says which keys may be retired.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rewrap(&self) -> Result<Rewrapped, VaultError> {
        let mut done = Rewrapped::default();
        let mut after = Uuid::nil();
        loop {
            let batch = self.rewrap_batch(&mut after, BATCH).await?;
            if batch == Rewrapped::default() {
                return Ok(done);
            }
            done.moved += batch.moved;
            done.failed += batch.failed;
        }
    }

    /// One bounded batch of [`Self::rewrap`], behind the tenant `after`, which is moved on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rewrap_batch(
        &self,
        after: &mut Uuid,
        limit: u32,
    ) -> Result<Rewrapped, VaultError> {
        let newest = self.inner.ring().newest();
        let tenants: Vec<Uuid> = sqlx::query_scalar(
            "SELECT tenant_id FROM vault_tenant WHERE kek_version <> $1 AND tenant_id > $2
             ORDER BY tenant_id LIMIT $3",
        )
        .bind(newest)
        .bind(*after)
        .bind(i64::from(limit))
        .fetch_all(&self.inner.db.reader)
        .await
        .map_err(database)?;
        let mut done = Rewrapped::default();
        for tenant in tenants {
            *after = tenant;
            match rewrap_tenant(&self.inner, TenantId::from_uuid(tenant)).await {
                Ok(()) => done.moved += 1,
                Err(VaultError::Sealed) => {
                    tracing::error!(tenant.id = %TenantId::from_uuid(tenant), "keys cannot be opened, not rewrapped");
                    done.failed += 1;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// The versions of the key ring that the database needs, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn key_versions_in_use(&self) -> Result<Vec<i64>, VaultError> {
        sqlx::query_scalar("SELECT DISTINCT kek_version FROM vault_tenant ORDER BY kek_version")
            .fetch_all(&self.inner.db.reader)
            .await
            .map_err(database)
    }

    /// Gives the tenant a new data key and seals all its secrets with it, in one commit.
    ///
    /// # Errors
    /// `NotFound` when there is no such tenant or it was destroyed; else when a record does not open or the database
    /// fails, and then nothing has changed.
    pub async fn rotate_tenant_key(&self, tenant: TenantId) -> Result<(), VaultError> {
        let mut transaction = db::begin(&self.inner.db.writer).await.map_err(database)?;
        let ring = self.inner.ring();
        let row = tenants::load(&mut transaction, tenant)
            .await
            .map_err(database)?;
        let row = row.ok_or(VaultError::NotFound)?;
        let old = row.data_key(&ring)?;
        let audit_key = row.audit_key_bytes(&ring)?;
        let bytes = random_key()?;
        let new = SealingKey::new(&bytes)?;
        let version = row.data_key_version + 1;
        for mut credential in records::of_tenant(&mut transaction, tenant)
            .await
            .map_err(database)?
        {
            let opened = credential.open(&row, &ring)?;
            credential.key_version = version;
            credential.seal(&new, &opened)?;
            records::upsert(&mut transaction, &credential).await?;
        }
        for mut key in signing::of_tenant(&mut transaction, tenant)
            .await
            .map_err(database)?
        {
            key.reseal(&old, &new, version)?;
            signing::store(&mut transaction, &key)
                .await
                .map_err(database)?;
        }
        let next = TenantRow {
            data_key_version: version,
            kek_version: ring.newest(),
            data_key: Some(tenants::wrap_data_key(&ring, tenant, version, &bytes)?),
            audit_key: tenants::wrap_audit_key(&ring, tenant, &audit_key)?,
            ..row
        };
        tenants::replace_keys(&mut transaction, &next)
            .await
            .map_err(database)?;
        let purpose = format!("data key {version}");
        let entry = self.keeper_entry(tenant, "rewrap", purpose);
        append(&mut transaction, &ring, &entry)
            .await
            .map_err(VaultError::from)?;
        transaction.commit().await.map_err(database)
    }

    /// Forgets the tenant's data key and deletes its secrets. Its log stays. What a copy of the database still holds
    /// opens only together with that copy's wrapped key; retiring the key-encryption key ends that too.
    ///
    /// # Errors
    /// `NotFound` when there is no such tenant or it was destroyed already; else when the database fails.
    pub async fn destroy_tenant(&self, tenant: TenantId) -> Result<(), VaultError> {
        let inner = &self.inner;
        let mut transaction = db::begin(&inner.db.writer).await.map_err(database)?;
        let row = tenants::load(&mut transaction, tenant)
            .await
            .map_err(database)?;
        row.filter(|row| row.data_key.is_some())
            .ok_or(VaultError::NotFound)?;
        let entry = self.keeper_entry(tenant, "destroy", "tenant".to_owned());
        append(&mut transaction, &inner.ring(), &entry)
            .await
            .map_err(VaultError::from)?;
        tenants::destroy(&mut transaction, tenant, inner.clock.now())
            .await
            .map_err(database)?;
        transaction.commit().await.map_err(database)?;
        inner.slots.forget_tenant(tenant);
        db::checkpoint(&inner.db.writer).await.map_err(database)
    }

    fn keeper_entry(&self, tenant: TenantId, action: &'static str, purpose: String) -> NewEntry {
        NewEntry::of_keeper(tenant, None, action, purpose, self.inner.clock.now())
    }
}

async fn rewrap_tenant(vault: &Inner, tenant: TenantId) -> Result<(), VaultError> {
    let mut transaction = db::begin(&vault.db.writer).await.map_err(database)?;
    let ring = vault.ring();
    let row = tenants::load(&mut transaction, tenant)
        .await
        .map_err(database)?;
    let row = row.ok_or(VaultError::NotFound)?;
    if row.kek_version == ring.newest() {
        return Ok(());
    }
    let audit_key = row.audit_key_bytes(&ring)?;
    let data_key = match &row.data_key {
        Some(_) => {
            let key = row.data_key_bytes(&ring)?;
            Some(tenants::wrap_data_key(
                &ring,
                tenant,
                row.data_key_version,
                &key,
            )?)
        }
        None => None,
    };
    let next = TenantRow {
        kek_version: ring.newest(),
        data_key,
        audit_key: tenants::wrap_audit_key(&ring, tenant, &audit_key)?,
        ..row
    };
    tenants::replace_keys(&mut transaction, &next)
        .await
        .map_err(database)?;
    let purpose = format!("key-encryption key {}", next.kek_version);
    let entry = NewEntry::of_keeper(tenant, None, "rewrap", purpose, vault.clock.now());
    append(&mut transaction, &ring, &entry)
        .await
        .map_err(VaultError::from)?;
    transaction.commit().await.map_err(database)
}
