//! What SQLite says in its own way. A list travels as one JSON text, which `json_each` reads; rows that are many travel as
//! values, which SQLite need not parse.

use std::collections::BTreeSet;

use serde::Serialize;
use sqlx::{QueryBuilder, Sqlite, query_builder::Separated};
use tintype_model::{BlobHash, PlanId, TenantId};

use super::{
    Conn,
    sql::{Account, Clash, ContentRow, ItemRow, Owner, PathRow, TwinRow, UnstoredRow, UploadRow},
};
use crate::{codec::json, failure::Outcome};

/// Rows of one statement that inserts.
const ROWS: usize = 50;

/// The time is that of the process.
pub(super) const TIME: &str = "NULL";
pub(super) const NOW: &str = "SELECT strftime('%FT%R:%fZ')";
pub(super) const FIRST_IS_NOW: &str = "$1";

pub(super) const RUN_SHARED: &str = "SELECT state FROM runs WHERE tenant_id = $1 AND id = $2";
pub(super) const RUN_EXCLUSIVE: &str = RUN_SHARED;
pub(super) const HOLD_PLAN: &str = "SELECT 1 FROM plans WHERE tenant_id = $1 AND id = $2";
pub(super) const HOLD_ACCOUNT: &str = "SELECT 1 FROM storages WHERE tenant_id = $1 AND id = $2";

pub(super) const END_SHARDS: &str =
    "UPDATE shards SET state = 'done', overdue_at = NULL, worker_id = NULL
     WHERE tenant_id = $1 AND run_id = $2 AND state <> 'done'";

pub(super) const REQUEUE_LOST: &str =
    "UPDATE shards SET ready_at = $1, overdue_at = NULL, worker_id = NULL,
         state = CASE WHEN state = 'leased' AND failures + 1 >= $2 THEN 'set_aside' ELSE 'ready' END,
         reason = CASE WHEN state = 'leased' AND failures + 1 >= $2 THEN $3 ELSE reason END,
         failures = CASE WHEN state = 'leased' THEN failures + 1 ELSE failures END
     WHERE state IN ('dispatched', 'leased') AND overdue_at <= $1 RETURNING state";

pub(super) const CLEAR_OUTBOX: &str =
    "DELETE FROM outbox WHERE id IN (SELECT value FROM json_each($1))";

/// CROSS JOIN keeps the order: for each id one look-up.
pub(super) const KNOWN: &str =
    "SELECT k.provider_id, k.seq, k.metadata_fingerprint, k.content_fingerprint, i.gone, u.shard_id,
         CASE WHEN u.seq IS NULL THEN 'stored' WHEN u.fault IS NULL THEN 'pending' ELSE 'failed' END AS state
     FROM json_each($3) AS w CROSS JOIN item_ids k
     CROSS JOIN items i ON i.tenant_id = k.tenant_id AND i.plan_id = k.plan_id AND i.seq = k.seq
     LEFT JOIN unstored_items u ON u.tenant_id = i.tenant_id AND u.plan_id = i.plan_id AND u.seq = i.seq
     WHERE k.tenant_id = $1 AND k.plan_id = $2 AND k.provider_id = w.value";

pub(super) const TAKE_WAITING: &str = "DELETE FROM unstored_items
     WHERE tenant_id = $1 AND plan_id = $2 AND shard_id = $3 AND seq BETWEEN $4 AND $5
         AND seq IN (SELECT value FROM json_each($6))
     RETURNING seq, EXISTS (SELECT 1 FROM item_contents c
         WHERE c.tenant_id = $1 AND c.plan_id = $2 AND c.seq = unstored_items.seq)";

pub(super) const MARK_GONE: &str = "UPDATE items SET gone = $3
     WHERE tenant_id = $1 AND plan_id = $2 AND seq IN (SELECT value FROM json_each($4))";

pub(super) const TAKEN_PATHS: &str = "SELECT p.path_key, p.path, p.seq
     FROM json_each($3) AS w CROSS JOIN item_paths p
     WHERE p.tenant_id = $1 AND p.plan_id = $2 AND p.path_key = w.value";

pub(super) const INSERT_MEMBERS: &str =
    "INSERT INTO album_members (tenant_id, plan_id, album_id, position, item_id)
     SELECT $1, $2, $3, $4 + key, value FROM json_each($5)";

pub(super) const JOURNAL: &str =
    "SELECT u.content, u.token, u.expires_at, u.filename, u.made, u.media_id
     FROM json_each($3) AS w CROSS JOIN uploads u
     WHERE u.tenant_id = $1 AND u.account_id = $2 AND u.content = unhex(w.value)";

pub(super) const JOURNALLED_IDS: &str = "SELECT w.value FROM json_each($3) AS w
     WHERE EXISTS (SELECT 1 FROM uploads u
             WHERE u.tenant_id = $1 AND u.account_id = $2 AND u.media_id = w.value)
         OR EXISTS (SELECT 1 FROM upload_twins t
             WHERE t.tenant_id = $1 AND t.account_id = $2 AND t.media_id = w.value)";

pub(super) const GIVEN_IDS: &str = "SELECT k.provider_id, c.path
     FROM json_each($3) AS w CROSS JOIN item_ids k
     CROSS JOIN item_contents c ON c.tenant_id = k.tenant_id AND c.plan_id = k.plan_id AND c.seq = k.seq
     WHERE k.tenant_id = $1 AND k.plan_id = $2 AND k.provider_id = w.value AND c.path <> ''";

pub(super) const MARK_DOUBTFUL: &str = "UPDATE uploads SET doubtful = $3
     WHERE tenant_id = $1 AND account_id = $2 AND content IN (SELECT unhex(value) FROM json_each($4))";

