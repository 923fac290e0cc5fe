//! The albums at an account that stand for albums of a plan.

use std::collections::BTreeMap;

use tintype_model::{BlobHash, PlanId, TenantId, item::ProviderId, shard::Lease};
use tintype_ports::store::{AlbumGrowth, AlbumPart};

use super::Tx;
use crate::{
    codec::{int, json},
    failure::{Outcome, exactly_one},
    rows::{AlbumPartRow, all},
};

/// What an album is found by: its name may be too long for an index.
fn key(album: &str) -> BlobHash {
    BlobHash::of(album.as_bytes())
}

pub(super) async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    plan: PlanId,
    album: &str,
) -> Outcome<Vec<AlbumPart>> {
    let rows: Vec<AlbumPartRow> = sqlx::query_as(
        "SELECT album, part, album_id, members FROM upload_albums
         WHERE tenant_id = $1 AND plan_id = $2 AND album_key = $3 ORDER BY part",
    )
    .bind(tenant.as_uuid())
    .bind(plan.as_uuid())
    .bind(key(album).as_bytes().as_slice())
    .fetch_all(tx.conn())
    .await?;
    Ok(all(rows)?)
}

pub(super) async fn put(
    tx: &mut Tx,
    lease: &Lease,
    album: &str,
    part: u32,
    id: Option<&ProviderId>,
) -> Outcome<()> {
    sqlx::query(
        "INSERT INTO upload_albums (tenant_id, plan_id, album_key, part, album, album_id) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (tenant_id, plan_id, album_key, part) DO UPDATE SET album_id = excluded.album_id",
    )
    .bind(lease.shard.tenant.as_uuid())
    .bind(lease.shard.plan.as_uuid())
    .bind(key(album).as_bytes().as_slice())
    .bind(i64::from(part))
    .bind(json(&album)?)
    .bind(id.map(ProviderId::as_str))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Parts are locked in one order, so that two batches never wait for each other.
pub(super) async fn grow(tx: &mut Tx, lease: &Lease, growth: &[AlbumGrowth]) -> Outcome<()> {
    let mut added: BTreeMap<(BlobHash, u32), u64> = BTreeMap::new();
    for growth in growth {
        let sum = added.entry((key(&growth.album), growth.part)).or_default();
        *sum = sum.saturating_add(growth.added);
    }
    for ((album, part), added) in added {
        let done = sqlx::query(
            "UPDATE upload_albums SET members = members + $5
             WHERE tenant_id = $1 AND plan_id = $2 AND album_key = $3 AND part = $4",
        )
        .bind(lease.shard.tenant.as_uuid())
        .bind(lease.shard.plan.as_uuid())
        .bind(album.as_bytes().as_slice())
        .bind(i64::from(part))
        .bind(int(added)?)
        .execute(tx.conn())
        .await?;
        exactly_one(done.rows_affected(), "the part of the album")?;
    }
    Ok(())
}
