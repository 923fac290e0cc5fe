//! The first statement of every write of a lease holder: it adds to the shard's counts, locks the shard's row and proves that
//! the lease is still the holder's and names the shard's true run and plan. An expired lease that nobody took is still its own.
//! The position at which new items of the plan begin comes with the answer, and a server's time: statements of their own would
//! each cost a way to the database and back.

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use tintype_model::{progress::Progress, shard::Lease};
use tintype_ports::StoreError;

use super::{Tx, dialect};
use crate::{codec::int, failure::Outcome};

pub(super) async fn fence(tx: &mut Tx, lease: &Lease, spent: &Progress) -> Outcome<i64> {
    fence_with(tx, lease, spent, gets_on(spent)).await
}

/// The same for a write that is itself something done, whatever it counts.
pub(super) async fn fence_of_work(tx: &mut Tx, lease: &Lease, spent: &Progress) -> Outcome<i64> {
    fence_with(tx, lease, spent, true).await
}

async fn fence_with(tx: &mut Tx, lease: &Lease, spent: &Progress, gets_on: bool) -> Outcome<i64> {
    let sql = format!(
        "UPDATE shards SET listed = listed + $4, added = added + $5, changed = changed + $6, gone = gone + $7,
             queued = queued + $8, stored = stored + $9, failed = failed + $10, bytes = bytes + $11,
             requests = requests + $12, downloads = downloads + $13, upgraded = upgraded + $17,
             failures = CASE WHEN CAST($16 AS BOOLEAN) THEN 0 ELSE failures END
         WHERE tenant_id = $1 AND id = $2 AND lease_epoch = $3 AND state = 'leased'
             AND run_id = $14 AND plan_id = $15
         RETURNING (SELECT COALESCE(MAX(i.seq) + 1, 0) FROM items i WHERE i.tenant_id = $1 AND i.plan_id = $15), {}",
        dialect::TIME
    );
    let fenced: Option<(i64, Option<DateTime<Utc>>)> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(lease.shard.tenant.as_uuid())
        .bind(lease.shard.id.as_uuid())
        .bind(lease.epoch)
        .bind(int(spent.listed)?)
        .bind(int(spent.new)?)
        .bind(int(spent.changed)?)
        .bind(int(spent.gone)?)
        .bind(int(spent.queued)?)
        .bind(int(spent.stored)?)
        .bind(int(spent.failed)?)
        .bind(int(spent.bytes)?)
        .bind(int(spent.requests)?)
        .bind(int(spent.downloads)?)
        .bind(lease.shard.run.as_uuid())
        .bind(lease.shard.plan.as_uuid())
        .bind(gets_on)
        .bind(int(spent.originals)?)
        .fetch_optional(tx.conn())
        .await?;
    let (next_seq, now) = fenced.ok_or(StoreError::LeaseLost)?;
    tx.learn(now);
    Ok(next_seq)
}

/// Whether these counts show that work got done: then earlier failures no longer count.
const fn gets_on(spent: &Progress) -> bool {
    spent.listed > 0
        || spent.stored > 0
        || spent.failed > 0
        || spent.originals > 0
        || spent.gone > 0
}
