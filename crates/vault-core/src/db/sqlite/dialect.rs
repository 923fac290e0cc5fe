//! What SQLite says in its own way. It knows no locks of rows: a write transaction has the whole file.

use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{Conn, Db};
use crate::db::{Current, EntryRow, Sql, TenantRow};

pub(super) async fn lock_tenants(conn: &mut Conn, tenants: &[Uuid]) -> Sql<Vec<TenantRow>> {
    let mut query = QueryBuilder::<Db>::new(
        "SELECT tenant_id, data_key_version, kek_version, data_key, audit_key, audit_count, audit_mac, audit_head
         FROM vault_tenant WHERE tenant_id IN (",
    );
    let mut ids = query.separated(", ");
    for tenant in tenants {
        ids.push_bind(*tenant);
    }
    query.push(") ORDER BY tenant_id");
    query.build_query_as().fetch_all(conn).await
}

pub(super) async fn currents(conn: &mut Conn, owners: &[(Uuid, Uuid)]) -> Sql<Vec<Current>> {
    if owners.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = QueryBuilder::<Db>::new(
        "SELECT tenant_id, storage_id, generation, access_number FROM credential
         WHERE refused IS NULL AND (tenant_id, storage_id) IN (",
    );
    query.push_values(owners, |mut pair, (tenant, storage)| {
        pair.push_bind(*tenant).push_bind(*storage);
    });
    query.push(")");
    query.build_query_as().fetch_all(conn).await
}

pub(super) async fn append(conn: &mut Conn, entries: &[EntryRow], ends: &[TenantRow]) -> Sql<()> {
    let mut query = QueryBuilder::<Db>::new(
        "INSERT INTO audit_entry (tenant_id, number, at, action, storage_id, run_id, purpose, mac) ",
    );
    query.push_values(entries, |mut row, entry| {
        row.push_bind(entry.tenant_id)
            .push_bind(entry.number)
            .push_bind(entry.at)
            .push_bind(entry.action.as_str())
            .push_bind(entry.storage_id)
            .push_bind(entry.run_id)
            .push_bind(entry.purpose.as_str())
            .push_bind(entry.mac.as_slice());
    });
    query.build().execute(&mut *conn).await?;
    for row in ends {
        sqlx::query(
            "UPDATE vault_tenant SET audit_count = $2, audit_mac = $3, audit_head = $4 WHERE tenant_id = $1",
        )
        .bind(row.tenant_id)
        .bind(row.audit_count)
        .bind(&row.audit_mac)
        .bind(&row.audit_head)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}
