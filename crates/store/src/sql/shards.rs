//! Shards and their fenced leases.

use std::time::Duration;

use async_trait::async_trait;
use tintype_model::{
    RunId, ShardId, TenantId, WorkerId,
    progress::Progress,
    run::RunState,
    shard::{Lease, Shard, ShardKind, ShardState},
};
use tintype_ports::{
    StoreError,
    store::{LeaseAnswer, Release, Renewed, Shards, StoreResult},
};

use super::{Store, Tx, dialect, fence::fence};
use crate::{
    codec::{after, from_name, name, small},
    failure::{Explain as _, Outcome},
    rows::{ShardRow, one},
};

/// Why a shard is set aside whose workers do not come back.
pub(super) const VANISHED: &str =
    "its workers vanished again and again without getting on; look at their logs, then requeue it";

/// Adds a shard, ready now. `false` when its id exists. `range` holds the first and the last position of its items.
pub(super) async fn insert_shard(
    tx: &mut Tx,
    shard: &Shard,
    range: Option<(i64, i64)>,
) -> Outcome<bool> {
    let now = tx.now().await?;
    let is_for_originals = shard.kind == ShardKind::Originals;
    let done = sqlx::query(
        "INSERT INTO shards (tenant_id, id, plan_id, run_id, kind, items, state, ready_at, first_seq, last_seq, originals)
         VALUES ($1, $2, $3, $4, $5, $6, 'ready', $7, $8, $9, $10) ON CONFLICT (tenant_id, id) DO NOTHING",
    )
    .bind(shard.tenant.as_uuid())
    .bind(shard.id.as_uuid())
    .bind(shard.plan.as_uuid())
    .bind(shard.run.as_uuid())
    .bind(if is_for_originals { ShardKind::Transfer } else { shard.kind }.as_str())
    .bind(i64::from(shard.items))
    .bind(now)
    .bind(range.map(|(first, _)| first))
    .bind(range.map(|(_, last)| last))
    .bind(is_for_originals)
    .execute(tx.conn())
    .await
    .missing("the run of the shard")?;
    Ok(done.rows_affected() == 1)
}

/// The run's state, which stays so until the transaction ends.
async fn hold_run(
    tx: &mut Tx,
    tenant: TenantId,
    run: RunId,
    how: &'static str,
) -> Outcome<RunState> {
    let state: Option<String> = sqlx::query_scalar(how)
        .bind(tenant.as_uuid())
        .bind(run.as_uuid())
        .fetch_optional(tx.conn())
        .await?;
    let state = state.ok_or_else(|| StoreError::NotFound("the run of the shard".into()))?;
    Ok(from_name(&state)?)
}

