//! Batches of rows on their way into one statement.

use tintype_model::{PlanId, TenantId};
use uuid::Uuid;

/// The plan that rows belong to.
#[derive(Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) tenant: Uuid,
    pub(crate) plan: Uuid,
}

impl Owner {
    pub(crate) const fn of(tenant: TenantId, plan: PlanId) -> Self {
        Self {
            tenant: tenant.as_uuid(),
            plan: plan.as_uuid(),
        }
    }
}

/// What the listing shows of an item.
pub(crate) struct ItemRow {
    pub(crate) seq: i64,
    pub(crate) provider_id: String,
    /// JSON.
    pub(crate) metadata: String,
    pub(crate) metadata_fingerprint: i64,
    pub(crate) content_fingerprint: i64,
}

/// An item whose bytes are not there: it waits, or has failed.
pub(crate) struct UnstoredRow {
    pub(crate) seq: i64,
    pub(crate) shard: Option<Uuid>,
    /// JSON.
    pub(crate) fault: Option<String>,
}

/// Bytes that are durable.
pub(crate) struct ContentRow {
    pub(crate) seq: i64,
    pub(crate) blob: [u8; 32],
    pub(crate) size: i64,
    pub(crate) path: String,
    /// JSON.
    pub(crate) fidelity: String,
}

/// What the inserts of a page do about rows that are there.
#[derive(Clone, Copy)]
pub(crate) struct Clash {
    pub(crate) item: &'static str,
    pub(crate) id: &'static str,
    pub(crate) waiting: &'static str,
}

/// What an insert does about rows that are there: it fails, which costs PostgreSQL half as much as to be ready for them.
pub(crate) const REFUSE: &str = "";
pub(crate) const RENEW_ITEM: &str = " ON CONFLICT (tenant_id, plan_id, seq) DO UPDATE SET
    metadata = excluded.metadata, gone = FALSE";
pub(crate) const RENEW_ID: &str = " ON CONFLICT (tenant_id, plan_id, provider_id) DO UPDATE SET
    metadata_fingerprint = excluded.metadata_fingerprint, content_fingerprint = excluded.content_fingerprint";
pub(crate) const RENEW_UNSTORED: &str = " ON CONFLICT (tenant_id, plan_id, seq) DO UPDATE SET
    shard_id = excluded.shard_id, fault = excluded.fault";
pub(crate) const RENEW_CONTENT: &str = " ON CONFLICT (tenant_id, plan_id, seq) DO UPDATE SET
    blob = excluded.blob, size = excluded.size, path = excluded.path, fidelity = excluded.fidelity";

/// A newly claimed mirror path.
pub(crate) struct PathRow {
    pub(crate) key: String,
    pub(crate) path: String,
    pub(crate) seq: i64,
}
