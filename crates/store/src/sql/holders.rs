//! Who holds transfer shards, those of originals included, and what is asked back of them. They hold slots alike; `kind` is the
//! same for both.

use tintype_model::TenantId;
use tintype_ports::store::Holder;
use uuid::Uuid;

use super::Tx;
use crate::{
    codec::{count, int, small},
    failure::Outcome,
};

pub(super) async fn holders(tx: &mut Tx) -> Outcome<Vec<Holder>> {
    let rows: Vec<(Uuid, i64, i64, i64)> = sqlx::query_as(
        "SELECT s.tenant_id, t.weight, COUNT(*) FILTER (WHERE NOT s.recalled), COUNT(*) FILTER (WHERE s.recalled)
         FROM shards s JOIN tenants t ON t.tenant_id = s.tenant_id
         WHERE s.overdue_at IS NOT NULL AND s.state = 'leased' AND s.kind = 'transfer'
         GROUP BY s.tenant_id, t.weight ORDER BY s.tenant_id",
    )
    .fetch_all(tx.conn())
    .await?;
    let mut holders = Vec::with_capacity(rows.len());
    for (tenant, weight, transfers, recalled) in rows {
        holders.push(Holder {
            tenant: TenantId::from_uuid(tenant),
            weight: small(weight)?,
            transfers: count(transfers)?,
            recalled: count(recalled)?,
        });
    }
    Ok(holders)
}

/// The second condition on the state says which index holds all of them.
pub(super) async fn recall(tx: &mut Tx, tenant: TenantId, most: u64) -> Outcome<Vec<u64>> {
    let left: Vec<i64> = sqlx::query_scalar(
        "UPDATE shards SET recalled = TRUE
         WHERE tenant_id = $1 AND state = 'leased' AND id IN (
             SELECT id FROM shards
             WHERE tenant_id = $1 AND state = 'leased' AND state <> 'done' AND kind = 'transfer' AND NOT recalled
             ORDER BY leased_at DESC, place DESC LIMIT $2)
         RETURNING CASE WHEN stored + failed + upgraded < items THEN items - stored - failed - upgraded ELSE 0 END",
    )
    .bind(tenant.as_uuid())
    .bind(int(most)?)
    .fetch_all(tx.conn())
    .await?;
    Ok(left.into_iter().map(count).collect::<Result<_, _>>()?)
}
