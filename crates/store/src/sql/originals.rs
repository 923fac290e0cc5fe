//! Stored items whose originals are looked for, and how far that has come.

use async_trait::async_trait;
use tintype_model::{PlanId, ShardId, TenantId, progress::Progress, shard::Lease};
use tintype_ports::{
    StoreError,
    store::{OriginalsMark, OriginalsMarks, OriginalsWrite, Outcome as ItemOutcome, StoreResult},
};

use super::{Store, Tx, fence::fence_of_work, shards::insert_shard};
use crate::{
    codec::{count, int, json},
    failure::Outcome,
};

/// Sets the plan's mark, and adds the shard.
pub(super) async fn write(tx: &mut Tx, lease: &Lease, decided: &OriginalsWrite) -> Outcome<()> {
    let OriginalsWrite { mark, shard } = decided;
    let after = mark.after.map(int).transpose()?;
    sqlx::query(
        "UPDATE plans SET originals_proxy = $3, originals_after = $4 WHERE tenant_id = $1 AND id = $2",
    )
    .bind(lease.shard.tenant.as_uuid())
    .bind(lease.shard.plan.as_uuid())
    .bind(mark.proxy.to_string())
    .bind(after)
    .execute(tx.conn())
    .await?;
    let Some((shard, last)) = shard else {
        return Ok(());
    };
    let range = (after.map_or(0, |after| after + 1), int(*last)?);
    if insert_shard(tx, shard, Some(range)).await? {
        Ok(())
    } else {
        Err(StoreError::Conflict(format!("shard {} exists already", shard.id)).into())
    }
}

/// Puts originals in the place of older bytes, of items that do not wait for yet other ones.
pub(super) async fn replace(tx: &mut Tx, lease: &Lease, outcomes: &[ItemOutcome]) -> Outcome<()> {
    // They come one at a time, as the proxy gives them.
    for outcome in outcomes {
        let Ok(content) = &outcome.result else {
            continue;
        };
        sqlx::query(
            "UPDATE item_contents SET blob = $4, size = $5, path = $6, fidelity = $7
             WHERE tenant_id = $1 AND plan_id = $2 AND seq = $3
                 AND NOT EXISTS (SELECT 1 FROM unstored_items u
                     WHERE u.tenant_id = $1 AND u.plan_id = $2 AND u.seq = $3)
                 AND EXISTS (SELECT 1 FROM shards s
                     WHERE s.tenant_id = $1 AND s.id = $8 AND s.originals AND s.first_seq <= $3 AND s.last_seq >= $3)",
        )
        .bind(lease.shard.tenant.as_uuid())
        .bind(lease.shard.plan.as_uuid())
        .bind(int(outcome.seq)?)
        .bind(content.blob.as_bytes().as_slice())
        .bind(int(content.size)?)
        .bind(&content.path)
        .bind(json(&content.fidelity)?)
        .bind(lease.shard.id.as_uuid())
        .execute(tx.conn())
        .await?;
    }
    Ok(())
}

#[async_trait]
impl OriginalsMarks for Store {
    async fn originals_mark(
        &self,
        tenant: TenantId,
        plan: PlanId,
    ) -> StoreResult<Option<OriginalsMark>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let row: Option<(Option<String>, Option<i64>)> = sqlx::query_as(
                "SELECT originals_proxy, originals_after FROM plans WHERE tenant_id = $1 AND id = $2",
            )
            .bind(tenant.as_uuid())
            .bind(plan.as_uuid())
            .fetch_optional(tx.conn())
            .await?;
            let Some((Some(proxy), after)) = row else {
                return Ok(None);
            };
            let proxy = proxy.parse().map_err(|error| {
                StoreError::Corrupt(format!("the proxy that a plan asked {error}"))
            })?;
            Ok(Some(OriginalsMark {
                proxy,
                after: after.map(count).transpose()?,
            }))
        })
        .await
    }

    async fn originals_end(&self, tenant: TenantId, shard: ShardId) -> StoreResult<Option<u64>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let last: Option<Option<i64>> = sqlx::query_scalar(
                "SELECT last_seq FROM shards WHERE tenant_id = $1 AND id = $2 AND originals",
            )
            .bind(tenant.as_uuid())
            .bind(shard.as_uuid())
            .fetch_optional(tx.conn())
            .await?;
            Ok(last.flatten().map(count).transpose()?)
        })
        .await
    }

    async fn move_originals_mark(&self, lease: &Lease, after: u64) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write(lease.shard.tenant).await?;
            fence_of_work(&mut tx, lease, &Progress::default()).await?;
            sqlx::query(
                "UPDATE plans SET originals_after = $3
                 WHERE tenant_id = $1 AND id = $2 AND originals_proxy IS NOT NULL
                     AND (originals_after IS NULL OR originals_after < $3)
                     AND EXISTS (SELECT 1 FROM shards s WHERE s.tenant_id = $1 AND s.id = $4 AND s.originals)",
            )
            .bind(lease.shard.tenant.as_uuid())
            .bind(lease.shard.plan.as_uuid())
            .bind(int(after)?)
            .bind(lease.shard.id.as_uuid())
            .execute(tx.conn())
            .await?;
            tx.commit().await
        })
        .await
    }
}
