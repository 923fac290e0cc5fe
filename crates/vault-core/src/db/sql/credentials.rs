//! Credentials. Whoever changes one has locked its tenant's row, so a row is read, changed and written back whole.

use async_trait::async_trait;
use tintype_model::{StorageId, TenantId};
use uuid::Uuid;

use super::{Begun, dialect};
use crate::db::{CredentialRow, CredentialRows, Current, Sql};

#[async_trait]
impl CredentialRows for Begun {
    async fn credential(
        &mut self,
        tenant: TenantId,
        storage: StorageId,
    ) -> Sql<Option<CredentialRow>> {
        sqlx::query_as(
            "SELECT c.* FROM credential c JOIN vault_tenant t ON t.tenant_id = c.tenant_id
             WHERE c.tenant_id = $1 AND c.storage_id = $2 AND t.data_key IS NOT NULL",
        )
        .bind(tenant.as_uuid())
        .bind(storage.as_uuid())
        .fetch_optional(self.conn())
        .await
    }

    async fn credentials(&mut self, tenant: TenantId) -> Sql<Vec<CredentialRow>> {
        sqlx::query_as("SELECT * FROM credential WHERE tenant_id = $1 ORDER BY storage_id")
            .bind(tenant.as_uuid())
            .fetch_all(self.conn())
            .await
    }

    async fn put_credential(&mut self, row: &CredentialRow) -> Sql<()> {
        sqlx::query(
            "INSERT INTO credential (tenant_id, storage_id, kind, public_id, generation, version, key_version, secret,
                 refresh_token, scopes, refresh_token_expires_at, refused, access_token, access_number,
                 access_expires_at, lease_holder, lease_until, failures, retry_at, forced_at, refused_by,
                 account, used_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                 $22, $23)
             ON CONFLICT (tenant_id, storage_id) DO UPDATE SET
                 kind = excluded.kind, public_id = excluded.public_id, generation = excluded.generation,
                 version = excluded.version, key_version = excluded.key_version, secret = excluded.secret,
                 refresh_token = excluded.refresh_token, scopes = excluded.scopes,
                 refresh_token_expires_at = excluded.refresh_token_expires_at, refused = excluded.refused,
                 access_token = excluded.access_token, access_number = excluded.access_number,
                 access_expires_at = excluded.access_expires_at, lease_holder = excluded.lease_holder,
                 lease_until = excluded.lease_until, failures = excluded.failures, retry_at = excluded.retry_at,
                 forced_at = excluded.forced_at, refused_by = excluded.refused_by,
                 account = excluded.account, used_at = excluded.used_at",
        )
        .bind(row.tenant_id)
        .bind(row.storage_id)
        .bind(&row.kind)
        .bind(&row.public_id)
        .bind(row.generation)
        .bind(row.version)
        .bind(row.key_version)
        .bind(&row.secret)
        .bind(&row.refresh_token)
        .bind(&row.scopes)
        .bind(row.refresh_token_expires_at)
        .bind(&row.refused)
        .bind(&row.access_token)
        .bind(row.access_number)
        .bind(row.access_expires_at)
        .bind(row.lease_holder)
        .bind(row.lease_until)
        .bind(row.failures)
        .bind(row.retry_at)
        .bind(row.forced_at)
        .bind(&row.refused_by)
        .bind(&row.account)
        .bind(row.used_at)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    async fn delete_credential(&mut self, tenant: TenantId, storage: StorageId) -> Sql<bool> {
        let done = sqlx::query("DELETE FROM credential WHERE tenant_id = $1 AND storage_id = $2")
            .bind(tenant.as_uuid())
            .bind(storage.as_uuid())
            .execute(self.conn())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    async fn currents(&mut self, owners: &[(Uuid, Uuid)]) -> Sql<Vec<Current>> {
        dialect::currents(self.conn(), owners).await
    }
}
