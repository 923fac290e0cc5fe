//! Items of a plan: what the pages of a listing and the transfers read and write.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sqlx::AssertSqlSafe;
use tintype_model::{
    PlanId, RunId, ShardId, TenantId,
    album::Album,
    item::{Item, ProviderId},
    progress::Progress,
    shard::Lease,
};
use tintype_ports::{
    StoreError,
    store::{
        Checkpoint, FailedItem, Items, KnownItem, Outcome, PageWrite, PathClaim, PendingItem,
        PickedItem, StoreResult,
    },
};

use super::{
    Conn, Store, albums, bulk::Owner, dialect, item_pages::page_of_items, listed::Tell, pages,
    paths, renditions,
};
use crate::{
    codec::{count, from_json, int, position, provider_id},
    failure::Outcome as Done,
    rows::{KnownRow, PendingRow, all},
};

// What waits is read in its own order, each of its items by a look-up. A planner that may join takes tenant and plan for
// independent, guesses that the two pick out a few items, and reads the whole plan.
const PENDING: &str = "SELECT u.seq,
         (SELECT i.provider_id FROM items i
             WHERE i.tenant_id = u.tenant_id AND i.plan_id = u.plan_id AND i.seq = u.seq) AS provider_id,
         (SELECT i.metadata FROM items i
             WHERE i.tenant_id = u.tenant_id AND i.plan_id = u.plan_id AND i.seq = u.seq) AS metadata,
         (SELECT COUNT(*) > 0 FROM item_contents c
             WHERE c.tenant_id = u.tenant_id AND c.plan_id = u.plan_id AND c.seq = u.seq) AS has_content
     FROM unstored_items u";

const NOT_GONE: &str = "NOT (SELECT i.gone FROM items i
         WHERE i.tenant_id = u.tenant_id AND i.plan_id = u.plan_id AND i.seq = u.seq)";

pub(super) async fn known(
    conn: &mut Conn,
    owner: Owner,
    ids: impl Iterator<Item = &str>,
) -> Done<Vec<KnownItem>> {
    let rows: Vec<KnownRow> = sqlx::query_as(dialect::KNOWN)
        .bind(owner.tenant)
        .bind(owner.plan)
        .bind(dialect::texts(ids)?)
        .fetch_all(conn)
        .await?;
    Ok(all(rows)?)
}

impl Store {
    async fn try_page(&self, lease: &Lease, page: &PageWrite, tell: Tell) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write_lightly(lease.shard.tenant).await?;
            pages::write(&mut tx, lease, page, tell).await?;
            tx.commit().await
        })
        .await
    }
}

#[async_trait]
impl Items for Store {
    async fn known(
        &self,
        tenant: TenantId,
        plan: PlanId,
        ids: &[ProviderId],
    ) -> StoreResult<Vec<KnownItem>> {
        self.within(async {
            let mut reading = self.look(tenant).await?;
            let owner = Owner::of(tenant, plan);
            let ids = ids.iter().map(ProviderId::as_str);
            let known = known(reading.conn(), owner, ids).await?;
            reading.end();
            Ok(known)
        })
        .await
    }

    async fn next_seq(&self, tenant: TenantId, plan: PlanId) -> StoreResult<u64> {
        self.within(async {
            let mut reading = self.look(tenant).await?;
            let next: i64 = sqlx::query_scalar(
                "SELECT COALESCE(MAX(seq) + 1, 0) FROM items WHERE tenant_id = $1 AND plan_id = $2",
            )
            .bind(tenant.as_uuid())
            .bind(plan.as_uuid())
            .fetch_one(reading.conn())
            .await?;
            reading.end();
            Ok(count(next)?)
        })
        .await
    }

    async fn checkpoint(&self, tenant: TenantId, run: RunId) -> StoreResult<Option<Checkpoint>> {
        self.within(async {
            let mut reading = self.look(tenant).await?;
            let row: Option<(String, Vec<u8>)> = sqlx::query_as(
                "SELECT cursor, seen FROM checkpoints WHERE tenant_id = $1 AND run_id = $2",
            )
            .bind(tenant.as_uuid())
            .bind(run.as_uuid())
            .fetch_optional(reading.conn())
            .await?;
            reading.end();
            Ok(row.map(|(cursor, seen)| Checkpoint { cursor, seen }))
        })
        .await
    }

    async fn write_page(&self, lease: &Lease, page: &PageWrite) -> StoreResult<()> {
        match self.try_page(lease, page, Tell::ByPosition).await {
            // Perhaps an item is known under another position.
            Err(StoreError::Conflict(_)) => self.try_page(lease, page, Tell::ById).await,
            done => done,
        }
    }

