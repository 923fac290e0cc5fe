//! A tenant: an organisation to which every row, object, key and metric belongs.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::TenantId;

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// The name people see.
    pub name: String,
    /// Its share of what is scarce, relative to the others; at least 1.
    pub weight: u32,
    /// Shards of it that are worked on at the same time, at most, over all workers; `None`: no cap of its own.
    pub max_shards: Option<u32>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}
