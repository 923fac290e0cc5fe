//! Signing keys.

use async_trait::async_trait;
use tintype_model::{StorageId, TenantId};

use super::Begun;
use crate::db::{SigningRow, SigningRows, Sql};

#[async_trait]
impl SigningRows for Begun {
    async fn signing_key(
        &mut self,
        tenant: TenantId,
        storage: StorageId,
    ) -> Sql<Option<SigningRow>> {
        sqlx::query_as(
            "SELECT tenant_id, storage_id, key_version, pkcs8 FROM signing_key WHERE tenant_id = $1 AND storage_id = $2",
        )
        .bind(tenant.as_uuid())
        .bind(storage.as_uuid())
        .fetch_optional(self.conn())
        .await
    }

    async fn signing_keys(&mut self, tenant: TenantId) -> Sql<Vec<SigningRow>> {
        sqlx::query_as(
            "SELECT tenant_id, storage_id, key_version, pkcs8 FROM signing_key WHERE tenant_id = $1 ORDER BY storage_id",
        )
        .bind(tenant.as_uuid())
        .fetch_all(self.conn())
        .await
    }

    async fn put_signing_key(&mut self, row: &SigningRow) -> Sql<()> {
        sqlx::query(
            "INSERT INTO signing_key (tenant_id, storage_id, key_version, pkcs8) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant_id, storage_id) DO UPDATE SET
                 key_version = excluded.key_version, pkcs8 = excluded.pkcs8",
        )
        .bind(row.tenant_id)
        .bind(row.storage_id)
        .bind(row.key_version)
        .bind(&row.pkcs8)
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
