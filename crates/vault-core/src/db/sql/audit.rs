//! The access log.

use async_trait::async_trait;
use tintype_model::TenantId;

use super::{Begun, dialect};
use crate::db::{AuditRows, EntryRow, Sql, TenantRow};

#[async_trait]
impl AuditRows for Begun {
    async fn append(&mut self, entries: &[EntryRow], ends: &[TenantRow]) -> Sql<()> {
        dialect::append(self.conn(), entries, ends).await
    }

    async fn entries(&mut self, tenant: TenantId, after: i64, limit: u32) -> Sql<Vec<EntryRow>> {
        sqlx::query_as(
            "SELECT tenant_id, number, at, action, storage_id, run_id, purpose, mac FROM audit_entry
             WHERE tenant_id = $1 AND number > $2 ORDER BY number LIMIT $3",
        )
        .bind(tenant.as_uuid())
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(self.conn())
        .await
    }
}
