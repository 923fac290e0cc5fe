//! Plans, and when they are due.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use tintype_model::{PlanId, TenantId, plan::Plan};
use tintype_ports::store::{Plans, StoreResult};

use super::{Store, Tx};
use crate::{
    codec::json,
    failure::{Explain as _, Outcome, unchanged},
    rows::{PlanRow, all, one},
};

const COLUMNS: &str = "tenant_id, id, kind, name, source_id, destination_id, archive_id, options, schedule, created_at, next_due_at";

fn select(which: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!("SELECT {COLUMNS} FROM plans WHERE {which}"))
}

async fn due(tx: &mut Tx, limit: u32) -> Outcome<Vec<PlanRow>> {
    let now = tx.now().await?;
    let rows = sqlx::query_as(select(
        "next_due_at <= $1 ORDER BY next_due_at, id LIMIT $2",
    ))
    .bind(now)
    .bind(i64::from(limit))
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

#[async_trait]
impl Plans for Store {
    async fn add_plan(&self, plan: &Plan, next_due: Option<DateTime<Utc>>) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write(plan.tenant).await?;
            sqlx::query(
                "INSERT INTO plans (tenant_id, id, name, source_id, destination_id, archive_id, options, created_at,
                     schedule, next_due_at, kind)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            )
            .bind(plan.tenant.as_uuid())
            .bind(plan.id.as_uuid())
            .bind(&plan.name)
            .bind(plan.source.as_uuid())
            .bind(plan.destination.as_uuid())
            .bind(plan.archive.as_uuid())
            .bind(json(&plan.options)?)
            .bind(plan.created_at)
            .bind(plan.schedule.as_ref().map(json).transpose()?)
            .bind(next_due)
            .bind(plan.kind.as_str())
            .execute(tx.conn())
            .await
            .taken("a plan with this name exists already")
            .missing("a storage of the plan")?;
            tx.commit().await
        })
        .await
    }

    async fn update_plan(
        &self,
        from: &Plan,
        to: &Plan,
        next_due: Option<DateTime<Utc>>,
    ) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write(from.tenant).await?;
            let done = sqlx::query(
                "UPDATE plans SET name = $3, schedule = $4, next_due_at = $5
                 WHERE tenant_id = $1 AND id = $2 AND name = $6 AND schedule IS NOT DISTINCT FROM $7",
            )
            .bind(from.tenant.as_uuid())
            .bind(from.id.as_uuid())
            .bind(&to.name)
            .bind(to.schedule.as_ref().map(json).transpose()?)
            .bind(next_due)
            .bind(&from.name)
            .bind(from.schedule.as_ref().map(json).transpose()?)
            .execute(tx.conn())
            .await
            .taken("a plan with this name exists already")?;
            if done.rows_affected() == 0 {
                let is_there: i64 = sqlx::query_scalar(
                    "SELECT COUNT(*) FROM plans WHERE tenant_id = $1 AND id = $2",
                )
                .bind(from.tenant.as_uuid())
                .bind(from.id.as_uuid())
                .fetch_one(tx.conn())
                .await?;
                return Err(unchanged(is_there, "the plan"));
            }
            tx.commit().await
        })
        .await
    }

    async fn plan(&self, tenant: TenantId, id: PlanId) -> StoreResult<Option<Plan>> {
        self.within(async {
            let mut reading = self.look(tenant).await?;
            let row: Option<PlanRow> = sqlx::query_as(select("tenant_id = $1 AND id = $2"))
                .bind(tenant.as_uuid())
                .bind(id.as_uuid())
                .fetch_optional(reading.conn())
                .await?;
            reading.end();
            Ok(one(row)?)
        })
        .await
    }

    async fn plan_by_name(&self, tenant: TenantId, name: &str) -> StoreResult<Option<Plan>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let row: Option<PlanRow> = sqlx::query_as(select("tenant_id = $1 AND name = $2"))
                .bind(tenant.as_uuid())
                .bind(name)
                .fetch_optional(tx.conn())
                .await?;
            Ok(one(row)?)
        })
        .await
    }

    async fn plans(&self, tenant: TenantId) -> StoreResult<Vec<Plan>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let rows: Vec<PlanRow> = sqlx::query_as(select("tenant_id = $1 ORDER BY name"))
                .bind(tenant.as_uuid())
                .fetch_all(tx.conn())
                .await?;
            Ok(all(rows)?)
        })
        .await
    }

    async fn page_of_plans(
        &self,
        tenant: TenantId,
        after: Option<PlanId>,
        limit: u32,
    ) -> StoreResult<Vec<Plan>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let which = "tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";
            let rows: Vec<PlanRow> = sqlx::query_as(select(which))
                .bind(tenant.as_uuid())
                .bind(after.map_or(uuid::Uuid::nil(), PlanId::as_uuid))
                .bind(i64::from(limit))
                .fetch_all(tx.conn())
                .await?;
            Ok(all(rows)?)
        })
        .await
    }

    async fn due_plans(&self, limit: u32) -> StoreResult<Vec<(Plan, DateTime<Utc>)>> {
        self.within(async {
            let mut tx = self.read_all().await?;
            let rows = due(&mut tx, limit).await?;
            let mut plans = Vec::with_capacity(rows.len());
            for row in rows {
                if let Some(at) = row.next_due_at {
                    plans.push((Plan::try_from(row)?, at));
                }
            }
            Ok(plans)
        })
        .await
    }

    async fn move_due(
        &self,
        plan: &Plan,
        from: DateTime<Utc>,
        to: Option<DateTime<Utc>>,
    ) -> StoreResult<bool> {
        self.within(async {
            let mut tx = self.write_all().await?;
            let done = sqlx::query(
                "UPDATE plans SET next_due_at = $4 WHERE tenant_id = $1 AND id = $2 AND next_due_at = $3",
            )
            .bind(plan.tenant.as_uuid())
            .bind(plan.id.as_uuid())
            .bind(from)
            .bind(to)
            .execute(tx.conn())
            .await?;
            tx.commit().await?;
            Ok(done.rows_affected() == 1)
        })
        .await
    }
}
