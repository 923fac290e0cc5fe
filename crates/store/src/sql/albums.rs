//! Albums and their members.

use tintype_model::{PlanId, TenantId, album::Album, item::ProviderId, shard::Lease};
use tintype_ports::store::PageWrite;

use super::{Tx, dialect};
use crate::{
    codec::{count, from_json, int, json, provider_id},
    failure::{Explain as _, Outcome},
};

pub(super) async fn write(tx: &mut Tx, lease: &Lease, page: &PageWrite) -> Outcome<()> {
    let (tenant, plan) = (lease.shard.tenant.as_uuid(), lease.shard.plan.as_uuid());
    for (place, album) in &page.albums {
        sqlx::query(
            "INSERT INTO albums (tenant_id, plan_id, provider_id, place, facts) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (tenant_id, plan_id, provider_id) DO UPDATE SET place = excluded.place, facts = excluded.facts",
        )
        .bind(tenant)
        .bind(plan)
        .bind(album.provider_id.as_str())
        .bind(int(*place)?)
        .bind(json(album)?)
        .execute(tx.conn())
        .await?;
    }
    for (album, from, members) in &page.members {
        sqlx::query(
            "DELETE FROM album_members WHERE tenant_id = $1 AND plan_id = $2 AND album_id = $3 AND position >= $4",
        )
        .bind(tenant)
        .bind(plan)
        .bind(album.as_str())
        .bind(int(*from)?)
        .execute(tx.conn())
        .await?;
        sqlx::query(dialect::INSERT_MEMBERS)
            .bind(tenant)
            .bind(plan)
            .bind(album.as_str())
            .bind(int(*from)?)
            .bind(dialect::texts(members.iter().map(ProviderId::as_str))?)
            .execute(tx.conn())
            .await
            .missing("the album of the members")?;
    }
    for album in &page.albums_gone {
        // Its members go with it.
        sqlx::query(
            "DELETE FROM albums WHERE tenant_id = $1 AND plan_id = $2 AND provider_id = $3",
        )
        .bind(tenant)
        .bind(plan)
        .bind(album.as_str())
        .execute(tx.conn())
        .await?;
    }
    Ok(())
}

pub(super) async fn list(tx: &mut Tx, tenant: TenantId, plan: PlanId) -> Outcome<Vec<Album>> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT facts FROM albums WHERE tenant_id = $1 AND plan_id = $2 ORDER BY place, provider_id",
    )
    .bind(tenant.as_uuid())
    .bind(plan.as_uuid())
    .fetch_all(tx.conn())
    .await?;
    rows.iter().map(|facts| Ok(from_json(facts)?)).collect()
}

pub(super) async fn size(
    tx: &mut Tx,
    tenant: TenantId,
    plan: PlanId,
    album: &ProviderId,
) -> Outcome<u64> {
    let size: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM album_members WHERE tenant_id = $1 AND plan_id = $2 AND album_id = $3",
    )
    .bind(tenant.as_uuid())
    .bind(plan.as_uuid())
    .bind(album.as_str())
    .fetch_one(tx.conn())
    .await?;
    Ok(count(size)?)
}

pub(super) async fn members(
    tx: &mut Tx,
    tenant: TenantId,
    plan: PlanId,
    album: &ProviderId,
    from: u64,
    limit: u32,
) -> Outcome<Vec<ProviderId>> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT item_id FROM album_members
         WHERE tenant_id = $1 AND plan_id = $2 AND album_id = $3 AND position >= $4 ORDER BY position LIMIT $5",
    )
    .bind(tenant.as_uuid())
    .bind(plan.as_uuid())
    .bind(album.as_str())
    .bind(int(from)?)
    .bind(i64::from(limit))
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(|id| Ok(provider_id(id)?)).collect()
}
