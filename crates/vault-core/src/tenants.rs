//! A tenant in hand: its row locked, its keys open. The keys are asked for while nothing is locked, because their keeper may be
//! far away.

use std::sync::Arc;

use tintype_model::TenantId;
use tintype_ports::VaultError;

use crate::{
    Inner,
    audit::{NewEntry, chain::Chain},
    db::{TenantRow, Tx},
    error::{audit, database},
    keeper::TenantKeys,
    seal::{Place, random_key},
};

/// How often keys may change between the look at them and the lock.
const ROUNDS: usize = 8;

/// A locked tenant, with its keys, in a transaction that rolls back unless committed.
pub(crate) struct Held {
    pub(crate) tx: Tx,
    pub(crate) row: TenantRow,
    pub(crate) keys: Arc<TenantKeys>,
}

impl Held {
    /// Appends an entry to the tenant's log and returns its number. Commit before answering.
    pub(crate) async fn append(&mut self, entry: &NewEntry) -> Result<i64, VaultError> {
        let mut chain = Chain::of(&self.row, self.keys.audit())?;
        let entry = chain.link(entry);
        let number = entry.number;
        chain.end(&mut self.row);
        let end = std::slice::from_ref(&self.row);
        self.tx.append(&[entry], end).await.map_err(audit)?;
        Ok(number)
    }

    pub(crate) async fn commit(self) -> Result<(), VaultError> {
        self.tx.commit().await.map_err(database)
    }
}

impl Inner {
    /// Locks a tenant, a destroyed one included. `NotFound` when it never was.
    pub(crate) async fn hold(&self, tenant: TenantId) -> Result<Held, VaultError> {
        self.hold_with(tenant, None).await
    }

    /// Locks a tenant that is there and was not destroyed.
    pub(crate) async fn hold_living(&self, tenant: TenantId) -> Result<Held, VaultError> {
        let held = self.hold(tenant).await?;
        held.keys.data()?;
        Ok(held)
    }

    /// Locks a tenant, made with fresh keys at first use. `NotFound` once it was destroyed: it never comes back.
    pub(crate) async fn hold_or_create(&self, tenant: TenantId) -> Result<Held, VaultError> {
        match self.hold_living(tenant).await {
            Err(VaultError::NotFound) => {}
            held => return held,
        }
        let keys = TenantKeys::new(Some(random_key()?), random_key()?)?;
        let audit_mac = Chain::beginning(keys.audit(), tenant);
        let row = TenantRow {
            tenant_id: tenant.as_uuid(),
            data_key_version: 1,
            kek_version: 0,
            data_key: None,
            audit_key: Vec::new(),
            audit_count: 0,
            audit_head: Chain::head(keys.audit(), 0, &audit_mac),
            audit_mac,
        };
        let row = self.keys.wrap(&row, &keys).await?;
        let held = self.hold_with(tenant, Some((row, Arc::new(keys)))).await?;
        held.keys.data()?;
        Ok(held)
    }

    async fn hold_with(
        &self,
        tenant: TenantId,
        new: Option<(TenantRow, Arc<TenantKeys>)>,
    ) -> Result<Held, VaultError> {
        for _ in 0..ROUNDS {
            let mut tx = self.db.write().await.map_err(database)?;
            if let Some((new, _)) = &new {
                tx.insert_tenant(new).await.map_err(database)?;
            }
            let locked = tx.lock_tenants(&[tenant.as_uuid()]).await;
            let row = locked.map_err(database)?.pop();
            let row = row.ok_or(VaultError::NotFound)?;
            // Another may have made the tenant first, with other keys.
            if let Some((_, keys)) = new.as_ref().filter(|(new, _)| *new == row) {
                self.keys.keep(row.clone(), Arc::clone(keys));
            }
            if let Some(keys) = self.keys.kept(&row) {
                return Ok(Held { tx, row, keys });
            }
            tx.rollback().await.map_err(database)?;
            self.keys.open(&*self.db, &row).await?;
        }
        Err(VaultError::Unavailable(
            "the tenant's keys keep changing".to_owned(),
        ))
    }
}

/// Where a row's data key is wrapped.
pub(crate) const fn data_key_place(row: &TenantRow) -> Place<'static> {
    Place {
        purpose: "wrap",
        tenant: TenantId::from_uuid(row.tenant_id),
        record: row.tenant_id,
        field: "data key",
        record_version: row.data_key_version,
        key_version: row.kek_version,
        public: ["", ""],
    }
}

/// Where a row's audit key is wrapped.
pub(crate) const fn audit_key_place(row: &TenantRow) -> Place<'static> {
    Place {
        purpose: "wrap",
        tenant: TenantId::from_uuid(row.tenant_id),
        record: row.tenant_id,
        field: "audit key",
        record_version: 0,
        key_version: row.kek_version,
        public: ["", ""],
    }
}
