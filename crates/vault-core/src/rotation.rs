//! Key changes while the vault works: rewrap under a new key-encryption key, a new data key, destruction.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tintype_model::TenantId;
use tintype_ports::{VaultError, vault::KeyStanding};
use uuid::Uuid;

use crate::{
    Inner,
    audit::NewEntry,
    db::TenantRow,
    error::database,
    keeper::TenantKeys,
    seal::{SealingKey, random_key},
};

/// How often a tenant's keys may change while new ones are wrapped.
const ROUNDS: usize = 8;

/// The most tenants that do not open and are remembered; more are counted as this many.
const MAX_FAILED: usize = 10_000;

/// How far this process's rewrap is.
#[derive(Default)]
pub(crate) struct Progress(Mutex<Position>);

#[derive(Default)]
struct Position {
    /// The tenant that was looked at last.
    after: Uuid,
    failed: BTreeSet<Uuid>,
}

impl Progress {
    fn held(&self) -> MutexGuard<'_, Position> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, tenant: Uuid, is_wrapped: bool) {
        let mut position = self.held();
        position.after = tenant;
        if is_wrapped {
            position.failed.remove(&tenant);
        } else if position.failed.len() < MAX_FAILED {
            position.failed.insert(tenant);
        }
    }
}

/// Which key-encryption keys are in use.
pub(crate) async fn standing(vault: &Inner) -> Result<KeyStanding, VaultError> {
    let newest = vault.keys.newest().await?;
    let mut tx = vault.db.read().await.map_err(database)?;
    let versions = tx.key_versions().await.map_err(database)?;
    tx.rollback().await.map_err(database)?;
    let old = versions.iter().filter(|(version, _)| *version != newest);
    let waiting: i64 = old.map(|(_, tenants)| tenants).sum();
    let waiting = u64::try_from(waiting).unwrap_or(0);
    let failed = u64::try_from(vault.rewrap.held().failed.len()).unwrap_or(u64::MAX);
    Ok(KeyStanding {
        newest,
        in_use: versions.into_iter().map(|(version, _)| version).collect(),
        waiting,
        failed: failed.min(waiting),
    })
}

/// Rewraps at most `limit` tenants, one a commit: broken off, the next call goes on. A call that comes to the end begins anew.
pub(crate) async fn rewrap(vault: &Inner, limit: u32) -> Result<KeyStanding, VaultError> {
    let newest = vault.keys.newest().await?;
    let after = vault.rewrap.held().after;
    let mut tenants = waiting(vault, newest, after, limit).await?;
    if tenants.is_empty() && !after.is_nil() {
        tenants = waiting(vault, newest, Uuid::nil(), limit).await?;
    }
    for tenant in tenants {
        match vault.within(rewrap_tenant(vault, tenant, newest)).await {
            Ok(()) => vault.rewrap.note(tenant, true),
            Err(VaultError::Sealed | VaultError::Audit(_)) => {
                tracing::error!(
                    tenant.id = %TenantId::from_uuid(tenant),
                    "keys cannot be opened or the log does not verify: not rewrapped"
                );
                vault.rewrap.note(tenant, false);
            }
            Err(error) => return Err(error),
        }
    }
    standing(vault).await
}

async fn waiting(
    vault: &Inner,
    newest: i64,
    after: Uuid,
    limit: u32,
) -> Result<Vec<Uuid>, VaultError> {
    let mut tx = vault.db.read().await.map_err(database)?;
    let tenants = tx.tenants_to_rewrap(newest, after, limit).await;
    tx.rollback().await.map_err(database)?;
    tenants.map_err(database)
}

async fn rewrap_tenant(vault: &Inner, tenant: Uuid, newest: i64) -> Result<(), VaultError> {
    let tenant = TenantId::from_uuid(tenant);
    for _ in 0..ROUNDS {
        let (row, keys) = open(vault, tenant).await?;
        if row.kek_version >= newest {
            // Another replica was here first.
            return Ok(());
        }
        let next = vault.keys.wrap(&row, &keys).await?;
        let purpose = format!("key-encryption key {}", next.kek_version);
        if replace(vault, &row, next, None, &purpose).await? {
            return Ok(());
        }
    }
    Err(keep_changing())
}

