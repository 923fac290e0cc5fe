//! Snapshots.

use async_trait::async_trait;
use tintype_model::{PlanId, SnapshotId, TenantId, shard::Lease, snapshot::Snapshot};

use super::StoreResult;

/// Snapshots.
#[async_trait]
pub trait Snapshots: Send + Sync {
    /// Records a snapshot (an equal one is fine) and makes it the run's, in one fenced transaction.
    async fn add_snapshot(&self, lease: &Lease, snapshot: &Snapshot) -> StoreResult<()>;
    /// Makes an older snapshot the run's, because nothing changed. Fenced.
    async fn keep_snapshot(&self, lease: &Lease, snapshot: SnapshotId) -> StoreResult<()>;
    /// The plan's newest snapshot.
    async fn latest_snapshot(
        &self,
        tenant: TenantId,
        plan: PlanId,
    ) -> StoreResult<Option<Snapshot>>;
}
