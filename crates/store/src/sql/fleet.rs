//! Named leases, and the workers that are there. Times are the database's.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tintype_model::WorkerId;
use tintype_ports::store::{Fleet, HeldLease, Leases, StoreResult, WorkerReport};
use uuid::Uuid;

use super::Store;
use crate::codec::{after, small};

#[async_trait]
impl Leases for Store {
    async fn take_lease(
        &self,
        name: &str,
        holder: WorkerId,
        ttl: Duration,
    ) -> StoreResult<Option<HeldLease>> {
        self.within(async {
            let mut tx = self.write_all().await?;
            let now = tx.now().await?;
            let expires_at = after(now, ttl);
            let taken: Option<i64> = sqlx::query_scalar(
                "INSERT INTO named_leases AS l (name, holder, epoch, expires_at) VALUES ($1, $2, 1, $3)
                 ON CONFLICT (name) DO UPDATE SET
                     epoch = CASE WHEN l.holder = $2 THEN l.epoch ELSE l.epoch + 1 END,
                     holder = $2, expires_at = $3
                 WHERE l.holder = $2 OR l.holder IS NULL OR l.expires_at <= $4
                 RETURNING epoch",
            )
            .bind(name)
            .bind(holder.as_uuid())
            .bind(expires_at)
            .bind(now)
            .fetch_optional(tx.conn())
            .await?;
            tx.commit().await?;
            Ok(taken.map(|epoch| HeldLease {
                name: name.to_owned(),
                holder,
                epoch,
                expires_at,
            }))
        })
        .await
    }

    async fn drop_lease(&self, name: &str, holder: WorkerId) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write_all().await?;
            sqlx::query("UPDATE named_leases SET holder = NULL WHERE name = $1 AND holder = $2")
                .bind(name)
                .bind(holder.as_uuid())
                .execute(tx.conn())
                .await?;
            tx.commit().await
        })
        .await
    }

    async fn held_lease(&self, name: &str) -> StoreResult<Option<HeldLease>> {
        self.within(async {
            let mut tx = self.read_all().await?;
            let now = tx.now().await?;
            let row: Option<(Uuid, i64, DateTime<Utc>)> = sqlx::query_as(
                "SELECT holder, epoch, expires_at FROM named_leases
                 WHERE name = $1 AND holder IS NOT NULL AND expires_at > $2",
            )
            .bind(name)
            .bind(now)
            .fetch_optional(tx.conn())
            .await?;
            Ok(row.map(|(holder, epoch, expires_at)| HeldLease {
                name: name.to_owned(),
                holder: WorkerId::from_uuid(holder),
                epoch,
                expires_at,
            }))
        })
        .await
    }
}

#[async_trait]
impl Fleet for Store {
    async fn report_worker(&self, worker: &WorkerReport, ttl: Duration) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write_all_lightly().await?;
            let now = tx.now().await?;
            sqlx::query(
                "INSERT INTO workers (id, name, slots, expires_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (id) DO UPDATE SET name = $2, slots = $3, expires_at = $4",
            )
            .bind(worker.id.as_uuid())
            .bind(&worker.name)
            .bind(i64::from(worker.slots))
            .bind(after(now, ttl))
            .execute(tx.conn())
            .await?;
            // Those that went without a word are cleared away by those that are there.
            sqlx::query("DELETE FROM workers WHERE expires_at <= $1")
                .bind(now)
                .execute(tx.conn())
                .await?;
            tx.commit().await
        })
        .await
    }

    async fn remove_worker(&self, worker: WorkerId) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write_all().await?;
            sqlx::query("DELETE FROM workers WHERE id = $1")
                .bind(worker.as_uuid())
                .execute(tx.conn())
                .await?;
            tx.commit().await
        })
        .await
    }

    async fn workers(&self) -> StoreResult<Vec<WorkerReport>> {
        self.within(async {
            let mut tx = self.read_all().await?;
            let now = tx.now().await?;
            let rows: Vec<(Uuid, String, i64)> = sqlx::query_as(
                "SELECT id, name, slots FROM workers WHERE expires_at > $1 ORDER BY name, id",
            )
            .bind(now)
            .fetch_all(tx.conn())
            .await?;
            let mut workers = Vec::with_capacity(rows.len());
            for (id, name, slots) in rows {
                workers.push(WorkerReport {
                    id: WorkerId::from_uuid(id),
                    name,
                    slots: small(slots)?,
                });
            }
            Ok(workers)
        })
        .await
    }
}
