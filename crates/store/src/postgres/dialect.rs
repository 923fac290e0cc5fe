//! What PostgreSQL says in its own way. A list travels as an array, which `UNNEST` reads.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use tintype_model::{BlobHash, PlanId, TenantId};
use uuid::Uuid;

use super::{
    Conn,
    sql::{Account, Clash, ContentRow, ItemRow, Owner, PathRow, TwinRow, UnstoredRow, UploadRow},
};
use crate::failure::Outcome;

/// The server's time, as part of an answer.
pub(super) const TIME: &str = "clock_timestamp()";
pub(super) const NOW: &str = "SELECT clock_timestamp()";
/// The time in a statement that reads, whose first parameter is the time that takes the place of the server's.
pub(super) const FIRST_IS_NOW: &str = "COALESCE($1, statement_timestamp())";

pub(super) const RUN_SHARED: &str =
    "SELECT state FROM runs WHERE tenant_id = $1 AND id = $2 FOR SHARE";
pub(super) const RUN_EXCLUSIVE: &str =
    "SELECT state FROM runs WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE";
pub(super) const HOLD_PLAN: &str =
    "SELECT CAST(1 AS BIGINT) FROM plans WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE";
pub(super) const HOLD_ACCOUNT: &str =
    "SELECT CAST(1 AS BIGINT) FROM storages WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE";

/// Shards are locked in the order of their ids, as a dispatch does.
pub(super) const END_SHARDS: &str = "UPDATE shards SET state = 'done', overdue_at = NULL, worker_id = NULL
     WHERE tenant_id = $1 AND state <> 'done' AND id = ANY (ARRAY(
         SELECT id FROM shards WHERE tenant_id = $1 AND run_id = $2 AND state <> 'done' ORDER BY id FOR UPDATE))";

/// A shard that somebody else is changing right now is not lost.
pub(super) const REQUEUE_LOST: &str =
    "UPDATE shards SET ready_at = $1, overdue_at = NULL, worker_id = NULL,
         state = CASE WHEN state = 'leased' AND failures + 1 >= $2 THEN 'set_aside' ELSE 'ready' END,
         reason = CASE WHEN state = 'leased' AND failures + 1 >= $2 THEN $3 ELSE reason END,
         failures = CASE WHEN state = 'leased' THEN failures + 1 ELSE failures END
     WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM shards
         WHERE state IN ('dispatched', 'leased') AND overdue_at <= $1 FOR UPDATE SKIP LOCKED)
     RETURNING state";

pub(super) const CLEAR_OUTBOX: &str = "DELETE FROM outbox WHERE id = ANY ($1)";

// LATERAL with OFFSET keeps the order: for each id one look-up. Left to itself, a planner that has no statistics yet, or that
// takes tenant and plan for independent, guesses that the two pick out a few rows, and reads the whole plan.
pub(super) const KNOWN: &str =
    "SELECT k.*, i.gone, u.shard_id, CASE WHEN u.seq IS NULL THEN 'stored'
         WHEN u.fault IS NULL THEN 'pending' ELSE 'failed' END AS state
     FROM UNNEST($3::text[]) AS w (id) CROSS JOIN LATERAL (
         SELECT provider_id, seq, metadata_fingerprint, content_fingerprint FROM item_ids
         WHERE tenant_id = $1 AND plan_id = $2 AND provider_id = w.id OFFSET 0) k
     CROSS JOIN LATERAL (
         SELECT gone FROM items
         WHERE tenant_id = $1 AND plan_id = $2 AND seq = k.seq OFFSET 0) i
     LEFT JOIN LATERAL (
         SELECT seq, shard_id, fault FROM unstored_items
         WHERE tenant_id = $1 AND plan_id = $2 AND seq = k.seq OFFSET 0) u ON TRUE";

/// The range is for the planner: whatever it believes of tenant and plan, it reads no more than that.
pub(super) const TAKE_WAITING: &str = "DELETE FROM unstored_items
     WHERE tenant_id = $1 AND plan_id = $2 AND shard_id = $3 AND seq BETWEEN $4 AND $5 AND seq = ANY ($6)
     RETURNING seq, EXISTS (SELECT 1 FROM item_contents c
         WHERE c.tenant_id = $1 AND c.plan_id = $2 AND c.seq = unstored_items.seq)";

pub(super) const MARK_GONE: &str =
    "UPDATE items SET gone = $3 WHERE tenant_id = $1 AND plan_id = $2 AND seq = ANY ($4)";

pub(super) const TAKEN_PATHS: &str =
    "SELECT p.* FROM UNNEST($3::text[]) AS w (key) CROSS JOIN LATERAL (
         SELECT path_key, path, seq FROM item_paths
         WHERE tenant_id = $1 AND plan_id = $2 AND path_key = w.key OFFSET 0) p";

