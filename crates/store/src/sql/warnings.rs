//! What tenants were told of accounts whose credentials will die.

use async_trait::async_trait;
use sqlx::FromRow;
use tintype_model::{
    StorageId, TenantId,
    credential::health::{Deadline, Warned},
    storage::Storage,
};
use tintype_ports::{
    StoreError,
    store::{StoreResult, Warnings, WatchedStorage},
};
use uuid::Uuid;

use super::Store;
use crate::rows::{StorageRow, all};

#[derive(FromRow)]
struct WatchedRow {
    #[sqlx(flatten)]
    storage: StorageRow,
    warned_death: Option<chrono::DateTime<chrono::Utc>>,
    warned_hours: Option<i64>,
}

impl TryFrom<WatchedRow> for WatchedStorage {
    type Error = StoreError;

    fn try_from(row: WatchedRow) -> Result<Self, StoreError> {
        let warned = match (row.warned_death, row.warned_hours) {
            (Some(dies_at), Some(hours)) => {
                let known = u32::try_from(hours).ok().and_then(Deadline::of_hours);
                let deadline = known.ok_or_else(|| {
                    StoreError::Corrupt(format!("nobody is warned {hours} hours before"))
                })?;
                Some(Warned { dies_at, deadline })
            }
            _ => None,
        };
        Ok(Self {
            storage: Storage::try_from(row.storage)?,
            warned,
        })
    }
}

#[async_trait]
impl Warnings for Store {
    async fn watched_storages(
        &self,
        after: Option<(TenantId, StorageId)>,
        limit: u32,
    ) -> StoreResult<Vec<WatchedStorage>> {
        self.within(async {
            let mut tx = self.read_all().await?;
            let (tenant, storage) = after.map_or((Uuid::nil(), Uuid::nil()), |(tenant, id)| {
                (tenant.as_uuid(), id.as_uuid())
            });
            let rows: Vec<WatchedRow> = sqlx::query_as(
                "SELECT tenant_id, id, name, settings, created_at, warned_death, warned_hours FROM storages
                 WHERE (tenant_id, id) > ($1, $2) ORDER BY tenant_id, id LIMIT $3",
            )
            .bind(tenant)
            .bind(storage)
            .bind(i64::from(limit))
            .fetch_all(tx.conn())
            .await?;
            Ok(all(rows)?)
        })
        .await
    }

    async fn record_warning(
        &self,
        tenant: TenantId,
        storage: StorageId,
        from: Option<Warned>,
        to: Warned,
    ) -> StoreResult<bool> {
        self.within(async {
            let mut tx = self.write_all().await?;
            let done = sqlx::query(
                "UPDATE storages SET warned_death = $3, warned_hours = $4
                 WHERE tenant_id = $1 AND id = $2
                     AND warned_death IS NOT DISTINCT FROM $5 AND warned_hours IS NOT DISTINCT FROM $6",
            )
            .bind(tenant.as_uuid())
            .bind(storage.as_uuid())
            .bind(to.dies_at)
            .bind(i64::from(to.deadline.hours()))
            .bind(from.map(|it| it.dies_at))
            .bind(from.map(|it| i64::from(it.deadline.hours())))
            .execute(tx.conn())
            .await?;
            tx.commit().await?;
            Ok(done.rows_affected() == 1)
        })
        .await
    }
}