    async fn pending(
        &self,
        tenant: TenantId,
        shard: ShardId,
        after: Option<u64>,
        limit: u32,
    ) -> StoreResult<Vec<PendingItem>> {
        self.within(async {
            let mut reading = self.look(tenant).await?;
            let sql = format!(
                "{PENDING} JOIN shards s ON u.tenant_id = s.tenant_id AND u.plan_id = s.plan_id
                     AND u.seq BETWEEN s.first_seq AND s.last_seq AND u.shard_id = s.id
                 WHERE s.tenant_id = $1 AND s.id = $2 AND u.seq > $3 ORDER BY u.seq LIMIT $4"
            );
            let rows: Vec<PendingRow> = sqlx::query_as(AssertSqlSafe(sql))
                .bind(tenant.as_uuid())
                .bind(shard.as_uuid())
                .bind(position(after)?)
                .bind(i64::from(limit))
                .fetch_all(reading.conn())
                .await?;
            reading.end();
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
            page_of_items(&mut tx, Owner::of(tenant, plan), position(after)?, limit).await
        })
        .await
    }

    async fn items_at(
        &self,
        tenant: TenantId,
        plan: PlanId,
        seqs: &[u64],
    ) -> StoreResult<Vec<Item>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let owner = Owner::of(tenant, plan);
            let wanted: BTreeSet<u64> = seqs.iter().copied().collect();
            let mut found = Vec::with_capacity(wanted.len());
            // One by one: they lie apart, and there are few.
            for seq in wanted {
                let at = int(seq)?;
                let page = page_of_items(&mut tx, owner, at - 1, 1).await?;
                found.extend(page.into_iter().filter(|item| item.seq == seq));
            }
            Ok(found)
        })
        .await
    }

    async fn picked(
        &self,
        tenant: TenantId,
        plan: PlanId,
        after: Option<&ProviderId>,
        limit: u32,
    ) -> StoreResult<Vec<PickedItem>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            renditions::picked(&mut tx, (tenant, plan), after, limit).await
        })
        .await
    }

    async fn renditions(&self, tenant: TenantId, plan: PlanId) -> StoreResult<Vec<(u64, u64)>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            renditions::all(&mut tx, tenant, plan).await
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
            let mut reading = self.look(tenant).await?;
            let sql = format!(
                "SELECT COUNT(*) FROM unstored_items u WHERE tenant_id = $1 AND plan_id = $2 AND {NOT_GONE}"
            );
            let unstored: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(tenant.as_uuid())
            .bind(plan.as_uuid())
            .fetch_one(reading.conn())
            .await?;
            reading.end();
            Ok(count(unstored)?)
        })
        .await
    }

    async fn failures(
        &self,
        tenant: TenantId,
        plan: PlanId,
        after: Option<u64>,
        limit: u32,
    ) -> StoreResult<Vec<FailedItem>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let sql = format!(
                "SELECT u.seq, i.provider_id, i.metadata, u.fault FROM unstored_items u
                 JOIN items i ON i.tenant_id = u.tenant_id AND i.plan_id = u.plan_id AND i.seq = u.seq
                 WHERE u.tenant_id = $1 AND u.plan_id = $2 AND u.seq > $3 AND u.fault IS NOT NULL AND {NOT_GONE}
                 ORDER BY u.seq LIMIT $4"
            );
            let rows: Vec<(i64, String, String, String)> = sqlx::query_as(AssertSqlSafe(sql))
                .bind(tenant.as_uuid())
                .bind(plan.as_uuid())
                .bind(position(after)?)
                .bind(i64::from(limit))
                .fetch_all(tx.conn())
                .await?;
            let mut failures = Vec::with_capacity(rows.len());
            for (seq, id, metadata, fault) in rows {
                failures.push(FailedItem {
                    seq: count(seq)?,
                    provider_id: provider_id(id)?,
                    metadata: from_json(&metadata)?,
                    fault: from_json(&fault)?,
                });
            }
            Ok(failures)
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
            let sql = format!(
                "{PENDING} WHERE u.tenant_id = $1 AND u.plan_id = $2 AND u.seq > $3 AND {NOT_GONE}
                     AND NOT EXISTS (SELECT 1 FROM shards s
                         WHERE s.tenant_id = u.tenant_id AND s.id = u.shard_id AND s.state <> 'done')
                 ORDER BY u.seq LIMIT $4"
            );
            let rows: Vec<PendingRow> = sqlx::query_as(AssertSqlSafe(sql))
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