pub(super) const INSERT_MEMBERS: &str =
    "INSERT INTO album_members (tenant_id, plan_id, album_id, position, item_id)
     SELECT $1, $2, $3, $4 + m.place - 1, m.item_id FROM UNNEST($5::text[]) WITH ORDINALITY AS m (item_id, place)";

pub(super) const JOURNAL: &str =
    "SELECT u.* FROM UNNEST($3::bytea[]) AS w (content) CROSS JOIN LATERAL (
         SELECT content, token, expires_at, filename, made, media_id FROM uploads
         WHERE tenant_id = $1 AND account_id = $2 AND content = w.content OFFSET 0) u";

/// The first id from the wanted one on, in the order of ids, rather than the wanted one itself: only the index of ids has this
/// order. The primary key, which begins alike, might look as good while the table is small, and would be read whole for each id.
pub(super) const JOURNALLED_IDS: &str = "SELECT w.id FROM UNNEST($3::text[]) AS w (id)
     WHERE w.id = (SELECT media_id FROM uploads
             WHERE tenant_id = $1 AND account_id = $2 AND media_id >= w.id ORDER BY media_id LIMIT 1)
         OR w.id = (SELECT media_id FROM upload_twins
             WHERE tenant_id = $1 AND account_id = $2 AND media_id = w.id)";

pub(super) const GIVEN_IDS: &str = "SELECT w.id, c.path FROM UNNEST($3::text[]) AS w (id)
     CROSS JOIN LATERAL (
         SELECT seq FROM item_ids WHERE tenant_id = $1 AND plan_id = $2 AND provider_id = w.id OFFSET 0) k
     CROSS JOIN LATERAL (
         SELECT path FROM item_contents WHERE tenant_id = $1 AND plan_id = $2 AND seq = k.seq OFFSET 0) c
     WHERE c.path <> ''";

/// Puts rows in again that are there. An insert finds each by its key; an update might read the whole journal.
pub(super) const MARK_DOUBTFUL: &str =
    "INSERT INTO uploads (tenant_id, account_id, content, token, expires_at, filename, made, media_id, doubtful)
     SELECT $1, $2, u.*, $3 FROM UNNEST($4::bytea[]) AS w (content) CROSS JOIN LATERAL (
         SELECT content, token, expires_at, filename, made, media_id FROM uploads
         WHERE tenant_id = $1 AND account_id = $2 AND content = w.content OFFSET 0) u
     ON CONFLICT (tenant_id, account_id, content) DO UPDATE SET doubtful = excluded.doubtful";

/// Texts as one parameter.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the other dialect's form can fail"
)]
pub(super) fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Outcome<Vec<String>> {
    Ok(texts.map(str::to_owned).collect())
}

/// Numbers as one parameter.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the other dialect's form can fail"
)]
pub(super) fn ints(ints: Vec<i64>) -> Outcome<Vec<i64>> {
    Ok(ints)
}

/// Hashes as one parameter.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the other dialect's form can fail"
)]
pub(super) fn hashes(hashes: &BTreeSet<BlobHash>) -> Outcome<Vec<[u8; 32]>> {
    Ok(hashes.iter().map(|hash| *hash.as_bytes()).collect())
}

