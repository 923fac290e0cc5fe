//! What the scheduler does across tenants.

use std::{collections::HashSet, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tintype_model::{RunId, ShardId, TenantId, run::RunState, shard::Shard};
use tintype_ports::{
    queue::JobMessage,
    store::{
        Backlog, Holder, Load, Lost, OpenLease, Scheduling, SetAside, ShardStanding, StoreResult,
    },
};
use uuid::Uuid;

use super::{
    Store,
    backlog::{self, timed},
    dialect, holders,
    shards::VANISHED,
};
use crate::{
    codec::{after, count, from_name},
    rows::{BacklogRow, OpenLeaseRow, SetAsideRow, ShardRow, ShardStandingRow, all, one, trace},
};

fn runs_of(rows: Vec<(Uuid, Uuid)>) -> Vec<(TenantId, RunId)> {
    rows.into_iter()
        .map(|(tenant, run)| (TenantId::from_uuid(tenant), RunId::from_uuid(run)))
        .collect()
}

#[async_trait]
impl Scheduling for Store {
    async fn backlog(&self) -> StoreResult<Vec<Backlog>> {
        self.within(async {
            let mut reading = self.look_all().await?;
            let rows: Vec<BacklogRow> = sqlx::query_as(timed(backlog::BACKLOG))
                .bind(reading.told_time())
                .fetch_all(reading.conn())
                .await?;
            reading.end();
            Ok(all(rows)?)
        })
        .await
    }

    async fn ready(&self, tenant: TenantId, limit: u32) -> StoreResult<Vec<Shard>> {
        self.within(async {
            let mut reading = self.look_all().await?;
            let rows: Vec<ShardRow> = sqlx::query_as(timed(backlog::READY))
                .bind(reading.told_time())
                .bind(tenant.as_uuid())
                .bind(i64::from(limit))
                .fetch_all(reading.conn())
                .await?;
            reading.end();
            Ok(all(rows)?)
        })
        .await
    }

    async fn dispatch(&self, shards: &[Shard], patience: Duration) -> StoreResult<u64> {
        self.within(async {
            let mut tx = self.write_all_lightly().await?;
            let overdue_at = after(tx.now().await?, patience);
            // Locked in one order everywhere, so that two schedulers cannot wait for each other.
            let mut in_lock_order: Vec<&Shard> = shards.iter().collect();
            in_lock_order.sort_by_key(|shard| (shard.tenant, shard.id));
            let mut was_ready: HashSet<ShardId> = HashSet::with_capacity(shards.len());
            for shard in in_lock_order {
                let done = sqlx::query(
                    "UPDATE shards SET state = 'dispatched', overdue_at = $3
                     WHERE tenant_id = $1 AND id = $2 AND state = 'ready'",
                )
                .bind(shard.tenant.as_uuid())
                .bind(shard.id.as_uuid())
                .bind(overdue_at)
                .execute(tx.conn())
                .await?;
                if done.rows_affected() == 1 {
                    was_ready.insert(shard.id);
                }
            }
            let mut dispatched = 0;
            for shard in shards {
                // A shard that was named twice is sent once.
                if !was_ready.remove(&shard.id) {
                    continue;
                }
                // A row that an earlier, lost dispatch left behind does as well.
                sqlx::query(
                    "INSERT INTO outbox (tenant_id, shard_id) VALUES ($1, $2) ON CONFLICT (tenant_id, shard_id) DO NOTHING",
                )
                .bind(shard.tenant.as_uuid())
                .bind(shard.id.as_uuid())
                .execute(tx.conn())
                .await?;
                dispatched += 1;
            }
            tx.commit().await?;
            Ok(dispatched)
        })
        .await
    }

    async fn outbox(&self, limit: u32) -> StoreResult<Vec<(i64, JobMessage)>> {
        self.within(async {
            let mut reading = self.look_all().await?;
            let rows: Vec<(i64, Uuid, Uuid, Option<String>)> = sqlx::query_as(
                "SELECT o.id, o.tenant_id, o.shard_id, r.trace FROM outbox o
                 JOIN shards s ON s.tenant_id = o.tenant_id AND s.id = o.shard_id
                 JOIN runs r ON r.tenant_id = s.tenant_id AND r.id = s.run_id ORDER BY o.id LIMIT $1",
            )
            .bind(i64::from(limit))
            .fetch_all(reading.conn())
            .await?;
            reading.end();
            let mut messages = Vec::with_capacity(rows.len());
            for (id, tenant, shard, parent) in rows {
                let message = JobMessage {
                    tenant: TenantId::from_uuid(tenant),
                    shard: ShardId::from_uuid(shard),
                    trace: trace(parent),
                };
                messages.push((id, message));
            }
            Ok(messages)
        })
        .await
    }

    async fn clear_outbox(&self, ids: &[i64]) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write_all_lightly().await?;
            sqlx::query(dialect::CLEAR_OUTBOX)
                .bind(dialect::ints(ids.to_vec())?)
                .execute(tx.conn())
                .await?;
            tx.commit().await
        })
        .await
    }

    async fn requeue_lost(&self, max_failures: u32) -> StoreResult<Lost> {
        self.within(async {
            let mut tx = self.write_all().await?;
            let now = tx.now().await?;
            let states: Vec<String> = sqlx::query_scalar(dialect::REQUEUE_LOST)
                .bind(now)
                .bind(i64::from(max_failures))
                .bind(VANISHED)
                .fetch_all(tx.conn())
                .await?;
            tx.commit().await?;
            let requeued = states.iter().filter(|state| *state == "ready").count();
            Ok(Lost {
                requeued: requeued as u64,
                set_aside: (states.len() - requeued) as u64,
            })
        })
        .await
    }

    async fn requeue_all(&self) -> StoreResult<u64> {
        self.within(async {
            let mut tx = self.write_all().await?;
            let now = tx.now().await?;
            let done = sqlx::query(
                "UPDATE shards SET state = 'ready', ready_at = $1, overdue_at = NULL, worker_id = NULL
                 WHERE state IN ('dispatched', 'leased')",
            )
            .bind(now)
            .execute(tx.conn())
            .await?;
            for forget in [
                "DELETE FROM outbox",
                "DELETE FROM workers",
                "UPDATE named_leases SET holder = NULL",
            ] {
                sqlx::query(forget).execute(tx.conn()).await?;
            }
            tx.commit().await?;
            Ok(done.rows_affected())
        })
        .await
    }

    async fn due(&self, now: DateTime<Utc>, limit: u32) -> StoreResult<Vec<(TenantId, RunId)>> {
        self.within(async {
            let mut reading = self.look_all().await?;
            let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
                "SELECT tenant_id, id FROM runs
                 WHERE resumes_at <= $1 AND state IN ('waiting_quota', 'waiting_auth', 'waiting_user')
                 ORDER BY resumes_at, id LIMIT $2",
            )
            .bind(now)
            .bind(i64::from(limit))
            .fetch_all(reading.conn())
            .await?;
            reading.end();
            Ok(runs_of(rows))
        })
        .await
    }

    async fn drained(&self, limit: u32) -> StoreResult<Vec<(TenantId, RunId)>> {
        self.within(async {
            let mut reading = self.look_all().await?;
            let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
                timed("SELECT r.tenant_id, r.id FROM runs r
                 WHERE r.state = 'pausing' AND NOT EXISTS (SELECT 1 FROM shards s
                     WHERE s.tenant_id = r.tenant_id AND s.run_id = r.id AND s.state = 'leased' AND s.overdue_at > {now})
                 ORDER BY r.id LIMIT $2"),
            )
            .bind(reading.told_time())
            .bind(i64::from(limit))
            .fetch_all(reading.conn())
            .await?;
            reading.end();
            Ok(runs_of(rows))
        })
        .await
    }

    async fn holders(&self) -> StoreResult<Vec<Holder>> {
        self.within(async {
            let mut tx = self.read_all().await?;
            holders::holders(&mut tx).await
        })
        .await
    }

    async fn recall(&self, tenant: TenantId, most: u64) -> StoreResult<Vec<u64>> {
        self.within(async {
            let mut tx = self.write_all().await?;
            let left = holders::recall(&mut tx, tenant, most).await?;
            tx.commit().await?;
            Ok(left)
        })
        .await
    }

    async fn load(&self) -> StoreResult<Load> {
        self.within(async {
            let mut reading = self.look_all().await?;
            let (workers, slots, in_flight, first_overdue_at): (
                i64,
                i64,
                i64,
                Option<DateTime<Utc>>,
            ) = sqlx::query_as(timed(backlog::LOAD))
                .bind(reading.told_time())
                .fetch_one(reading.conn())
                .await?;
            reading.end();
            Ok(Load {
                workers: count(workers)?,
                slots: count(slots)?,
                in_flight: count(in_flight)?,
                first_overdue_at,
            })
        })
        .await
    }

    async fn stuck(&self, limit: u32) -> StoreResult<Vec<(TenantId, RunId)>> {
        self.within(async {
            let mut reading = self.look_all().await?;
            let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
                "SELECT r.tenant_id, r.id FROM runs r
                 WHERE r.state IN ('queued', 'running') AND EXISTS (SELECT 1 FROM shards s
                     WHERE s.tenant_id = r.tenant_id AND s.run_id = r.id AND s.state = 'set_aside')
                 AND NOT EXISTS (SELECT 1 FROM shards s WHERE s.tenant_id = r.tenant_id AND s.run_id = r.id
                     AND s.state IN ('ready', 'dispatched', 'leased'))
                 ORDER BY r.id LIMIT $1",
            )
            .bind(i64::from(limit))
            .fetch_all(reading.conn())
            .await?;
            reading.end();
            Ok(runs_of(rows))
        })
        .await
    }

    async fn time(&self) -> StoreResult<DateTime<Utc>> {
        self.within(async {
            let mut reading = self.look_all().await?;
            let time = match reading.told_time() {
                Some(time) => time,
                None => {
                    sqlx::query_scalar(dialect::NOW)
                        .fetch_one(reading.conn())
                        .await?
                }
            };
            reading.end();
            Ok(time)
        })
        .await
    }

    async fn shard(&self, id: ShardId) -> StoreResult<Option<ShardStanding>> {
        self.within(async {
            let mut tx = self.read_all().await?;
            // Ids are indexed for each tenant, and tenants are few beside shards.
            let row: Option<ShardStandingRow> = sqlx::query_as(
                "SELECT s.tenant_id, s.id, s.run_id, s.plan_id, CASE WHEN s.originals THEN 'originals' ELSE s.kind END AS kind,
                     s.items, s.state, s.failures, s.reason
                 FROM tenants t JOIN shards s ON s.tenant_id = t.tenant_id AND s.id = $1",
            )
            .bind(id.as_uuid())
            .fetch_optional(tx.conn())
            .await?;
            Ok(one(row)?)
        })
        .await
    }

    async fn shards_set_aside(&self, limit: u32) -> StoreResult<Vec<SetAside>> {
        self.within(async {
            let mut tx = self.read_all().await?;
            let rows: Vec<SetAsideRow> = sqlx::query_as(
                "SELECT tenant_id, id, run_id, plan_id, CASE WHEN originals THEN 'originals' ELSE kind END AS kind,
                     items, reason FROM shards
                 WHERE state = 'set_aside' ORDER BY place LIMIT $1",
            )
            .bind(i64::from(limit))
            .fetch_all(tx.conn())
            .await?;
            Ok(all(rows)?)
        })
        .await
    }

    async fn open_leases(&self, limit: u32) -> StoreResult<Vec<OpenLease>> {
        self.within(async {
            let mut reading = self.look_all().await?;
            let rows: Vec<OpenLeaseRow> = sqlx::query_as(
                timed("SELECT tenant_id, id, run_id, plan_id, CASE WHEN originals THEN 'originals' ELSE kind END AS kind,
                     items, worker_id, lease_epoch, leased_at, overdue_at
                 FROM shards WHERE state = 'leased' AND overdue_at > {now} ORDER BY leased_at, place LIMIT $2"),
            )
            .bind(reading.told_time())
            .bind(i64::from(limit))
            .fetch_all(reading.conn())
            .await?;
            reading.end();
            Ok(all(rows)?)
        })
        .await
    }

    async fn open_runs(&self) -> StoreResult<Vec<(RunState, u64)>> {
        self.within(async {
            let mut reading = self.look_all().await?;
            let rows: Vec<(String, i64)> = sqlx::query_as(
                "SELECT state, COUNT(*) FROM runs
                 WHERE state NOT IN ('succeeded', 'partial', 'failed', 'cancelled') GROUP BY state ORDER BY state",
            )
            .fetch_all(reading.conn())
            .await?;
            reading.end();
            let mut runs = Vec::with_capacity(rows.len());
            for (state, number) in rows {
                runs.push((from_name(&state)?, count(number)?));
            }
            Ok(runs)
        })
        .await
    }

    async fn next_event_at(&self) -> StoreResult<Option<DateTime<Utc>>> {
        self.within(async {
            let mut tx = self.read_all().await?;
            let now = tx.now().await?;
            let shard: Option<DateTime<Utc>> = sqlx::query_scalar(
                "SELECT MIN(s.ready_at) FROM shards s JOIN runs r ON r.tenant_id = s.tenant_id AND r.id = s.run_id
                 WHERE s.state = 'ready' AND s.ready_at > $1 AND r.state IN ('queued', 'running')",
            )
            .bind(now)
            .fetch_one(tx.conn())
            .await?;
            let run: Option<DateTime<Utc>> = sqlx::query_scalar(
                "SELECT MIN(resumes_at) FROM runs WHERE state IN ('waiting_quota', 'waiting_auth', 'waiting_user')",
            )
            .fetch_one(tx.conn())
            .await?;
            Ok([shard, run].into_iter().flatten().min())
        })
        .await
    }
}
