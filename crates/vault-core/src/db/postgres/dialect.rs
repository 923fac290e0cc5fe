//! What PostgreSQL says in its own way. A list travels as an array, which `UNNEST` reads: one prepared statement for any length.

use uuid::Uuid;

use super::Conn;
use crate::db::{Current, EntryRow, Growth, LogRow, Sql, TenantRow};

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

/// The rows are locked in the order of ids before they are changed, and their ends compared behind the lock. Credentials are seen
/// as they were when the statement began: what ends one meanwhile adds to the log, so that the end is another; a token that is only
/// replaced meanwhile was current when it was asked for.
pub(super) async fn append_to(conn: &mut Conn, growths: &[Growth]) -> Sql<Vec<LogRow>> {
    let entries: Vec<&EntryRow> = growths.iter().flat_map(|growth| &growth.entries).collect();
    let expected: Vec<&Current> = growths.iter().flat_map(|growth| &growth.expected).collect();
    sqlx::query_as(
        "WITH wanted AS (
             SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::bytea[], $4::bytea[], $5::bigint[], $6::bytea[], $7::bytea[])
                 AS w (tenant_id, from_count, from_mac, from_head, audit_count, audit_mac, audit_head)),
         stale AS (
             SELECT e.tenant_id
             FROM UNNEST($8::uuid[], $9::uuid[], $10::bigint[], $11::bigint[])
                 AS e (tenant_id, storage_id, generation, access_number)
             WHERE NOT EXISTS (
                 SELECT FROM credential c
                 WHERE c.tenant_id = e.tenant_id AND c.storage_id = e.storage_id AND c.refused IS NULL
                   AND c.generation = e.generation
                   AND (e.access_number IS NULL OR c.access_number = e.access_number))),
         locked AS MATERIALIZED (
             SELECT tenant_id, data_key_version, kek_version, data_key, audit_key, audit_count, audit_mac, audit_head
             FROM vault_tenant WHERE tenant_id = ANY ($1) ORDER BY tenant_id FOR NO KEY UPDATE),
         grown AS (
             UPDATE vault_tenant t
             SET audit_count = w.audit_count, audit_mac = w.audit_mac, audit_head = w.audit_head
             FROM locked l JOIN wanted w ON w.tenant_id = l.tenant_id
             WHERE t.tenant_id = l.tenant_id AND l.audit_count = w.from_count AND l.audit_mac = w.from_mac
               AND l.audit_head = w.from_head AND l.tenant_id NOT IN (SELECT tenant_id FROM stale)
             RETURNING t.tenant_id),
         added AS (
             INSERT INTO audit_entry (tenant_id, number, at, action, storage_id, run_id, purpose, mac)
             SELECT a.* FROM UNNEST($12::uuid[], $13::bigint[], $14::bigint[], $15::text[], $16::uuid[], $17::uuid[],
                                    $18::text[], $19::bytea[])
                 AS a (tenant_id, number, at, action, storage_id, run_id, purpose, mac)
             JOIN grown g ON g.tenant_id = a.tenant_id)
         SELECT l.*, l.tenant_id IN (SELECT tenant_id FROM grown) AS grew FROM locked l",
    )
    .bind(column(growths, |growth| growth.from.tenant_id))
    .bind(column(growths, |growth| growth.from.audit_count))
    .bind(column(growths, |growth| growth.from.audit_mac.as_slice()))
    .bind(column(growths, |growth| growth.from.audit_head.as_slice()))
    .bind(column(growths, |growth| growth.to.audit_count))
    .bind(column(growths, |growth| growth.to.audit_mac.as_slice()))
    .bind(column(growths, |growth| growth.to.audit_head.as_slice()))
    .bind(column(&expected, |current| current.tenant_id))
    .bind(column(&expected, |current| current.storage_id))
    .bind(column(&expected, |current| current.generation))
    .bind(column(&expected, |current| current.access_number))
    .bind(column(&entries, |entry| entry.tenant_id))
    .bind(column(&entries, |entry| entry.number))
    .bind(column(&entries, |entry| entry.at))
    .bind(column(&entries, |entry| entry.action.as_str()))
    .bind(column(&entries, |entry| entry.storage_id))
    .bind(column(&entries, |entry| entry.run_id))
    .bind(column(&entries, |entry| entry.purpose.as_str()))
    .bind(column(&entries, |entry| entry.mac.as_slice()))
    .fetch_all(conn)
    .await
}

fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}
