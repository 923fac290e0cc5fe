//! A plan: what is copied from where to where, and how.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{ArchiveId, PlanId, SnapshotId, StorageId, TenantId, schedule::Schedule};

/// What a plan does, which its two storages decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanKind {
    /// From a Google Photos account into an archive.
    #[default]
    Backup,
    /// From a folder, a bucket or an archive into a Google Photos account.
    Upload,
    /// From one Google Photos account into another.
    Transfer,
}

impl PlanKind {
    /// The name a log and a table use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Upload => "upload",
            Self::Transfer => "transfer",
        }
    }

    /// Whether it writes to a Google Photos account.
    #[must_use]
    pub const fn uploads(self) -> bool {
        matches!(self, Self::Upload | Self::Transfer)
    }
}

/// What an upload sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum UploadFrom {
    /// The files of the source, as they lie there.
    #[default]
    Files,
    /// A snapshot of the archive at the source.
    Snapshot {
        /// The plan that made it.
        plan: PlanId,
        /// Which one; `None`: the newest when a run begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        snapshot: Option<SnapshotId>,
    },
}

/// How a plan uploads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadOptions {
    /// What is sent.
    #[serde(flatten)]
    pub from: UploadFrom,
    /// Whether albums are made: of folders, of a snapshot's albums, or of the albums of another account.
    #[serde(default = "yes")]
    pub albums: bool,
}

const fn yes() -> bool {
    true
}

impl Default for UploadOptions {
    fn default() -> Self {
        Self {
            from: UploadFrom::Files,
            albums: true,
        }
    }
}

/// How bytes lie at the destination. Both are described in `crates/blob/FORMAT.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// One immutable object a photo, named by content hash.
    #[default]
    Archive,
    /// Plain files by month with JSON sidecars, for people.
    Mirror,
}

/// How a plan writes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlanOptions {
    /// The layout at the destination.
    pub layout: Layout,
    /// age recipients (`age1…`). Empty: not encrypted. Only with the archive layout.
    #[serde(default)]
    pub recipients: Vec<String>,
    /// How it uploads; only for plans that do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<UploadOptions>,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// Whose it is.
    pub tenant: TenantId,
    /// What it does.
    pub kind: PlanKind,
    /// Unique per tenant.
    pub name: String,
    /// Where photos come from.
    pub source: StorageId,
    /// Where they go.
    pub destination: StorageId,
    /// The archive at the destination, or at the source of an upload. Of a plan without an archive it stands for nothing.
    pub archive: ArchiveId,
    /// How it writes.
    pub options: PlanOptions,
    /// When it runs by itself; `None`: only when somebody starts it.
    pub schedule: Option<Schedule>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Plan {
    /// The Google account whose quota it spends; of a transfer the one that is written to, which costs more calls.
    #[must_use]
    pub const fn account(&self) -> StorageId {
        match self.kind {
            PlanKind::Backup => self.source,
            PlanKind::Upload | PlanKind::Transfer => self.destination,
        }
    }

    /// The first time after `now` at which it runs by itself.
    #[must_use]
    pub fn next_due(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.schedule.as_ref()?.next_after(now)
    }
}
