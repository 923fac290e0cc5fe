//! Tenants.

pub(super) mod create;
pub(super) mod get;
pub(super) mod list;
pub(super) mod update;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tintype_model::{TenantId, tenant::Tenant};

/// A tenant as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    id: TenantId,
    name: String,
    weight: u32,
    max_shards: Option<u32>,
    created_at: DateTime<Utc>,
}

impl From<Tenant> for View {
    fn from(it: Tenant) -> Self {
        Self {
            id: it.id,
            name: it.name,
            weight: it.weight,
            max_shards: it.max_shards,
            created_at: it.created_at,
        }
    }
}
