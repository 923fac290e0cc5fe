//! Walks a tenant's chain and says whether the log is what the vault wrote.

use aws_lc_rs::hmac::Key;
use tintype_model::{RunId, StorageId, TenantId};
use tintype_ports::VaultError;

use super::{
    MAX_PAGE, NewEntry,
    chain::{Chain, code, hmac_key},
};
use crate::{Inner, db::EntryRow, error::database};

/// The end of a verified log. Kept elsewhere, it also shows a database that was set back to an older copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHead {
    /// How many entries the log has.
    pub count: i64,
    /// The chain's code of the last one.
    pub mac: Vec<u8>,
}

/// What is wrong with a log.
#[derive(Debug, thiserror::Error)]
pub enum AuditFault {
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Unreadable(#[from] VaultError),
    /// An entry is missing.
    #[error("entry {number} is missing")]
    Missing {
        /// Its number.
        number: i64,
    },
    /// An entry does not follow from the one before it: one of both was changed or moved.
    #[error("entry {number} was changed or moved")]
    Changed {
        /// Its number.
        number: i64,
    },
    /// The recorded length and end are not the vault's, or not those of the entries.
    #[error("the log's end was changed: {found} entries are there")]
    EndChanged {
        /// How many entries follow from each other.
        found: i64,
    },
}

/// Verifies a tenant's whole log, as it stood when the call began.
pub(crate) async fn verify(vault: &Inner, tenant: TenantId) -> Result<AuditHead, AuditFault> {
    let mut tx = vault.db.read().await.map_err(database)?;
    let row = tx.tenant(tenant).await.map_err(database)?;
    let row = row.ok_or(VaultError::NotFound)?;
    let keys = vault.keys.open(&*vault.db, &row).await?;
    let key = hmac_key(keys.audit());
    let mut count = 0;
    let mut mac = Chain::beginning(keys.audit(), tenant);
    loop {
        let page = tx
            .entries(tenant, count, MAX_PAGE)
            .await
            .map_err(database)?;
        if page.is_empty() {
            break;
        }
        for entry in page {
            let number = count + 1;
            if entry.number != number {
                return Err(AuditFault::Missing { number });
            }
            let expected = expected_code(&key, &mac, tenant, &entry)
                .filter(|expected| *expected == entry.mac)
                .ok_or(AuditFault::Changed { number })?;
            (count, mac) = (number, expected);
        }
    }
    let is_whole = row.audit_count == count
        && row.audit_mac == mac
        && Chain::is_head(keys.audit(), count, &mac, &row.audit_head);
    if is_whole {
        Ok(AuditHead { count, mac })
    } else {
        Err(AuditFault::EndChanged { found: count })
    }
}

/// `None` for an entry that the vault cannot have written.
fn expected_code(key: &Key, before: &[u8], tenant: TenantId, row: &EntryRow) -> Option<Vec<u8>> {
    let entry = NewEntry {
        tenant,
        at: chrono::DateTime::from_timestamp_millis(row.at)?,
        action: ACTIONS.into_iter().find(|action| *action == row.action)?,
        storage: row.storage_id.map(StorageId::from_uuid),
        run: row.run_id.map(RunId::from_uuid),
        purpose: row.purpose.clone(),
    };
    Some(code(key, before, row.number, &entry))
}

const ACTIONS: [&str; 13] = [
    "put",
    "rotate",
    "revoke",
    "issue",
    "refresh",
    "reveal",
    "sign",
    "delete",
    "rewrap",
    "refused",
    "destroy",
    "sign_in",
    "keep_alive",
];
