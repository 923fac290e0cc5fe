//! The arithmetic of the log's chain: each entry's code covers the entry and the code before it.

use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key, sign, verify};
use tintype_model::{RunId, StorageId, TenantId};
use tintype_ports::VaultError;

use super::NewEntry;
use crate::{
    db::{EntryRow, TenantRow},
    error::audit,
    seal::KeyBytes,
};

/// The stored head of a tenant's log is not what the vault wrote.
#[derive(Debug, thiserror::Error)]
#[error("the tenant's audit log was changed outside the vault; verify it and restore the database")]
struct HeadChanged;

/// The growing end of a tenant's log, in memory.
pub(crate) struct Chain {
    key: Key,
    count: i64,
    mac: Vec<u8>,
}

impl Chain {
    /// Goes on from the end that stands in the row. A head that does not verify must not be replaced by one that does: that
    /// would hide what was cut off.
    pub(crate) fn of(row: &TenantRow, key: &KeyBytes) -> Result<Self, VaultError> {
        if !Self::is_head(key, row.audit_count, &row.audit_mac, &row.audit_head) {
            return Err(audit(HeadChanged));
        }
        Ok(Self {
            key: hmac_key(key),
            count: row.audit_count,
            mac: row.audit_mac.clone(),
        })
    }

    /// Appends an entry.
    pub(crate) fn link(&mut self, entry: &NewEntry) -> EntryRow {
        self.count += 1;
        self.mac = code(&self.key, &self.mac, self.count, entry);
        EntryRow {
            tenant_id: entry.tenant.as_uuid(),
            number: self.count,
            at: entry.at.timestamp_millis(),
            action: entry.action.to_owned(),
            storage_id: entry.storage.map(StorageId::as_uuid),
            run_id: entry.run.map(RunId::as_uuid),
            purpose: entry.purpose.clone(),
            mac: self.mac.clone(),
        }
    }

    /// Writes the new end into the row.
    pub(crate) fn end(self, row: &mut TenantRow) {
        row.audit_count = self.count;
        let head = sign(&self.key, &head_text(self.count, &self.mac));
        row.audit_head = head.as_ref().to_vec();
        row.audit_mac = self.mac;
    }

    /// The code before the first entry.
    pub(crate) fn beginning(key: &KeyBytes, tenant: TenantId) -> Vec<u8> {
        let mut text = b"tintype audit beginning 1".to_vec();
        text.extend_from_slice(tenant.as_uuid().as_bytes());
        sign(&hmac_key(key), &text).as_ref().to_vec()
    }

    /// The code over the log's length and its last entry's code: without it a cut tail would look whole.
    pub(crate) fn head(key: &KeyBytes, count: i64, mac: &[u8]) -> Vec<u8> {
        sign(&hmac_key(key), &head_text(count, mac))
            .as_ref()
            .to_vec()
    }

    /// Whether a stored head is the vault's.
    pub(crate) fn is_head(key: &KeyBytes, count: i64, mac: &[u8], head: &[u8]) -> bool {
        verify(&hmac_key(key), &head_text(count, mac), head).is_ok()
    }
}

/// The code of an entry: `before` is that of the entry before it.
pub(super) fn code(key: &Key, before: &[u8], number: i64, entry: &NewEntry) -> Vec<u8> {
    let storage = entry.storage.map(StorageId::as_uuid);
    let run = entry.run.map(RunId::as_uuid);
    let mut context = Context::with_key(key);
    context.update(b"tintype audit entry 1");
    context.update(&number.to_be_bytes());
    context.update(&entry.at.timestamp_millis().to_be_bytes());
    let ids = [Some(entry.tenant.as_uuid()), storage, run];
    for id in &ids {
        let bytes: &[u8] = id.as_ref().map_or(&[], |id| id.as_bytes().as_slice());
        part(&mut context, bytes);
    }
    for text in [before, entry.action.as_bytes(), entry.purpose.as_bytes()] {
        part(&mut context, text);
    }
    context.sign().as_ref().to_vec()
}

/// The key that codes are made with.
pub(super) fn hmac_key(key: &KeyBytes) -> Key {
    Key::new(HMAC_SHA256, key.as_slice())
}

fn head_text(count: i64, mac: &[u8]) -> Vec<u8> {
    let mut text = b"tintype audit head 1".to_vec();
    text.extend_from_slice(&count.to_be_bytes());
    text.extend_from_slice(mac);
    text
}

/// Preceded by its length, so that no two rows of parts look the same.
fn part(context: &mut Context, bytes: &[u8]) {
    context.update(&(bytes.len() as u64).to_be_bytes());
    context.update(bytes);
}
