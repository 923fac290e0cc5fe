//! Batches of rows on their way into one statement.

use chrono::{DateTime, Utc};
use tintype_model::{PlanId, StorageId, TenantId};
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

/// The account that a journal belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Account {
    pub(crate) tenant: Uuid,
    pub(crate) id: Uuid,
}

impl Account {
    pub(crate) const fn of(tenant: TenantId, account: StorageId) -> Self {
        Self {
            tenant: tenant.as_uuid(),
            id: account.as_uuid(),
        }
    }
}

/// Bytes that an account was sent.
pub(crate) struct UploadRow {
    pub(crate) content: [u8; 32],
    /// JSON.
    pub(crate) token: String,
    pub(crate) expires_at: DateTime<Utc>,
    /// JSON.
    pub(crate) filename: String,
    pub(crate) made: bool,
    pub(crate) media_id: Option<String>,
}

/// What is sent anew takes the place of what no item was made of.
pub(crate) const RENEW_SENT: &str = " ON CONFLICT (tenant_id, account_id, content) DO UPDATE SET
    token = excluded.token, expires_at = excluded.expires_at, filename = excluded.filename WHERE NOT uploads.made";
/// An id that was told is not forgotten because it was not told again.
pub(crate) const RENEW_MADE: &str = " ON CONFLICT (tenant_id, account_id, content) DO UPDATE SET
    made = TRUE, media_id = COALESCE(excluded.media_id, uploads.media_id)";
pub(crate) const KEEP_TWIN: &str = " ON CONFLICT (tenant_id, account_id, media_id) DO NOTHING";

/// An item too many.
pub(crate) struct TwinRow {
    pub(crate) media_id: String,
    /// JSON.
    pub(crate) filename: String,
    pub(crate) run: Uuid,
    pub(crate) found_at: DateTime<Utc>,
}
