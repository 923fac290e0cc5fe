//! Items that a person picked, and items that are renditions of others.

use tintype_model::{PlanId, TenantId, item::PICKED, item::ProviderId, shard::Lease};
use tintype_ports::store::{PageWrite, PickedItem};

use super::Tx;
use crate::{
    codec::{count, from_json, int, provider_id},
    failure::Outcome,
};

/// The first text behind all that begin with [`PICKED`]: its last character is the one that follows.
const BEHIND_PICKED: &str = "picked.";

pub(super) async fn write(tx: &mut Tx, lease: &Lease, page: &PageWrite) -> Outcome<()> {
    for (seq, of) in &page.renditions {
        sqlx::query(
            "INSERT INTO item_renditions (tenant_id, plan_id, seq, of_seq) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant_id, plan_id, seq) DO UPDATE SET of_seq = excluded.of_seq",
        )
        .bind(lease.shard.tenant.as_uuid())
        .bind(lease.shard.plan.as_uuid())
        .bind(int(*seq)?)
        .bind(int(*of)?)
        .execute(tx.conn())
        .await?;
    }
    Ok(())
}

pub(super) async fn all(tx: &mut Tx, tenant: TenantId, plan: PlanId) -> Outcome<Vec<(u64, u64)>> {
    let rows: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT seq, of_seq FROM item_renditions WHERE tenant_id = $1 AND plan_id = $2 ORDER BY seq",
    )
    .bind(tenant.as_uuid())
    .bind(plan.as_uuid())
    .fetch_all(tx.conn())
    .await?;
    let mut all = Vec::with_capacity(rows.len());
    for (seq, of) in rows {
        all.push((count(seq)?, count(of)?));
    }
    Ok(all)
}

/// A stretch of the index of ids, which holds them in this order.
pub(super) async fn picked(
    tx: &mut Tx,
    (tenant, plan): (TenantId, PlanId),
    after: Option<&ProviderId>,
    limit: u32,
) -> Outcome<Vec<PickedItem>> {
    let rows: Vec<(i64, String, String)> = sqlx::query_as(
        "SELECT k.seq, k.provider_id,
             (SELECT i.metadata FROM items i
                 WHERE i.tenant_id = k.tenant_id AND i.plan_id = k.plan_id AND i.seq = k.seq) AS metadata
         FROM item_ids k
         WHERE k.tenant_id = $1 AND k.plan_id = $2 AND k.provider_id > $3 AND k.provider_id < $4
         ORDER BY k.provider_id LIMIT $5",
    )
    .bind(tenant.as_uuid())
    .bind(plan.as_uuid())
    .bind(after.map_or(PICKED, ProviderId::as_str))
    .bind(BEHIND_PICKED)
    .bind(i64::from(limit))
    .fetch_all(tx.conn())
    .await?;
    let mut picked = Vec::with_capacity(rows.len());
    for (seq, id, metadata) in rows {
        picked.push(PickedItem {
            seq: count(seq)?,
            provider_id: provider_id(id)?,
            metadata: from_json(&metadata)?,
        });
    }
    Ok(picked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_begins_as_picked_items_do_lies_behind_their_end() {
        let (last, stem) = (PICKED.len() - 1, BEHIND_PICKED.len() - 1);
        assert_eq!(PICKED[..last], BEHIND_PICKED[..stem]);
        assert_eq!(PICKED.as_bytes()[last] + 1, BEHIND_PICKED.as_bytes()[stem]);
    }
}
