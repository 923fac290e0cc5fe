//! The access log: appended in the transaction of what it records, numbered without holes, chained.

pub(crate) mod chain;
mod group;
mod verify;

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use tintype_model::{RunId, StorageId, TenantId};
use tintype_ports::{
    VaultError,
    vault::{AuditEntry, Grant},
};
use uuid::Uuid;

pub(crate) use group::{Group, Outcome};
pub(crate) use verify::verify;
pub use verify::{AuditFault, AuditHead};

use crate::{error::audit, keyring::KeyRing, tenants};

/// The longest page of the log.
const MAX_PAGE: u32 = 1000;

/// The longest purpose that is kept, in characters; callers write a word.
const MAX_PURPOSE: usize = 200;

/// An entry that has no number yet.
#[derive(Debug, Clone)]
pub(crate) struct NewEntry {
    pub(crate) tenant: TenantId,
    pub(crate) at: DateTime<Utc>,
    pub(crate) action: &'static str,
    pub(crate) storage: Option<StorageId>,
    pub(crate) run: Option<RunId>,
    pub(crate) purpose: String,
}

impl NewEntry {
    /// The entry for what a grant asked.
    pub(crate) fn of_grant(grant: &Grant, action: &'static str, at: DateTime<Utc>) -> Self {
        Self {
            tenant: grant.tenant,
            at,
            action,
            storage: Some(grant.storage),
            run: grant.run,
            purpose: grant.purpose.chars().take(MAX_PURPOSE).collect(),
        }
    }

    /// The entry for what the vault's keeper did.
    pub(crate) fn of_keeper(
        tenant: TenantId,
        storage: Option<StorageId>,
        action: &'static str,
        purpose: impl Into<String>,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            tenant,
            at,
            action,
            storage,
            run: None,
            purpose: purpose.into(),
        }
    }
}

/// Why an entry was not appended.
#[derive(Debug)]
pub(crate) enum AppendError {
    /// This tenant has no log, or its log was tampered with; no statement failed, so others in the transaction go on.
    Tenant(VaultError),
    /// A statement failed: the transaction is lost.
    Database(sqlx::Error),
}

impl From<AppendError> for VaultError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Tenant(error) => error,
            AppendError::Database(error) => audit(error),
        }
    }
}

/// The stored head of a tenant's log is not what the vault wrote.
#[derive(Debug, thiserror::Error)]
#[error("the tenant's audit log was changed outside the vault; verify it and restore the database")]
pub(crate) struct HeadChanged;

/// Appends an entry and returns its number. Commit before answering.
pub(crate) async fn append(
    connection: &mut SqliteConnection,
    ring: &KeyRing,
    entry: &NewEntry,
) -> Result<i64, AppendError> {
    let row = tenants::load(connection, entry.tenant)
        .await
        .map_err(AppendError::Database)?;
    let row = row.ok_or(AppendError::Tenant(VaultError::NotFound))?;
    let key = row.audit_key_bytes(ring).map_err(AppendError::Tenant)?;
    // A head that does not verify must not be replaced by one that does: that would hide what was cut off.
    if !chain::is_head(&key, row.audit_count, &row.audit_mac, &row.audit_head) {
        return Err(AppendError::Tenant(audit(HeadChanged)));
    }
    let number = row.audit_count + 1;
    let mac = chain::link(&key, &row.audit_mac, number, entry);
    sqlx::query(
        "INSERT INTO audit_entry (tenant_id, number, at, action, storage_id, run_id, purpose, mac)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(row.tenant_id)
    .bind(number)
    .bind(entry.at.timestamp_millis())
    .bind(entry.action)
    .bind(entry.storage.map(StorageId::as_uuid))
    .bind(entry.run.map(RunId::as_uuid))
    .bind(&entry.purpose)
    .bind(&mac)
    .execute(&mut *connection)
    .await
    .map_err(AppendError::Database)?;
    sqlx::query(
        "UPDATE vault_tenant SET audit_count = $2, audit_mac = $3, audit_head = $4 WHERE tenant_id = $1",
    )
    .bind(row.tenant_id)
    .bind(number)
    .bind(&mac)
    .bind(chain::head(&key, number, &mac))
    .execute(connection)
    .await
    .map_err(AppendError::Database)?;
    Ok(number)
}

/// An entry's row.
#[derive(Debug, sqlx::FromRow)]
struct EntryRow {
    number: i64,
    at: i64,
    action: String,
    storage_id: Option<Uuid>,
    run_id: Option<Uuid>,
    purpose: String,
    mac: Vec<u8>,
}

impl EntryRow {
    fn into_entry(self) -> AuditEntry {
        AuditEntry {
            number: self.number,
            at: DateTime::from_timestamp_millis(self.at).unwrap_or_default(),
            action: self.action,
            storage: self.storage_id.map(StorageId::from_uuid),
            run: self.run_id.map(RunId::from_uuid),
            purpose: self.purpose,
        }
    }
}

async fn rows(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    after: i64,
    limit: u32,
) -> Result<Vec<EntryRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT number, at, action, storage_id, run_id, purpose, mac FROM audit_entry
         WHERE tenant_id = $1 AND number > $2 ORDER BY number LIMIT $3",
    )
    .bind(tenant.as_uuid())
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await
}

/// A page of a tenant's log, at most [`MAX_PAGE`] entries.
pub(crate) async fn page(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    after: i64,
    limit: u32,
) -> Result<Vec<AuditEntry>, sqlx::Error> {
    let rows = rows(connection, tenant, after, limit.min(MAX_PAGE)).await?;
    Ok(rows.into_iter().map(EntryRow::into_entry).collect())
}
