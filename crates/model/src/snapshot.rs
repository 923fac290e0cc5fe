//! A snapshot: an immutable, signed manifest of what a run established.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    ArchiveId, BlobHash, PlanId, RunId, SnapshotId, TenantId,
    item::{ItemMetadata, ProviderId, StoredContent},
};

/// What the catalogue keeps of a snapshot; the manifest itself lies in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its id.
    pub id: SnapshotId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The plan it belongs to.
    pub plan: PlanId,
    /// The run that wrote it.
    pub run: RunId,
    /// BLAKE3 of the manifest's signed part.
    pub manifest_hash: BlobHash,
    /// How many items it holds.
    pub items: u64,
    /// Plain bytes of all its items; an object shared by several items counts once for each.
    pub bytes: u64,
    /// When the run that wrote it began.
    pub created_at: DateTime<Utc>,
}

/// The head of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestHead {
    /// The snapshot.
    pub id: SnapshotId,
    /// The archive it lies in.
    pub archive: ArchiveId,
    /// The run that wrote it.
    pub run: RunId,
    /// When that run began.
    pub created_at: DateTime<Utc>,
    /// Hash of the previous snapshot's signed part, so that the chain shows a missing link.
    pub previous: Option<BlobHash>,
}

/// One item of a manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManifestItem {
    /// The provider's id.
    pub id: ProviderId,
    /// What the provider said of it.
    #[serde(flatten)]
    pub metadata: ItemMetadata,
    /// The bytes we hold.
    #[serde(flatten)]
    pub content: StoredContent,
    /// Other bytes that we hold of the same photo, which came another way. `content` is the best of them all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renditions: Vec<StoredContent>,
}

/// One album of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestAlbum {
    /// The provider's id.
    pub id: ProviderId,
    /// Its title.
    pub title: String,
    /// Its items, in the provider's order.
    pub items: Vec<ProviderId>,
}