/// Gives the tenant a new data key and seals all its secrets with it, in one commit.
pub(crate) async fn rotate_tenant_key(vault: &Inner, tenant: TenantId) -> Result<(), VaultError> {
    for _ in 0..ROUNDS {
        let (row, keys) = open(vault, tenant).await?;
        keys.data()?;
        let bytes = random_key()?;
        let sealing = SealingKey::new(&bytes)?;
        let new = TenantKeys::new(Some(bytes), keys.audit().clone())?;
        let renewed = TenantRow {
            data_key_version: row.data_key_version + 1,
            ..row.clone()
        };
        let next = vault.keys.wrap(&renewed, &new).await?;
        let purpose = format!("data key {}", next.data_key_version);
        if replace(vault, &row, next, Some(&sealing), &purpose).await? {
            return Ok(());
        }
    }
    Err(keep_changing())
}

/// Puts newly wrapped keys in the place of those in `old`, and reseals what a new data key must seal. `false`: they changed
/// meanwhile.
async fn replace(
    vault: &Inner,
    old: &TenantRow,
    next: TenantRow,
    new_key: Option<&SealingKey>,
    purpose: &str,
) -> Result<bool, VaultError> {
    let tenant = TenantId::from_uuid(old.tenant_id);
    let now = vault.now().await?;
    let mut held = vault.hold(tenant).await?;
    let same = held.row.kek_version == old.kek_version
        && held.row.data_key_version == old.data_key_version
        && held.row.data_key == old.data_key
        && held.row.audit_key == old.audit_key;
    if !same {
        return Ok(false);
    }
    if let Some(new) = new_key {
        let keys = held.keys.clone();
        let key = keys.data()?;
        let version = next.data_key_version;
        for mut credential in held.tx.credentials(tenant).await.map_err(database)? {
            credential.reseal((key, old.data_key_version), (new, version))?;
            held.tx
                .put_credential(&credential)
                .await
                .map_err(database)?;
        }
        // Who is signing in just now begins again.
        held.tx.drop_sign_ins(tenant).await.map_err(database)?;
        for mut signing in held.tx.signing_keys(tenant).await.map_err(database)? {
            signing.reseal(key, new, version)?;
            held.tx.put_signing_key(&signing).await.map_err(database)?;
        }
    }
    held.tx.replace_keys(&next).await.map_err(database)?;
    let entry = NewEntry::of_keeper(tenant, None, "rewrap", purpose, now);
    held.append(&entry).await?;
    held.commit().await?;
    Ok(true)
}

/// Forgets the tenant's data key and deletes its secrets. Its log stays. What a copy of the database still holds opens only
/// together with that copy's wrapped key; retiring the key-encryption key ends that too.
pub(crate) async fn destroy_tenant(vault: &Inner, tenant: TenantId) -> Result<(), VaultError> {
    let now = vault.now().await?;
    let mut held = vault.hold_living(tenant).await?;
    let entry = NewEntry::of_keeper(tenant, None, "destroy", "tenant", now);
    held.append(&entry).await?;
    held.tx
        .destroy_tenant(tenant, now)
        .await
        .map_err(database)?;
    held.commit().await?;
    vault.slots.forget_tenant(tenant);
    vault.keys.forget(tenant);
    vault.db.scrub().await.map_err(database)
}

/// A tenant's row and its keys, without a lock.
pub(crate) async fn open(
    vault: &Inner,
    tenant: TenantId,
) -> Result<(TenantRow, std::sync::Arc<TenantKeys>), VaultError> {
    let mut tx = vault.db.read().await.map_err(database)?;
    let row = tx.tenant(tenant).await.map_err(database)?;
    tx.rollback().await.map_err(database)?;
    let row = row.ok_or(VaultError::NotFound)?;
    let keys = vault.keys.open(&*vault.db, &row).await?;
    Ok((row, keys))
}

fn keep_changing() -> VaultError {
    VaultError::Unavailable("the tenant's keys keep changing; try again".to_owned())
}
