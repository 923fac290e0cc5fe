//! A plan: what is copied from where to where, and how.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{ArchiveId, PlanId, StorageId, TenantId, schedule::Schedule};

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
}

/// A backup plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Unique per tenant.
    pub name: String,
    /// Where photos come from.
    pub source: StorageId,
    /// Where they go.
    pub destination: StorageId,
    /// The archive at the destination.
    pub archive: ArchiveId,
    /// How it writes.
    pub options: PlanOptions,
    /// When it runs by itself; `None`: only when somebody starts it.
    pub schedule: Option<Schedule>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Plan {
    /// The first time after `now` at which it runs by itself.
    #[must_use]
    pub fn next_due(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.schedule.as_ref()?.next_after(now)
    }
}
