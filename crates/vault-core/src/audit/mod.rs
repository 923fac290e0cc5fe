//! The access log: appended in the transaction of what it records, numbered without holes, chained.

pub(crate) mod chain;
mod group;
mod verify;

use chrono::{DateTime, Utc};
use tintype_model::{RunId, StorageId, TenantId};
use tintype_ports::vault::{AuditEntry, Grant};

pub(crate) use group::{Expected, Group, Outcome};
pub(crate) use verify::verify;
pub use verify::{AuditFault, AuditHead};

use crate::db::{EntryRow, Sql, Tx};

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
            purpose: cut(&grant.purpose),
        }
    }

    /// The entry for what the vault's keeper did.
    pub(crate) fn of_keeper(
        tenant: TenantId,
        storage: Option<StorageId>,
        action: &'static str,
        purpose: &str,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            tenant,
            at,
            action,
            storage,
            run: None,
            purpose: cut(purpose),
        }
    }
}

/// PostgreSQL keeps no NUL in a text.
fn cut(purpose: &str) -> String {
    let kept = purpose.chars().filter(|c| !c.is_control());
    kept.take(MAX_PURPOSE).collect()
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

/// A page of a tenant's log, at most [`MAX_PAGE`] entries.
pub(crate) async fn page(
    tx: &mut Tx,
    tenant: TenantId,
    after: i64,
    limit: u32,
) -> Sql<Vec<AuditEntry>> {
    let rows = tx.entries(tenant, after, limit.min(MAX_PAGE)).await?;
    Ok(rows.into_iter().map(EntryRow::into_entry).collect())
}
