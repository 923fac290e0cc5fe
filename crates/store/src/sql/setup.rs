//! Tenants and storages.

use async_trait::async_trait;
use tintype_model::{
    StorageId, TenantId,
    storage::{Storage, StorageSettings},
    tenant::Tenant,
};
use tintype_ports::store::{Setup, StoreResult};

use super::Store;
use crate::{
    codec::{from_json, json},
    failure::{Explain as _, exactly_one, unchanged},
    rows::{StorageRow, TenantRow, all, one},
};

#[async_trait]
impl Setup for Store {
    async fn add_tenant(&self, tenant: &Tenant) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write(tenant.id).await?;
            sqlx::query(
                "INSERT INTO tenants (tenant_id, name, weight, created_at, max_shards) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(tenant.id.as_uuid())
            .bind(&tenant.name)
            .bind(i64::from(tenant.weight))
            .bind(tenant.created_at)
            .bind(tenant.max_shards.map(i64::from))
            .execute(tx.conn())
            .await
            .taken("a tenant with this id exists already")?;
            tx.commit().await
        })
        .await
    }

    async fn tenant(&self, id: TenantId) -> StoreResult<Option<Tenant>> {
        self.within(async {
            let mut reading = self.look(id).await?;
            let row: Option<TenantRow> = sqlx::query_as(
                "SELECT tenant_id, name, weight, created_at, max_shards FROM tenants WHERE tenant_id = $1",
            )
            .bind(id.as_uuid())
            .fetch_optional(reading.conn())
            .await?;
            reading.end();
            Ok(one(row)?)
        })
        .await
    }

    async fn tenant_by_name(&self, name: &str) -> StoreResult<Option<Tenant>> {
        self.within(async {
            let mut tx = self.read_all().await?;
            let row: Option<TenantRow> = sqlx::query_as(
                "SELECT tenant_id, name, weight, created_at, max_shards FROM tenants WHERE name = $1
                 ORDER BY created_at, tenant_id LIMIT 1",
            )
            .bind(name)
            .fetch_optional(tx.conn())
            .await?;
            Ok(one(row)?)
        })
        .await
    }

    async fn update_tenant(&self, from: &Tenant, to: &Tenant) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write(from.id).await?;
            let done = sqlx::query(
                "UPDATE tenants SET name = $2, weight = $3, max_shards = $4
                 WHERE tenant_id = $1 AND name = $5 AND weight = $6 AND max_shards IS NOT DISTINCT FROM $7",
            )
            .bind(from.id.as_uuid())
            .bind(&to.name)
            .bind(i64::from(to.weight))
            .bind(to.max_shards.map(i64::from))
            .bind(&from.name)
            .bind(i64::from(from.weight))
            .bind(from.max_shards.map(i64::from))
            .execute(tx.conn())
            .await?;
            if done.rows_affected() == 0 {
                let is_there: i64 =
                    sqlx::query_scalar("SELECT COUNT(*) FROM tenants WHERE tenant_id = $1")
                        .bind(from.id.as_uuid())
                        .fetch_one(tx.conn())
                        .await?;
                return Err(unchanged(is_there, "the tenant"));
            }
            tx.commit().await
        })
        .await
    }

    async fn tenants(&self, after: Option<TenantId>, limit: u32) -> StoreResult<Vec<Tenant>> {
        self.within(async {
            let mut tx = self.read_all().await?;
            let rows: Vec<TenantRow> = sqlx::query_as(
                "SELECT tenant_id, name, weight, created_at, max_shards FROM tenants WHERE tenant_id > $1
                 ORDER BY tenant_id LIMIT $2",
            )
            .bind(after.map_or(uuid::Uuid::nil(), TenantId::as_uuid))
            .bind(i64::from(limit))
            .fetch_all(tx.conn())
            .await?;
            Ok(all(rows)?)
        })
        .await
    }

    async fn add_storage(&self, storage: &Storage) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write(storage.tenant).await?;
            sqlx::query("INSERT INTO storages (tenant_id, id, name, settings, created_at) VALUES ($1, $2, $3, $4, $5)")
                .bind(storage.tenant.as_uuid())
                .bind(storage.id.as_uuid())
                .bind(&storage.name)
                .bind(json(&storage.settings)?)
                .bind(storage.created_at)
                .execute(tx.conn())
                .await
                .taken("a storage with this name exists already")
                .missing("the tenant")?;
            tx.commit().await
        })
        .await
    }

    async fn update_storage(&self, from: &Storage, to: &Storage) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write(from.tenant).await?;
            let stored: Option<(String, String)> = sqlx::query_as(
                "SELECT name, settings FROM storages WHERE tenant_id = $1 AND id = $2",
            )
            .bind(from.tenant.as_uuid())
            .bind(from.id.as_uuid())
            .fetch_optional(tx.conn())
            .await?;
            let Some((name, settings)) = stored else {
                return Err(unchanged(0, "the storage"));
            };
            // Compared as values: an older version wrote the same settings in other words.
            if name != from.name || from_json::<StorageSettings>(&settings)? != from.settings {
                return Err(unchanged(1, "the storage"));
            }
            let done = sqlx::query(
                "UPDATE storages SET name = $3, settings = $4
                 WHERE tenant_id = $1 AND id = $2 AND name = $5 AND settings = $6",
            )
            .bind(from.tenant.as_uuid())
            .bind(from.id.as_uuid())
            .bind(&to.name)
            .bind(json(&to.settings)?)
            .bind(name)
            .bind(settings)
            .execute(tx.conn())
            .await
            .taken("a storage with this name exists already")?;
            if done.rows_affected() == 0 {
                return Err(unchanged(1, "the storage"));
            }
            tx.commit().await
        })
        .await
    }

    async fn storage(&self, tenant: TenantId, id: StorageId) -> StoreResult<Option<Storage>> {
        self.within(async {
            let mut reading = self.look(tenant).await?;
            let row: Option<StorageRow> = sqlx::query_as(
                "SELECT tenant_id, id, name, settings, created_at FROM storages WHERE tenant_id = $1 AND id = $2",
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

    async fn storage_by_name(&self, tenant: TenantId, name: &str) -> StoreResult<Option<Storage>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let row: Option<StorageRow> = sqlx::query_as(
                "SELECT tenant_id, id, name, settings, created_at FROM storages WHERE tenant_id = $1 AND name = $2",
            )
            .bind(tenant.as_uuid())
            .bind(name)
            .fetch_optional(tx.conn())
            .await?;
            Ok(one(row)?)
        })
        .await
    }

    async fn storages(&self, tenant: TenantId) -> StoreResult<Vec<Storage>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let rows: Vec<StorageRow> = sqlx::query_as(
                "SELECT tenant_id, id, name, settings, created_at FROM storages WHERE tenant_id = $1 ORDER BY name",
            )
            .bind(tenant.as_uuid())
            .fetch_all(tx.conn())
            .await?;
            Ok(all(rows)?)
        })
        .await
    }

    async fn page_of_storages(
        &self,
        tenant: TenantId,
        after: Option<StorageId>,
        limit: u32,
    ) -> StoreResult<Vec<Storage>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let rows: Vec<StorageRow> = sqlx::query_as(
                "SELECT tenant_id, id, name, settings, created_at FROM storages WHERE tenant_id = $1 AND id > $2
                 ORDER BY id LIMIT $3",
            )
            .bind(tenant.as_uuid())
            .bind(after.map_or(uuid::Uuid::nil(), StorageId::as_uuid))
            .bind(i64::from(limit))
            .fetch_all(tx.conn())
            .await?;
            Ok(all(rows)?)
        })
        .await
    }

    async fn remove_storage(&self, tenant: TenantId, id: StorageId) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write(tenant).await?;
            let done = sqlx::query("DELETE FROM storages WHERE tenant_id = $1 AND id = $2")
                .bind(tenant.as_uuid())
                .bind(id.as_uuid())
                .execute(tx.conn())
                .await
                .in_use("a plan uses this storage")?;
            exactly_one(done.rows_affected(), "the storage")?;
            tx.commit().await
        })
        .await
    }
}
