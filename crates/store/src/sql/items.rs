//! Items of a plan: what the pages of a listing and the transfers read and write.

use async_trait::async_trait;
use tintype_model::{
    PlanId, RunId, ShardId, TenantId,
    album::Album,
    item::{Item, ProviderId},
    progress::Progress,
    shard::Lease,
};
use tintype_ports::store::{
    Checkpoint, Items, KnownItem, Outcome, PageWrite, PathClaim, PendingItem, StoreResult,
};

use super::{Store, albums, dialect, pages, paths};
use crate::{
    codec::{count, position, provider_id},
    rows::{ItemRow, KnownRow, PendingRow, all},
};

#[async_trait]
impl Items for Store {
    async fn known(
        &self,
        tenant: TenantId,
        plan: PlanId,
        ids: &[ProviderId],
    ) -> StoreResult<Vec<KnownItem>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let rows: Vec<KnownRow> = sqlx::query_as(dialect::KNOWN)
                .bind(tenant.as_uuid())
                .bind(plan.as_uuid())
                .bind(dialect::texts(ids.iter().map(ProviderId::as_str))?)
                .fetch_all(tx.conn())
                .await?;
            Ok(all(rows)?)
        })
        .await
    }

    async fn next_seq(&self, tenant: TenantId, plan: PlanId) -> StoreResult<u64> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let next: i64 = sqlx::query_scalar(
                "SELECT COALESCE(MAX(seq) + 1, 0) FROM items WHERE tenant_id = $1 AND plan_id = $2",
            )
            .bind(tenant.as_uuid())
            .bind(plan.as_uuid())
            .fetch_one(tx.conn())
            .await?;
            Ok(count(next)?)
        })
        .await
    }

    async fn checkpoint(&self, tenant: TenantId, run: RunId) -> StoreResult<Option<Checkpoint>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let row: Option<(String, Vec<u8>)> = sqlx::query_as(
                "SELECT cursor, seen FROM checkpoints WHERE tenant_id = $1 AND run_id = $2",
            )
            .bind(tenant.as_uuid())
            .bind(run.as_uuid())
            .fetch_optional(tx.conn())
            .await?;
            Ok(row.map(|(cursor, seen)| Checkpoint { cursor, seen }))
        })
        .await
    }

    async fn write_page(&self, lease: &Lease, page: &PageWrite) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write(lease.shard.tenant).await?;
            pages::write(&mut tx, lease, page).await?;
            tx.commit().await
        })
        .await
    }

    async fn pending(
        &self,
        tenant: TenantId,
        shard: ShardId,
        after: Option<u64>,
        limit: u32,
    ) -> StoreResult<Vec<PendingItem>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let rows: Vec<PendingRow> = sqlx::query_as(
                "SELECT seq, provider_id, metadata, blob IS NOT NULL AS has_content FROM items
                 WHERE tenant_id = $1 AND shard_id = $2 AND seq > $3 ORDER BY seq LIMIT $4",
            )
            .bind(tenant.as_uuid())
            .bind(shard.as_uuid())
            .bind(position(after)?)
            .bind(i64::from(limit))
            .fetch_all(tx.conn())
            .await?;
            Ok(all(rows)?)
        })
        .await
    }

    async fn record(
        &self,
        lease: &Lease,
        outcomes: &[Outcome],
        spent: &Progress,
    ) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write(lease.shard.tenant).await?;
            pages::record(&mut tx, lease, outcomes, spent).await?;
            tx.commit().await
        })
        .await
    }

    async fn items(
        &self,
        tenant: TenantId,
        plan: PlanId,
        after: Option<u64>,
        limit: u32,
    ) -> StoreResult<Vec<Item>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let rows: Vec<ItemRow> = sqlx::query_as(
                "SELECT seq, provider_id, metadata, state, gone, blob, size, path, fidelity, fault FROM items
                 WHERE tenant_id = $1 AND plan_id = $2 AND seq > $3 ORDER BY seq LIMIT $4",
            )
            .bind(tenant.as_uuid())
            .bind(plan.as_uuid())
            .bind(position(after)?)
            .bind(i64::from(limit))
            .fetch_all(tx.conn())
            .await?;
            Ok(all(rows)?)
        })
        .await
    }

    async fn present(
        &self,
        tenant: TenantId,
        plan: PlanId,
        after: Option<u64>,
        limit: u32,
    ) -> StoreResult<Vec<(u64, ProviderId)>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let rows: Vec<(i64, String)> = sqlx::query_as(
                "SELECT seq, provider_id FROM items
                 WHERE tenant_id = $1 AND plan_id = $2 AND seq > $3 AND NOT gone ORDER BY seq LIMIT $4",
            )
            .bind(tenant.as_uuid())
            .bind(plan.as_uuid())
            .bind(position(after)?)
            .bind(i64::from(limit))
            .fetch_all(tx.conn())
            .await?;
            let mut present = Vec::with_capacity(rows.len());
            for (seq, id) in rows {
                present.push((count(seq)?, provider_id(id)?));
            }
            Ok(present)
        })
        .await
    }

    async fn unstored(&self, tenant: TenantId, plan: PlanId) -> StoreResult<u64> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let unstored: i64 = sqlx::query_scalar(
                "SELECT COUNT(*) FROM items WHERE tenant_id = $1 AND plan_id = $2 AND state <> 'stored' AND NOT gone",
            )
            .bind(tenant.as_uuid())
            .bind(plan.as_uuid())
            .fetch_one(tx.conn())
            .await?;
            Ok(count(unstored)?)
        })
        .await
    }

    async fn leftovers(
        &self,
        tenant: TenantId,
        plan: PlanId,
        after: Option<u64>,
        limit: u32,
    ) -> StoreResult<Vec<PendingItem>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let rows: Vec<PendingRow> = sqlx::query_as(
                "SELECT i.seq, i.provider_id, i.metadata, i.blob IS NOT NULL AS has_content FROM items i
                 WHERE i.tenant_id = $1 AND i.plan_id = $2 AND i.seq > $3 AND i.state <> 'stored' AND NOT i.gone
                     AND NOT EXISTS (SELECT 1 FROM shards s
                         WHERE s.tenant_id = i.tenant_id AND s.id = i.shard_id AND s.state <> 'done')
                 ORDER BY i.seq LIMIT $4",
            )
            .bind(tenant.as_uuid())
            .bind(plan.as_uuid())
            .bind(position(after)?)
            .bind(i64::from(limit))
            .fetch_all(tx.conn())
            .await?;
            Ok(all(rows)?)
        })
        .await
    }

    async fn claim_paths(
        &self,
        tenant: TenantId,
        plan: PlanId,
        claims: &[PathClaim],
    ) -> StoreResult<Vec<String>> {
        self.within(async {
            let mut tx = self.write(tenant).await?;
            let paths = paths::claim(&mut tx, tenant, plan, claims).await?;
            tx.commit().await?;
            Ok(paths)
        })
        .await
    }

    async fn albums(&self, tenant: TenantId, plan: PlanId) -> StoreResult<Vec<Album>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            albums::list(&mut tx, tenant, plan).await
        })
        .await
    }

    async fn album_size(
        &self,
        tenant: TenantId,
        plan: PlanId,
        album: &ProviderId,
    ) -> StoreResult<u64> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            albums::size(&mut tx, tenant, plan, album).await
        })
        .await
    }

    async fn album_members(
        &self,
        tenant: TenantId,
        plan: PlanId,
        album: &ProviderId,
        from: u64,
        limit: u32,
    ) -> StoreResult<Vec<ProviderId>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            albums::members(&mut tx, tenant, plan, album, from, limit).await
        })
        .await
    }
}
