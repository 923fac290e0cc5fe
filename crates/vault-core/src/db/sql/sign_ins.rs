//! Sign-ins that are under way.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tintype_model::TenantId;

use super::Begun;
use crate::db::{SignInRow, SignInRows, Sql};

#[async_trait]
impl SignInRows for Begun {
    async fn put_sign_in(&mut self, row: &SignInRow, now: DateTime<Utc>) -> Sql<()> {
        sqlx::query(
            "DELETE FROM sign_in WHERE tenant_id = $1 AND (storage_id = $2 OR expires_at < $3)",
        )
        .bind(row.tenant_id)
        .bind(row.storage_id)
        .bind(now.timestamp_millis())
        .execute(self.conn())
        .await?;
        sqlx::query(
            "INSERT INTO sign_in (state_hash, tenant_id, storage_id, client_id, redirect_uri, other_account, key_version,
                 client_secret, verifier, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(&row.state_hash)
        .bind(row.tenant_id)
        .bind(row.storage_id)
        .bind(&row.client_id)
        .bind(&row.redirect_uri)
        .bind(row.other_account)
        .bind(row.key_version)
        .bind(&row.client_secret)
        .bind(&row.verifier)
        .bind(row.expires_at)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    async fn take_sign_in(&mut self, state_hash: &[u8]) -> Sql<Option<SignInRow>> {
        sqlx::query_as("DELETE FROM sign_in WHERE state_hash = $1 RETURNING *")
            .bind(state_hash.to_vec())
            .fetch_optional(self.conn())
            .await
    }

    async fn drop_sign_ins(&mut self, tenant: TenantId) -> Sql<()> {
        sqlx::query("DELETE FROM sign_in WHERE tenant_id = $1")
            .bind(tenant.as_uuid())
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