async fn find_shard(tx: &mut Tx, tenant: TenantId, id: ShardId) -> Outcome<Option<Shard>> {
    let row: Option<ShardRow> = sqlx::query_as(
        "SELECT tenant_id, id, run_id, plan_id, CASE WHEN originals THEN 'originals' ELSE kind END AS kind, items
         FROM shards WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.as_uuid())
    .bind(id.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(one(row)?)
}

async fn give_up(tx: &mut Tx, lease: &Lease, how: Release) -> Outcome<()> {
    let now = tx.now().await?;
    let (state, ready_at, failures) = match how {
        Release::Done => (ShardState::Done, now, 0),
        Release::Later(pause) => (ShardState::Ready, after(now, pause), 0),
        Release::Failed(pause) => (ShardState::Ready, after(now, pause), 1),
    };
    sqlx::query(
        "UPDATE shards SET state = $3, ready_at = $4, overdue_at = NULL, worker_id = NULL, failures = failures + $5,
             attempt = CASE WHEN recalled THEN attempt - 1 ELSE attempt END, recalled = FALSE
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(lease.shard.tenant.as_uuid())
    .bind(lease.shard.id.as_uuid())
    .bind(name(&state)?)
    .bind(ready_at)
    .bind(failures)
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn put_aside(tx: &mut Tx, shard: &Shard, reason: &str) -> Outcome<()> {
    sqlx::query(
        "UPDATE shards SET state = 'set_aside', overdue_at = NULL, worker_id = NULL, reason = $3
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(shard.tenant.as_uuid())
    .bind(shard.id.as_uuid())
    .bind(reason)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Sets the shard aside if its lease expired once too often.
async fn set_aside_vanished(tx: &mut Tx, shard: &Shard, max_failures: u32) -> Outcome<bool> {
    let now = tx.now().await?;
    let done = sqlx::query(
        "UPDATE shards SET state = 'set_aside', overdue_at = NULL, worker_id = NULL, reason = $3,
             failures = failures + 1
         WHERE tenant_id = $1 AND id = $2 AND state = 'leased' AND overdue_at <= $4 AND failures + 1 >= $5",
    )
    .bind(shard.tenant.as_uuid())
    .bind(shard.id.as_uuid())
    .bind(VANISHED)
    .bind(now)
    .bind(i64::from(max_failures))
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

#[async_trait]
impl Shards for Store {
    async fn lease(
        &self,
        tenant: TenantId,
        shard: ShardId,
        worker: WorkerId,
        ttl: Duration,
        max_failures: u32,
    ) -> StoreResult<LeaseAnswer> {
        self.within(async {
            let mut tx = self.write(tenant).await?;
            let Some(found) = find_shard(&mut tx, tenant, shard).await? else {
                return Ok(LeaseAnswer::Stale);
            };
            if !hold_run(&mut tx, tenant, found.run, dialect::RUN_SHARED)
                .await?
                .is_runnable()
            {
                return Ok(LeaseAnswer::Stale);
            }
            let now = tx.now().await?;
            let expires_at = after(now, ttl);
            if set_aside_vanished(&mut tx, &found, max_failures).await? {
                tx.commit().await?;
                return Ok(LeaseAnswer::SetAside(VANISHED.to_owned()));
            }
            let granted: Option<(i64, i64, i64)> = sqlx::query_as(
                "UPDATE shards SET lease_epoch = lease_epoch + 1, attempt = attempt + 1,
                     failures = CASE WHEN state = 'leased' THEN failures + 1 ELSE failures END,
                     state = 'leased', worker_id = $3, overdue_at = $4, leased_at = $5, recalled = FALSE
                 WHERE tenant_id = $1 AND id = $2 AND ((state = 'ready' AND ready_at <= $5)
                     OR state = 'dispatched' OR (state = 'leased' AND overdue_at <= $5))
                 RETURNING lease_epoch, attempt, failures",
            )
            .bind(tenant.as_uuid())
            .bind(shard.as_uuid())
            .bind(worker.as_uuid())
            .bind(expires_at)
            .bind(now)
            .fetch_optional(tx.conn())
            .await?;
            if let Some((epoch, attempt, failures)) = granted {
                tx.commit().await?;
                let lease = Lease {
                    shard: found,
                    worker,
                    epoch,
                    attempt: small(attempt)?,
                    failures: small(failures)?,
                    expires_at,
                };
                return Ok(LeaseAnswer::Granted(Box::new(lease)));
            }
            let state: String =
                sqlx::query_scalar("SELECT state FROM shards WHERE tenant_id = $1 AND id = $2")
                    .bind(tenant.as_uuid())
                    .bind(shard.as_uuid())
                    .fetch_one(tx.conn())
                    .await?;
            let is_leased = from_name::<ShardState>(&state)? == ShardState::Leased;
            Ok(if is_leased {
                LeaseAnswer::Held
            } else {
                LeaseAnswer::Stale
            })
        })
        .await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> StoreResult<Renewed> {
        self.within(async {
            let mut tx = self.write_lightly(lease.shard.tenant).await?;
            let expires_at = after(tx.now().await?, ttl);
            let done = sqlx::query(
                "UPDATE shards SET overdue_at = $4
                 WHERE tenant_id = $1 AND id = $2 AND lease_epoch = $3 AND state = 'leased'",
            )
            .bind(lease.shard.tenant.as_uuid())
            .bind(lease.shard.id.as_uuid())
            .bind(lease.epoch)
            .bind(expires_at)
            .execute(tx.conn())
            .await?;
            if done.rows_affected() != 1 {
                return Err(StoreError::LeaseLost.into());
            }
            // Those of originals need no permits. The second condition on the state says which index holds all of them.
            let (state, recalled, transfers, transfers_here): (String, bool, i64, i64) = sqlx::query_as(
                "SELECT r.state, mine.recalled, COUNT(s.id), COUNT(s.id) FILTER (WHERE s.worker_id = mine.worker_id)
                 FROM shards mine
                 JOIN runs r ON r.tenant_id = mine.tenant_id AND r.id = mine.run_id
                 LEFT JOIN shards s ON s.tenant_id = mine.tenant_id AND s.state = 'leased' AND s.state <> 'done'
                     AND s.kind = 'transfer' AND NOT s.originals
                 WHERE mine.tenant_id = $1 AND mine.id = $2
                 GROUP BY r.state, mine.recalled",
            )
            .bind(lease.shard.tenant.as_uuid())
            .bind(lease.shard.id.as_uuid())
            .fetch_one(tx.conn())
            .await?;
            tx.commit().await?;
            Ok(Renewed {
                state: from_name(&state)?,
                transfers: small(transfers)?,
                transfers_here: small(transfers_here)?,
                recalled,
            })
        })
        .await
    }

    async fn release(&self, lease: &Lease, how: Release, spent: &Progress) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write(lease.shard.tenant).await?;
            fence(&mut tx, lease, spent).await?;
            give_up(&mut tx, lease, how).await?;
            tx.commit().await
        })
        .await
    }

    async fn set_aside(&self, lease: &Lease, reason: &str) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write(lease.shard.tenant).await?;
            fence(&mut tx, lease, &Progress::default()).await?;
            put_aside(&mut tx, &lease.shard, reason).await?;
            tx.commit().await
        })
        .await
    }

    async fn requeue_shard(&self, tenant: TenantId, shard: ShardId) -> StoreResult<bool> {
        self.within(async {
            let mut tx = self.write(tenant).await?;
            let now = tx.now().await?;
            let done = sqlx::query(
                "UPDATE shards SET state = 'ready', ready_at = $3, overdue_at = NULL, worker_id = NULL, failures = 0,
                     reason = NULL
                 WHERE tenant_id = $1 AND id = $2 AND state <> 'done'",
            )
            .bind(tenant.as_uuid())
            .bind(shard.as_uuid())
            .bind(now)
            .execute(tx.conn())
            .await?;
            tx.commit().await?;
            Ok(done.rows_affected() == 1)
        })
        .await
    }

    async fn finish(&self, lease: &Lease, spent: &Progress, next: &Shard) -> StoreResult<bool> {
        self.within(async {
            let tenant = lease.shard.tenant;
            let mut tx = self.write(tenant).await?;
            // Two last shards that finish side by side must see each other, or none of them would add `next`.
            hold_run(&mut tx, tenant, lease.shard.run, dialect::RUN_EXCLUSIVE).await?;
            fence(&mut tx, lease, spent).await?;
            give_up(&mut tx, lease, Release::Done).await?;
            let is_open: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM shards WHERE tenant_id = $1 AND run_id = $2 AND state <> 'done')",
            )
            .bind(tenant.as_uuid())
            .bind(lease.shard.run.as_uuid())
            .fetch_one(tx.conn())
            .await?;
            let is_added = !is_open && insert_shard(&mut tx, next, None).await?;
            tx.commit().await?;
            Ok(is_added)
        })
        .await
    }
}
