//! The vault for its keepers: see [`tintype_ports::VaultKeeper`].

use async_trait::async_trait;
use tintype_model::{StorageId, TenantId};
use tintype_ports::{
    VaultError, VaultKeeper,
    vault::{KeyStanding, Refusal, RefusedBy, Secret, SecretInfo},
};

use crate::{
    VaultCore,
    audit::{self, AuditFault, NewEntry},
    error::{audit as unaudited, database},
    records, rotation,
    using::check,
};

/// The longest reason of a revocation that is kept, in characters.
const MAX_REASON: usize = 200;

#[async_trait]
impl VaultKeeper for VaultCore {
    async fn rotate(
        &self,
        tenant: TenantId,
        storage: StorageId,
        expected_version: Option<i64>,
        secret: Secret,
    ) -> Result<SecretInfo, VaultError> {
        let inner = &self.inner;
        inner.keys.ready()?;
        check(&secret)?;
        let now = inner.now().await?;
        let rotate = async {
            let mut held = inner.hold_living(tenant).await?;
            let known = held.tx.credential(tenant, storage).await;
            let known = known.map_err(database)?.ok_or(VaultError::NotFound)?;
            if expected_version.is_some_and(|expected| expected != known.version) {
                return Err(VaultError::Changed);
            }
            let entry = NewEntry::of_keeper(tenant, Some(storage), "rotate", "credential", now);
            let number = held.append(&entry).await?;
            let keys = held.keys.clone();
            let row = records::new_row(&held.row, storage, number, secret, keys.data()?)?;
            held.tx.put_credential(&row).await.map_err(database)?;
            held.commit().await?;
            Ok(row.info())
        };
        let info = inner.within(rotate).await?;
        inner.slots.forget((tenant, storage));
        Ok(info)
    }

    async fn revoke(
        &self,
        tenant: TenantId,
        storage: StorageId,
        reason: &str,
    ) -> Result<SecretInfo, VaultError> {
        let inner = &self.inner;
        inner.keys.ready()?;
        let reason: String = reason.chars().filter(|c| !c.is_control()).collect();
        let reason = match reason.trim() {
            "" => "revoked".to_owned(),
            given => given.chars().take(MAX_REASON).collect(),
        };
        let now = inner.now().await?;
        let revoke = async {
            let mut held = inner.hold_living(tenant).await?;
            let row = held.tx.credential(tenant, storage).await;
            let mut row = row.map_err(database)?.ok_or(VaultError::NotFound)?;
            row.refuse(&Refusal {
                by: RefusedBy::Keeper,
                reason: reason.clone(),
            });
            row.lease_holder = None;
            row.lease_until = None;
            held.tx.put_credential(&row).await.map_err(database)?;
            let entry = NewEntry::of_keeper(tenant, Some(storage), "revoke", &reason, now);
            held.append(&entry).await?;
            held.commit().await?;
            Ok(row.info())
        };
        let info = inner.within(revoke).await?;
        inner.slots.forget((tenant, storage));
        Ok(info)
    }

    async fn key_standing(&self) -> Result<KeyStanding, VaultError> {
        self.inner.within(rotation::standing(&self.inner)).await
    }

    async fn rewrap(&self, limit: u32) -> Result<KeyStanding, VaultError> {
        rotation::rewrap(&self.inner, limit).await
    }

    async fn rotate_tenant_key(&self, tenant: TenantId) -> Result<(), VaultError> {
        let inner = &self.inner;
        inner.keys.ready()?;
        inner
            .within(rotation::rotate_tenant_key(inner, tenant))
            .await
    }

    async fn destroy_tenant(&self, tenant: TenantId) -> Result<(), VaultError> {
        let inner = &self.inner;
        inner.keys.ready()?;
        inner.within(rotation::destroy_tenant(inner, tenant)).await
    }

    async fn verify_audit_log(&self, tenant: TenantId) -> Result<i64, VaultError> {
        self.inner.keys.ready()?;
        match audit::verify(&self.inner, tenant).await {
            Ok(head) => Ok(head.count),
            Err(AuditFault::Unreadable(error)) => Err(error),
            Err(fault) => Err(unaudited(fault)),
        }
    }

    async fn sealed(&self) -> Option<String> {
        self.inner.keys.sealed()
    }
}
