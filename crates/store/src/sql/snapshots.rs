//! Snapshots.

use async_trait::async_trait;
use tintype_model::{
    PlanId, SnapshotId, TenantId, progress::Progress, shard::Lease, snapshot::Snapshot,
};
use tintype_ports::{
    StoreError,
    store::{Snapshots, StoreResult},
};

use super::{Store, Tx, fence::fence};
use crate::{
    codec::int,
    failure::{Explain as _, Outcome},
    rows::{SnapshotRow, one},
};

async fn make_it_the_runs(tx: &mut Tx, lease: &Lease, snapshot: SnapshotId) -> Outcome<()> {
    sqlx::query(
        "INSERT INTO run_snapshots (tenant_id, plan_id, run_id, snapshot_id) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant_id, run_id) DO UPDATE SET snapshot_id = excluded.snapshot_id",
    )
    .bind(lease.shard.tenant.as_uuid())
    .bind(lease.shard.plan.as_uuid())
    .bind(lease.shard.run.as_uuid())
    .bind(snapshot.as_uuid())
    .execute(tx.conn())
    .await
    .missing("the snapshot, or the run")?;
    Ok(())
}

#[async_trait]
impl Snapshots for Store {
    async fn add_snapshot(&self, lease: &Lease, snapshot: &Snapshot) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write(lease.shard.tenant).await?;
            fence(&mut tx, lease, &Progress::default()).await?;
            sqlx::query(
                "INSERT INTO snapshots (tenant_id, id, plan_id, run_id, manifest_hash, items, bytes, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant_id, id) DO NOTHING",
            )
            // Whoever holds the lease writes for its own tenant only, whatever the value says.
            .bind(lease.shard.tenant.as_uuid())
            .bind(snapshot.id.as_uuid())
            .bind(snapshot.plan.as_uuid())
            .bind(snapshot.run.as_uuid())
            .bind(snapshot.manifest_hash.as_bytes().as_slice())
            .bind(int(snapshot.items)?)
            .bind(int(snapshot.bytes)?)
            .bind(snapshot.created_at)
            .execute(tx.conn())
            .await
            .missing("the run of the snapshot")?;
            let row: Option<SnapshotRow> = sqlx::query_as(
                "SELECT tenant_id, id, plan_id, run_id, manifest_hash, items, bytes, created_at
                 FROM snapshots WHERE tenant_id = $1 AND id = $2",
            )
            .bind(lease.shard.tenant.as_uuid())
            .bind(snapshot.id.as_uuid())
            .fetch_optional(tx.conn())
            .await?;
            let recorded: Option<Snapshot> = one(row)?;
            if recorded.is_none_or(|recorded| recorded.manifest_hash != snapshot.manifest_hash) {
                return Err(StoreError::Conflict("another snapshot has this id".into()).into());
            }
            make_it_the_runs(&mut tx, lease, snapshot.id).await?;
            tx.commit().await
        })
        .await
    }

    async fn keep_snapshot(&self, lease: &Lease, snapshot: SnapshotId) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write(lease.shard.tenant).await?;
            fence(&mut tx, lease, &Progress::default()).await?;
            make_it_the_runs(&mut tx, lease, snapshot).await?;
            tx.commit().await
        })
        .await
    }

    async fn latest_snapshot(
        &self,
        tenant: TenantId,
        plan: PlanId,
    ) -> StoreResult<Option<Snapshot>> {
        self.within(async {
            let mut reading = self.look(tenant).await?;
            let row: Option<SnapshotRow> = sqlx::query_as(
                "SELECT tenant_id, id, plan_id, run_id, manifest_hash, items, bytes, created_at
                 FROM snapshots WHERE tenant_id = $1 AND plan_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1",
            )
            .bind(tenant.as_uuid())
            .bind(plan.as_uuid())
            .fetch_optional(reading.conn())
            .await?;
            reading.end();
            Ok(one(row)?)
        })
        .await
    }
}
