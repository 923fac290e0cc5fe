//! What PostgreSQL says in its own way. A list travels as an array, which `UNNEST` reads: one prepared statement for any length.

use uuid::Uuid;

use super::Conn;
use crate::db::{Current, EntryRow, Sql, TenantRow};

pub(super) async fn lock_tenants(conn: &mut Conn, tenants: &[Uuid]) -> Sql<Vec<TenantRow>> {
    sqlx::query_as(
        "SELECT tenant_id, data_key_version, kek_version, data_key, audit_key, audit_count, audit_mac, audit_head
         FROM vault_tenant WHERE tenant_id = ANY ($1) ORDER BY tenant_id FOR NO KEY UPDATE",
    )
    .bind(tenants)
    .fetch_all(conn)
    .await
}

pub(super) async fn currents(conn: &mut Conn, owners: &[(Uuid, Uuid)]) -> Sql<Vec<Current>> {
    if owners.is_empty() {
        return Ok(Vec::new());
    }
    let (tenants, storages): (Vec<Uuid>, Vec<Uuid>) = owners.iter().copied().unzip();
    sqlx::query_as(
        "SELECT c.tenant_id, c.storage_id, c.generation, c.access_number
         FROM UNNEST($1::uuid[], $2::uuid[]) AS w (tenant_id, storage_id)
         JOIN credential c ON c.tenant_id = w.tenant_id AND c.storage_id = w.storage_id
         WHERE c.refused IS NULL",
    )
    .bind(tenants)
    .bind(storages)
    .fetch_all(conn)
    .await
}

/// Both in one statement, which is one way to the server and back less.
pub(super) async fn append(conn: &mut Conn, entries: &[EntryRow], ends: &[TenantRow]) -> Sql<()> {
    sqlx::query(
        "WITH added AS (
             INSERT INTO audit_entry (tenant_id, number, at, action, storage_id, run_id, purpose, mac)
             SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::uuid[], $6::uuid[],
                                  $7::text[], $8::bytea[]))
         UPDATE vault_tenant t SET audit_count = h.audit_count, audit_mac = h.audit_mac, audit_head = h.audit_head
         FROM UNNEST($9::uuid[], $10::bigint[], $11::bytea[], $12::bytea[])
             AS h (tenant_id, audit_count, audit_mac, audit_head)
         WHERE t.tenant_id = h.tenant_id",
    )
    .bind(column(entries, |entry| entry.tenant_id))
    .bind(column(entries, |entry| entry.number))
    .bind(column(entries, |entry| entry.at))
    .bind(column(entries, |entry| entry.action.as_str()))
    .bind(column(entries, |entry| entry.storage_id))
    .bind(column(entries, |entry| entry.run_id))
    .bind(column(entries, |entry| entry.purpose.as_str()))
    .bind(column(entries, |entry| entry.mac.as_slice()))
    .bind(column(ends, |row| row.tenant_id))
    .bind(column(ends, |row| row.audit_count))
    .bind(column(ends, |row| row.audit_mac.as_slice()))
    .bind(column(ends, |row| row.audit_head.as_slice()))
    .execute(conn)
    .await?;
    Ok(())
}

fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}
