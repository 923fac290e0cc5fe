//! The durable side of the quota. Every change is one statement on one row, so that no two counters get the same unit.

use async_trait::async_trait;
use tintype_model::quota::{CloudProject, ParseProjectError, QuotaDay, QuotaKind};
use tintype_ports::{
    StoreError,
    store::{QuotaLedger, QuotaRow, StoreResult},
};

use super::Store;
use crate::codec::{count, from_name};

/// Units as the ledger counts them; more than it can count is as good as all of them.
fn units(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[async_trait]
impl QuotaLedger for Store {
    async fn lease_units(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
        day: QuotaDay,
        want: u64,
        limit: u64,
    ) -> StoreResult<u64> {
        self.within(async {
            let mut tx = self.write_all().await?;
            let granted: i64 = sqlx::query_scalar(
                "INSERT INTO quota_days AS q (project, kind, day, leased, last_grant) VALUES ($1, $2, $3, $4, $4)
                 ON CONFLICT (project, kind, day) DO UPDATE SET
                     last_grant = CASE WHEN q.exhausted OR q.leased >= $6 THEN 0
                         WHEN $6 - q.leased < $5 THEN $6 - q.leased ELSE $5 END,
                     leased = q.leased + CASE WHEN q.exhausted OR q.leased >= $6 THEN 0
                         WHEN $6 - q.leased < $5 THEN $6 - q.leased ELSE $5 END
                 RETURNING last_grant",
            )
            .bind(project.as_str())
            .bind(kind.as_str())
            .bind(day.date())
            .bind(units(want.min(limit)))
            .bind(units(want))
            .bind(units(limit))
            .fetch_one(tx.conn())
            .await?;
            tx.commit().await?;
            Ok(count(granted)?)
        })
        .await
    }

    async fn return_units(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
        day: QuotaDay,
        unspent: u64,
    ) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write_all().await?;
            // After the provider said that the day is over, what comes back must not be leased again.
            sqlx::query(
                "UPDATE quota_days SET leased = CASE WHEN leased > $4 THEN leased - $4 ELSE 0 END
                 WHERE project = $1 AND kind = $2 AND day = $3 AND NOT exhausted",
            )
            .bind(project.as_str())
            .bind(kind.as_str())
            .bind(day.date())
            .bind(units(unspent))
            .execute(tx.conn())
            .await?;
            tx.commit().await
        })
        .await
    }

    async fn exhaust_day(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
        day: QuotaDay,
        limit: u64,
    ) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write_all().await?;
            sqlx::query(
                "INSERT INTO quota_days AS q (project, kind, day, leased, exhausted) VALUES ($1, $2, $3, $4, TRUE)
                 ON CONFLICT (project, kind, day) DO UPDATE SET
                     leased = CASE WHEN q.leased > $4 THEN q.leased ELSE $4 END, exhausted = TRUE",
            )
            .bind(project.as_str())
            .bind(kind.as_str())
            .bind(day.date())
            .bind(units(limit))
            .execute(tx.conn())
            .await?;
            tx.commit().await
        })
        .await
    }

    async fn quota_rows(&self, day: QuotaDay) -> StoreResult<Vec<QuotaRow>> {
        self.within(async {
            let mut tx = self.read_all().await?;
            let rows: Vec<(String, String, i64, bool)> = sqlx::query_as(
                "SELECT project, kind, leased, exhausted FROM quota_days WHERE day = $1 ORDER BY project, kind",
            )
            .bind(day.date())
            .fetch_all(tx.conn())
            .await?;
            let mut lines = Vec::with_capacity(rows.len());
            for (project, kind, leased, exhausted) in rows {
                lines.push(QuotaRow {
                    project: project.parse().map_err(|error: ParseProjectError| {
                        StoreError::Corrupt(error.to_string())
                    })?,
                    kind: from_name(&kind)?,
                    leased: count(leased)?,
                    exhausted,
                });
            }
            Ok(lines)
        })
        .await
    }

    async fn leased_units(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
        day: QuotaDay,
    ) -> StoreResult<u64> {
        self.within(async {
            let mut tx = self.read_all().await?;
            let leased: Option<i64> = sqlx::query_scalar(
                "SELECT leased FROM quota_days WHERE project = $1 AND kind = $2 AND day = $3",
            )
            .bind(project.as_str())
            .bind(kind.as_str())
            .bind(day.date())
            .fetch_optional(tx.conn())
            .await?;
            Ok(count(leased.unwrap_or(0))?)
        })
        .await
    }
}
