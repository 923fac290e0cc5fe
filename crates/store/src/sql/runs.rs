//! Runs. Whoever locks a run and shards of it locks the run first.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::QueryBuilder;
use tintype_model::{
    PlanId, RunId, TenantId,
    progress::Progress,
    run::{Run, RunMode, RunState, RunStatus},
    shard::Shard,
};
use tintype_ports::store::{OpenShards, RunFilter, Runs, StoreResult};

use super::{Db, Store, dialect, shards::insert_shard};
use crate::{
    codec::{count, json, name},
    failure::Explain as _,
    rows::{ProgressRow, RunRow, all, one},
};

#[async_trait]
impl Runs for Store {
    async fn start_run(&self, run: &Run, first: &Shard) -> StoreResult<()> {
        self.within(async {
            // What is picked adds to what is there, as a routine run does.
            let picks = run.mode == RunMode::Picks;
            let mode = if picks { RunMode::Routine } else { run.mode };
            let mut tx = self.write(run.tenant).await?;
            sqlx::query(
                "INSERT INTO runs (tenant_id, plan_id, id, mode, state, reason, resumes_at, created_at, ended_at, trace,
                     picks)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            )
            .bind(run.tenant.as_uuid())
            .bind(run.plan.as_uuid())
            .bind(run.id.as_uuid())
            .bind(name(&mode)?)
            .bind(run.status.state.as_str())
            .bind(run.status.reason.as_ref().map(json).transpose()?)
            .bind(run.status.resumes_at)
            .bind(run.created_at)
            .bind(run.ended_at)
            .bind(run.trace.as_ref().map(|trace| trace.as_str()))
            .bind(picks)
            .execute(tx.conn())
            .await
            .taken("the plan has a run that has not ended")
            .missing("the plan")?;
            insert_shard(&mut tx, first, None).await?;
            tx.commit().await
        })
        .await
    }

    async fn run(&self, tenant: TenantId, id: RunId) -> StoreResult<Option<Run>> {
        self.within(async {
            let mut reading = self.look(tenant).await?;
            let row: Option<RunRow> = sqlx::query_as(
                "SELECT r.tenant_id, r.id, r.plan_id, r.mode, r.state, r.reason, r.resumes_at, s.snapshot_id,
                     r.created_at, r.ended_at, r.trace, r.picks
                 FROM runs r LEFT JOIN run_snapshots s ON s.tenant_id = r.tenant_id AND s.run_id = r.id
                 WHERE r.tenant_id = $1 AND r.id = $2",
            )
            .bind(tenant.as_uuid())
            .bind(id.as_uuid())
            .fetch_optional(reading.conn())
            .await?;
            reading.end();
            Ok(one(row)?)
        })
        .await
    }

    async fn runs(&self, tenant: TenantId, plan: PlanId, limit: u32) -> StoreResult<Vec<Run>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let rows: Vec<RunRow> = sqlx::query_as(
                "SELECT r.tenant_id, r.id, r.plan_id, r.mode, r.state, r.reason, r.resumes_at, s.snapshot_id,
                     r.created_at, r.ended_at, r.trace, r.picks
                 FROM runs r LEFT JOIN run_snapshots s ON s.tenant_id = r.tenant_id AND s.run_id = r.id
                 WHERE r.tenant_id = $1 AND r.plan_id = $2
                 ORDER BY r.created_at DESC, r.id DESC LIMIT $3",
            )
            .bind(tenant.as_uuid())
            .bind(plan.as_uuid())
            .bind(i64::from(limit))
            .fetch_all(tx.conn())
            .await?;
            Ok(all(rows)?)
        })
        .await
    }

    async fn runs_of_tenant(
        &self,
        tenant: TenantId,
        which: &RunFilter,
        before: Option<RunId>,
        limit: u32,
    ) -> StoreResult<Vec<Run>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            // Ids begin with the time at which they were made, so their order is that of the runs.
            let mut statement = QueryBuilder::<Db>::new(
                "SELECT r.tenant_id, r.id, r.plan_id, r.mode, r.state, r.reason, r.resumes_at, s.snapshot_id,
                     r.created_at, r.ended_at, r.trace, r.picks
                 FROM runs r LEFT JOIN run_snapshots s ON s.tenant_id = r.tenant_id AND s.run_id = r.id
                 WHERE r.tenant_id = ",
            );
            statement.push_bind(tenant.as_uuid());
            statement.push(" AND r.id < ");
            statement.push_bind(before.map_or(uuid::Uuid::max(), RunId::as_uuid));
            if let Some(plan) = which.plan {
                statement.push(" AND r.plan_id = ").push_bind(plan.as_uuid());
            }
            if !which.states.is_empty() {
                statement.push(" AND r.state IN (");
                let mut states = statement.separated(", ");
                for state in &which.states {
                    states.push_bind(state.as_str());
                }
                statement.push(")");
            }
            statement.push(" ORDER BY r.id DESC LIMIT ").push_bind(i64::from(limit));
            let rows: Vec<RunRow> = statement.build_query_as().fetch_all(tx.conn()).await?;
            Ok(all(rows)?)
        })
        .await
    }

    async fn set_run_status(
        &self,
        tenant: TenantId,
        id: RunId,
        from: RunState,
        to: &RunStatus,
        now: DateTime<Utc>,
    ) -> StoreResult<bool> {
        self.within(async {
            let mut tx = self.write(tenant).await?;
            let ended_at = to.state.is_final().then_some(now);
            let done = sqlx::query(
                "UPDATE runs SET state = $4, reason = $5, resumes_at = $6, ended_at = $7
                 WHERE tenant_id = $1 AND id = $2 AND state = $3",
            )
            .bind(tenant.as_uuid())
            .bind(id.as_uuid())
            .bind(from.as_str())
            .bind(to.state.as_str())
            .bind(to.reason.as_ref().map(json).transpose()?)
            .bind(to.resumes_at)
            .bind(ended_at)
            .execute(tx.conn())
            .await
            .taken("the plan has another run that has not ended")?;
            if done.rows_affected() == 0 {
                return Ok(false);
            }
            if to.state.is_final() {
                sqlx::query(dialect::END_SHARDS)
                    .bind(tenant.as_uuid())
                    .bind(id.as_uuid())
                    .execute(tx.conn())
                    .await?;
            }
            tx.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn progress(&self, tenant: TenantId, id: RunId) -> StoreResult<Progress> {
        self.within(async {
            let mut reading = self.look(tenant).await?;
            let row: ProgressRow = sqlx::query_as(
                "SELECT CAST(COALESCE(SUM(listed), 0) AS BIGINT) AS listed,
                     CAST(COALESCE(SUM(added), 0) AS BIGINT) AS added,
                     CAST(COALESCE(SUM(changed), 0) AS BIGINT) AS changed,
                     CAST(COALESCE(SUM(gone), 0) AS BIGINT) AS gone,
                     CAST(COALESCE(SUM(queued), 0) AS BIGINT) AS queued,
                     CAST(COALESCE(SUM(stored), 0) AS BIGINT) AS stored,
                     CAST(COALESCE(SUM(failed), 0) AS BIGINT) AS failed,
                     CAST(COALESCE(SUM(upgraded), 0) AS BIGINT) AS originals,
                     CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes,
                     CAST(COALESCE(SUM(requests), 0) AS BIGINT) AS requests,
                     CAST(COALESCE(SUM(downloads), 0) AS BIGINT) AS downloads
                 FROM shards WHERE tenant_id = $1 AND run_id = $2",
            )
            .bind(tenant.as_uuid())
            .bind(id.as_uuid())
            .fetch_one(reading.conn())
            .await?;
            reading.end();
            Ok(Progress::try_from(row)?)
        })
        .await
    }

    async fn open_shards(&self, tenant: TenantId, id: RunId) -> StoreResult<OpenShards> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let now = tx.now().await?;
            let (open, leased): (i64, i64) = sqlx::query_as(
                "SELECT COUNT(*), COUNT(*) FILTER (WHERE state = 'leased' AND overdue_at > $3)
                 FROM shards WHERE tenant_id = $1 AND run_id = $2 AND state <> 'done'",
            )
            .bind(tenant.as_uuid())
            .bind(id.as_uuid())
            .bind(now)
            .fetch_one(tx.conn())
            .await?;
            Ok(OpenShards {
                open: count(open)?,
                leased: count(leased)?,
            })
        })
        .await
    }
}
