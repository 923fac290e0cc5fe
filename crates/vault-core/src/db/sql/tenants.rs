//! Tenants and their wrapped keys.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tintype_model::TenantId;
use uuid::Uuid;

use super::{Begun, dialect};
use crate::db::{Sql, TenantRow, TenantRows};

#[async_trait]
impl TenantRows for Begun {
    async fn tenant(&mut self, tenant: TenantId) -> Sql<Option<TenantRow>> {
        sqlx::query_as(
            "SELECT tenant_id, data_key_version, kek_version, data_key, audit_key, audit_count, audit_mac, audit_head
             FROM vault_tenant WHERE tenant_id = $1",
        )
        .bind(tenant.as_uuid())
        .fetch_optional(self.conn())
        .await
    }

    async fn lock_tenants(&mut self, tenants: &[Uuid]) -> Sql<Vec<TenantRow>> {
        dialect::lock_tenants(self.conn(), tenants).await
    }

    async fn insert_tenant(&mut self, row: &TenantRow) -> Sql<()> {
        sqlx::query(
            "INSERT INTO vault_tenant
             (tenant_id, data_key_version, kek_version, data_key, audit_key, audit_count, audit_mac, audit_head)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant_id) DO NOTHING",
        )
        .bind(row.tenant_id)
        .bind(row.data_key_version)
        .bind(row.kek_version)
        .bind(&row.data_key)
        .bind(&row.audit_key)
        .bind(row.audit_count)
        .bind(&row.audit_mac)
        .bind(&row.audit_head)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    async fn replace_keys(&mut self, row: &TenantRow) -> Sql<()> {
        sqlx::query(
            "UPDATE vault_tenant SET data_key_version = $2, kek_version = $3, data_key = $4, audit_key = $5
             WHERE tenant_id = $1",
        )
        .bind(row.tenant_id)
        .bind(row.data_key_version)
        .bind(row.kek_version)
        .bind(&row.data_key)
        .bind(&row.audit_key)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    async fn destroy_tenant(&mut self, tenant: TenantId, at: DateTime<Utc>) -> Sql<()> {
        sqlx::query(
            "UPDATE vault_tenant SET data_key = NULL, destroyed_at = $2 WHERE tenant_id = $1",
        )
        .bind(tenant.as_uuid())
        .bind(at.timestamp_millis())
        .execute(self.conn())
        .await?;
        let deletions = [
            "DELETE FROM credential WHERE tenant_id = $1",
            "DELETE FROM signing_key WHERE tenant_id = $1",
            "DELETE FROM sign_in WHERE tenant_id = $1",
        ];
        for deletion in deletions {
            sqlx::query(deletion)
                .bind(tenant.as_uuid())
                .execute(self.conn())
                .await?;
        }
        Ok(())
    }

    async fn key_versions(&mut self) -> Sql<Vec<(i64, i64)>> {
        sqlx::query_as(
            "SELECT kek_version, COUNT(*) FROM vault_tenant GROUP BY kek_version ORDER BY kek_version",
        )
        .fetch_all(self.conn())
        .await
    }

    async fn tenant_of_key(&mut self, kek_version: i64) -> Sql<Option<TenantRow>> {
        sqlx::query_as(
            "SELECT tenant_id, data_key_version, kek_version, data_key, audit_key, audit_count, audit_mac, audit_head
             FROM vault_tenant WHERE kek_version = $1 ORDER BY tenant_id LIMIT 1",
        )
        .bind(kek_version)
        .fetch_optional(self.conn())
        .await
    }

    async fn tenants_to_rewrap(&mut self, newest: i64, after: Uuid, limit: u32) -> Sql<Vec<Uuid>> {
        sqlx::query_scalar(
            "SELECT tenant_id FROM vault_tenant WHERE kek_version <> $1 AND tenant_id > $2
             ORDER BY tenant_id LIMIT $3",
        )
        .bind(newest)
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(self.conn())
        .await
    }
}