/// Texts as one parameter.
pub(super) fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Outcome<String> {
    list(texts)
}

/// Numbers as one parameter.
pub(super) fn ints(ints: Vec<i64>) -> Outcome<String> {
    list(ints.into_iter())
}

/// Hashes as one parameter, in hexadecimal digits.
pub(super) fn hashes(hashes: &BTreeSet<BlobHash>) -> Outcome<String> {
    list(hashes.iter())
}

fn list<T: Serialize>(rows: impl Iterator<Item = T>) -> Outcome<String> {
    Ok(json(&rows.collect::<Vec<T>>())?)
}

/// Inserts rows some at a time: a statement for each would pay a way to the connection's thread and back for each, a statement
/// for all would be prepared anew for every number of rows.
async fn insert<T>(
    conn: &mut Conn,
    into: &str,
    rows: &[T],
    clash: &str,
    bind: impl Fn(&mut Separated<'_, Sqlite, &'static str>, &T),
) -> Outcome<()> {
    for some in rows.chunks(ROWS) {
        let mut statement = QueryBuilder::<Sqlite>::new(into);
        statement.push_values(some, |mut row, values| bind(&mut row, values));
        statement.push(clash);
        let is_usual = some.len() == ROWS;
        statement
            .build()
            .persistent(is_usual)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Items, and the rows of those that wait.
pub(super) async fn insert_listed(
    conn: &mut Conn,
    owner: Owner,
    items: &[ItemRow],
    waiting: &[UnstoredRow],
    clash: Clash,
) -> Outcome<()> {
    let into = "INSERT INTO items (tenant_id, plan_id, seq, provider_id, metadata) ";
    insert(&mut *conn, into, items, clash.item, |values, row| {
        values
            .push_bind(owner.tenant)
            .push_bind(owner.plan)
            .push_bind(row.seq)
            .push_bind(row.provider_id.as_str())
            .push_bind(row.metadata.as_str());
    })
    .await?;
    let into = "INSERT INTO item_ids (tenant_id, plan_id, provider_id, seq, metadata_fingerprint, content_fingerprint) ";
    insert(&mut *conn, into, items, clash.id, |values, row| {
        values
            .push_bind(owner.tenant)
            .push_bind(owner.plan)
            .push_bind(row.provider_id.as_str())
            .push_bind(row.seq)
            .push_bind(row.metadata_fingerprint)
            .push_bind(row.content_fingerprint);
    })
    .await?;
    insert_unstored(conn, owner, waiting, clash.waiting).await
}

pub(super) async fn insert_failed(
    conn: &mut Conn,
    owner: Owner,
    rows: &[UnstoredRow],
) -> Outcome<()> {
    insert_unstored(conn, owner, rows, "").await
}

async fn insert_unstored(
    conn: &mut Conn,
    owner: Owner,
    rows: &[UnstoredRow],
    clash: &str,
) -> Outcome<()> {
    let into = "INSERT INTO unstored_items (tenant_id, plan_id, seq, shard_id, fault) ";
    insert(conn, into, rows, clash, |values, row| {
        values
            .push_bind(owner.tenant)
            .push_bind(owner.plan)
            .push_bind(row.seq)
            .push_bind(row.shard)
            .push_bind(row.fault.as_deref());
    })
    .await
}

pub(super) async fn insert_contents(
    conn: &mut Conn,
    owner: Owner,
    rows: &[ContentRow],
    clash: &str,
) -> Outcome<()> {
    let into = "INSERT INTO item_contents (tenant_id, plan_id, seq, blob, size, path, fidelity) ";
    insert(conn, into, rows, clash, |values, row| {
        values
            .push_bind(owner.tenant)
            .push_bind(owner.plan)
            .push_bind(row.seq)
            .push_bind(row.blob.as_slice())
            .push_bind(row.size)
            .push_bind(row.path.as_str())
            .push_bind(row.fidelity.as_str());
    })
    .await
}

pub(super) async fn insert_paths(
    conn: &mut Conn,
    tenant: TenantId,
    plan: PlanId,
    rows: Vec<PathRow>,
) -> Outcome<()> {
    let rows = list(rows.into_iter().map(|row| (row.key, row.path, row.seq)))?;
    sqlx::query(
        "INSERT INTO item_paths (tenant_id, plan_id, path_key, path, seq)
         SELECT $1, $2, value ->> 0, value ->> 1, value ->> 2 FROM json_each($3)",
    )
    .bind(tenant.as_uuid())
    .bind(plan.as_uuid())
    .bind(rows)
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn insert_uploads(
    conn: &mut Conn,
    account: Account,
    rows: &[UploadRow],
    clash: &str,
) -> Outcome<()> {
    let into = "INSERT INTO uploads (tenant_id, account_id, content, token, expires_at, filename, made, media_id) ";
    insert(conn, into, rows, clash, |values, row| {
        values
            .push_bind(account.tenant)
            .push_bind(account.id)
            .push_bind(row.content.as_slice())
            .push_bind(row.token.as_str())
            .push_bind(row.expires_at)
            .push_bind(row.filename.as_str())
            .push_bind(row.made)
            .push_bind(row.media_id.as_deref());
    })
    .await
}

pub(super) async fn insert_twins(
    conn: &mut Conn,
    account: Account,
    rows: &[TwinRow],
    clash: &str,
) -> Outcome<()> {
    let into =
        "INSERT INTO upload_twins (tenant_id, account_id, media_id, filename, run_id, found_at) ";
    insert(conn, into, rows, clash, |values, row| {
        values
            .push_bind(account.tenant)
            .push_bind(account.id)
            .push_bind(row.media_id.as_str())
            .push_bind(row.filename.as_str())
            .push_bind(row.run)
            .push_bind(row.found_at);
    })
    .await
}
