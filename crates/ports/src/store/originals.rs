//! Stored items whose originals are looked for at a download proxy: how far a plan has come with that.

use async_trait::async_trait;
use tintype_model::{
    PlanId, ShardId, TenantId,
    shard::{Lease, Shard},
    storage::ProxyUrl,
};

use super::StoreResult;

/// How far a plan's stored items were asked for at a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginalsMark {
    /// Which one was asked.
    pub proxy: ProxyUrl,
    /// Up to this position; `None`: none of them yet.
    pub after: Option<u64>,
}

/// What a listing decides about the originals of stored items.
#[derive(Debug, Clone, PartialEq)]
pub struct OriginalsWrite {
    /// The plan's mark from now on.
    pub mark: OriginalsMark,
    /// A new shard of the kind [`ShardKind::Originals`](tintype_model::shard::ShardKind::Originals), ready at once, and the
    /// position of the last item that it is for. They begin behind the mark, and wait nowhere: they are stored.
    pub shard: Option<(Shard, u64)>,
}

/// How far plans have come with the originals of stored items.
#[async_trait]
pub trait OriginalsMarks: Send + Sync {
    /// The plan's mark; `None` while no proxy was asked.
    async fn originals_mark(
        &self,
        tenant: TenantId,
        plan: PlanId,
    ) -> StoreResult<Option<OriginalsMark>>;
    /// The position of the last item that a shard of originals is for; `None` when there is no such shard.
    async fn originals_end(&self, tenant: TenantId, shard: ShardId) -> StoreResult<Option<u64>>;
    /// Moves the mark of the lease's plan on to `after`, never back. Counts as something done, so that failures of the shard are
    /// forgotten. Fenced by the lease of a shard of originals.
    async fn move_originals_mark(&self, lease: &Lease, after: u64) -> StoreResult<()>;
}