/// Items, and the rows of those that wait.
pub(super) async fn insert_listed(
    conn: &mut Conn,
    owner: Owner,
    items: &[ItemRow],
    waiting: &[UnstoredRow],
    clash: Clash,
) -> Outcome<()> {
    let seqs: Vec<i64> = items.iter().map(|row| row.seq).collect();
    let ids: Vec<&str> = items.iter().map(|row| row.provider_id.as_str()).collect();
    let metadata: Vec<&str> = items.iter().map(|row| row.metadata.as_str()).collect();
    let metadata_fingerprints: Vec<i64> =
        items.iter().map(|row| row.metadata_fingerprint).collect();
    let content_fingerprints: Vec<i64> = items.iter().map(|row| row.content_fingerprint).collect();
    let waiting_seqs: Vec<i64> = waiting.iter().map(|row| row.seq).collect();
    let shards: Vec<Option<Uuid>> = waiting.iter().map(|row| row.shard).collect();
    let sql = format!(
        "WITH waiting AS (
             INSERT INTO unstored_items (tenant_id, plan_id, seq, shard_id)
             SELECT $1, $2, w.* FROM UNNEST($8::bigint[], $9::uuid[]) AS w{}),
         ids AS (
             INSERT INTO item_ids (tenant_id, plan_id, seq, provider_id, metadata_fingerprint, content_fingerprint)
             SELECT $1, $2, k.* FROM UNNEST($3::bigint[], $4::text[], $6::bigint[], $7::bigint[]) AS k{})
         INSERT INTO items (tenant_id, plan_id, seq, provider_id, metadata)
         SELECT $1, $2, r.* FROM UNNEST($3::bigint[], $4::text[], $5::text[]) AS r{}",
        clash.waiting, clash.id, clash.item
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(owner.tenant)
        .bind(owner.plan)
        .bind(seqs)
        .bind(ids)
        .bind(metadata)
        .bind(metadata_fingerprints)
        .bind(content_fingerprints)
        .bind(waiting_seqs)
        .bind(shards)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn insert_failed(
    conn: &mut Conn,
    owner: Owner,
    rows: &[UnstoredRow],
) -> Outcome<()> {
    let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    let faults: Vec<Option<&str>> = rows.iter().map(|row| row.fault.as_deref()).collect();
    sqlx::query(
        "INSERT INTO unstored_items (tenant_id, plan_id, seq, fault)
         SELECT $1, $2, r.* FROM UNNEST($3::bigint[], $4::text[]) AS r",
    )
    .bind(owner.tenant)
    .bind(owner.plan)
    .bind(seqs)
    .bind(faults)
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn insert_contents(
    conn: &mut Conn,
    owner: Owner,
    rows: &[ContentRow],
    clash: &str,
) -> Outcome<()> {
    let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    let blobs: Vec<&[u8]> = rows.iter().map(|row| row.blob.as_slice()).collect();
    let sizes: Vec<i64> = rows.iter().map(|row| row.size).collect();
    let paths: Vec<&str> = rows.iter().map(|row| row.path.as_str()).collect();
    let fidelities: Vec<&str> = rows.iter().map(|row| row.fidelity.as_str()).collect();
    let sql = format!(
        "INSERT INTO item_contents (tenant_id, plan_id, seq, blob, size, path, fidelity)
         SELECT $1, $2, r.* FROM UNNEST($3::bigint[], $4::bytea[], $5::bigint[], $6::text[], $7::text[]) AS r{clash}"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(owner.tenant)
        .bind(owner.plan)
        .bind(seqs)
        .bind(blobs)
        .bind(sizes)
        .bind(paths)
        .bind(fidelities)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn insert_paths(
    conn: &mut Conn,
    tenant: TenantId,
    plan: PlanId,
    rows: Vec<PathRow>,
) -> Outcome<()> {
    let keys: Vec<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    let paths: Vec<&str> = rows.iter().map(|row| row.path.as_str()).collect();
    let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    sqlx::query(
        "INSERT INTO item_paths (tenant_id, plan_id, path_key, path, seq)
         SELECT $1, $2, p.* FROM UNNEST($3::text[], $4::text[], $5::bigint[]) AS p (path_key, path, seq)",
    )
    .bind(tenant.as_uuid())
    .bind(plan.as_uuid())
    .bind(keys)
    .bind(paths)
    .bind(seqs)
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
    let contents: Vec<&[u8]> = rows.iter().map(|row| row.content.as_slice()).collect();
    let tokens: Vec<&str> = rows.iter().map(|row| row.token.as_str()).collect();
    let expiries: Vec<DateTime<Utc>> = rows.iter().map(|row| row.expires_at).collect();
    let filenames: Vec<&str> = rows.iter().map(|row| row.filename.as_str()).collect();
    let made: Vec<bool> = rows.iter().map(|row| row.made).collect();
    let ids: Vec<Option<&str>> = rows.iter().map(|row| row.media_id.as_deref()).collect();
    let sql = format!(
        "INSERT INTO uploads (tenant_id, account_id, content, token, expires_at, filename, made, media_id)
         SELECT $1, $2, r.*
         FROM UNNEST($3::bytea[], $4::text[], $5::timestamptz[], $6::text[], $7::boolean[], $8::text[]) AS r{clash}"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(account.tenant)
        .bind(account.id)
        .bind(contents)
        .bind(tokens)
        .bind(expiries)
        .bind(filenames)
        .bind(made)
        .bind(ids)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn insert_twins(
    conn: &mut Conn,
    account: Account,
    rows: &[TwinRow],
    clash: &str,
) -> Outcome<()> {
    let ids: Vec<&str> = rows.iter().map(|row| row.media_id.as_str()).collect();
    let filenames: Vec<&str> = rows.iter().map(|row| row.filename.as_str()).collect();
    let runs: Vec<Uuid> = rows.iter().map(|row| row.run).collect();
    let times: Vec<DateTime<Utc>> = rows.iter().map(|row| row.found_at).collect();
    let sql = format!(
        "INSERT INTO upload_twins (tenant_id, account_id, media_id, filename, run_id, found_at)
         SELECT $1, $2, r.* FROM UNNEST($3::text[], $4::text[], $5::uuid[], $6::timestamptz[]) AS r{clash}"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(account.tenant)
        .bind(account.id)
        .bind(ids)
        .bind(filenames)
        .bind(runs)
        .bind(times)
        .execute(conn)
        .await?;
    Ok(())
}
