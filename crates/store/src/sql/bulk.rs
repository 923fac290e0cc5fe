//! Batches of rows on their way into one statement.

use uuid::Uuid;

/// Rows of a listing page for the items table.
pub(crate) struct ItemBatch {
    pub(crate) tenant: Uuid,
    pub(crate) plan: Uuid,
    pub(crate) rows: Vec<ItemRow>,
}

/// An item to insert or update.
pub(crate) struct ItemRow {
    pub(crate) seq: i64,
    pub(crate) provider_id: String,
    /// JSON.
    pub(crate) metadata: String,
    pub(crate) metadata_fingerprint: i64,
    pub(crate) content_fingerprint: i64,
    pub(crate) shard: Option<Uuid>,
}

/// An item whose bytes are durable.
pub(crate) struct StoredRow {
    pub(crate) seq: i64,
    pub(crate) blob: [u8; 32],
    pub(crate) size: i64,
    pub(crate) path: String,
    /// JSON.
    pub(crate) fidelity: String,
}

/// An item whose bytes could not be had.
pub(crate) struct FailedRow {
    pub(crate) seq: i64,
    /// JSON.
    pub(crate) fault: String,
}

/// A newly claimed mirror path.
pub(crate) struct PathRow {
    pub(crate) key: String,
    pub(crate) path: String,
    pub(crate) seq: i64,
}
