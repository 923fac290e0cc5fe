//! What PostgreSQL says in its own way. A list travels as an array, which `UNNEST` reads.

use tintype_model::{PlanId, TenantId, shard::Shard};
use uuid::Uuid;

use super::{
    Conn,
    sql::{FailedRow, ItemBatch, PathRow, StoredRow},
};
use crate::failure::Outcome;

pub(super) const RUN_SHARED: &str =
    "SELECT state FROM runs WHERE tenant_id = $1 AND id = $2 FOR SHARE";
pub(super) const RUN_EXCLUSIVE: &str =
    "SELECT state FROM runs WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE";
pub(super) const HOLD_PLAN: &str =
    "SELECT CAST(1 AS BIGINT) FROM plans WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE";

/// Shards are locked in the order of their ids, as a dispatch does.
pub(super) const END_SHARDS: &str = "UPDATE shards SET state = 'done', overdue_at = NULL, worker_id = NULL
     WHERE tenant_id = $1 AND state <> 'done' AND id = ANY (ARRAY(
         SELECT id FROM shards WHERE tenant_id = $1 AND run_id = $2 AND state <> 'done' ORDER BY id FOR UPDATE))";

/// A shard that somebody else is changing right now is not lost.
pub(super) const REQUEUE_LOST: &str =
    "UPDATE shards SET state = 'ready', ready_at = $1, overdue_at = NULL, worker_id = NULL
     WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM shards
         WHERE state IN ('dispatched', 'leased') AND overdue_at <= $1 FOR UPDATE SKIP LOCKED)";

pub(super) const CLEAR_OUTBOX: &str = "DELETE FROM outbox WHERE id = ANY ($1)";

// LATERAL with OFFSET keeps the order: for each id one look-up. Left to itself, a planner that has no statistics yet, or that
// takes tenant and plan for independent, guesses that the two pick out a few rows, and reads the whole plan.
pub(super) const KNOWN: &str = "SELECT i.* FROM UNNEST($3::text[]) AS w (id) CROSS JOIN LATERAL (
         SELECT provider_id, seq, metadata_fingerprint, content_fingerprint, state, gone, shard_id FROM items
         WHERE tenant_id = $1 AND plan_id = $2 AND provider_id = w.id OFFSET 0) i";

pub(super) const MARK_GONE: &str =
    "UPDATE items SET gone = $3 WHERE tenant_id = $1 AND plan_id = $2 AND seq = ANY ($4)";

pub(super) const TAKEN_PATHS: &str =
    "SELECT p.* FROM UNNEST($3::text[]) AS w (key) CROSS JOIN LATERAL (
         SELECT path_key, path, seq FROM item_paths
         WHERE tenant_id = $1 AND plan_id = $2 AND path_key = w.key OFFSET 0) p";

pub(super) const INSERT_MEMBERS: &str =
    "INSERT INTO album_members (tenant_id, plan_id, album_id, position, item_id)
     SELECT $1, $2, $3, $4 + m.place - 1, m.item_id FROM UNNEST($5::text[]) WITH ORDINALITY AS m (item_id, place)";

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

pub(super) async fn upsert_items(conn: &mut Conn, batch: &ItemBatch) -> Outcome<()> {
    let rows = &batch.rows;
    let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    let ids: Vec<&str> = rows.iter().map(|row| row.provider_id.as_str()).collect();
    let metadata: Vec<&str> = rows.iter().map(|row| row.metadata.as_str()).collect();
    let metadata_fingerprints: Vec<i64> = rows.iter().map(|row| row.metadata_fingerprint).collect();
    let content_fingerprints: Vec<i64> = rows.iter().map(|row| row.content_fingerprint).collect();
    let shards: Vec<Option<Uuid>> = rows.iter().map(|row| row.shard).collect();
    sqlx::query(
        "INSERT INTO items AS i (tenant_id, plan_id, seq, provider_id, metadata, metadata_fingerprint,
             content_fingerprint, state, shard_id)
         SELECT $1, $2, p.seq, p.id, p.metadata, p.metadata_fingerprint, p.content_fingerprint, 'pending', p.shard_id
         FROM UNNEST($3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::uuid[])
             AS p (seq, id, metadata, metadata_fingerprint, content_fingerprint, shard_id)
         ON CONFLICT (tenant_id, plan_id, provider_id) DO UPDATE SET
             metadata = excluded.metadata,
             metadata_fingerprint = excluded.metadata_fingerprint,
             content_fingerprint = CASE WHEN excluded.shard_id IS NULL AND i.state = 'stored'
                 THEN i.content_fingerprint ELSE excluded.content_fingerprint END,
             state = CASE WHEN excluded.shard_id IS NULL THEN i.state ELSE 'pending' END,
             fault = CASE WHEN excluded.shard_id IS NULL THEN i.fault END,
             shard_id = COALESCE(excluded.shard_id, i.shard_id),
             gone = FALSE",
    )
    .bind(batch.tenant)
    .bind(batch.plan)
    .bind(seqs)
    .bind(ids)
    .bind(metadata)
    .bind(metadata_fingerprints)
    .bind(content_fingerprints)
    .bind(shards)
    .execute(conn)
    .await?;
    Ok(())
}

/// Until the transaction ends. A shard's items and their outcomes are some hundred each; a planner that expects one item
/// would compare every pair.
async fn join_by_hash(conn: &mut Conn) -> Outcome<()> {
    sqlx::query("SET LOCAL enable_nestloop TO off")
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn record_stored(
    conn: &mut Conn,
    shard: &Shard,
    rows: Vec<StoredRow>,
) -> Outcome<()> {
    join_by_hash(&mut *conn).await?;
    let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    let blobs: Vec<&[u8]> = rows.iter().map(|row| row.blob.as_slice()).collect();
    let sizes: Vec<i64> = rows.iter().map(|row| row.size).collect();
    let paths: Vec<&str> = rows.iter().map(|row| row.path.as_str()).collect();
    let fidelities: Vec<&str> = rows.iter().map(|row| row.fidelity.as_str()).collect();
    sqlx::query(
        "UPDATE items SET state = 'stored', shard_id = NULL, fault = NULL,
             blob = o.blob, size = o.size, path = o.path, fidelity = o.fidelity
         FROM UNNEST($3::bigint[], $4::bytea[], $5::bigint[], $6::text[], $7::text[])
             AS o (seq, blob, size, path, fidelity)
         WHERE tenant_id = $1 AND shard_id = $2 AND items.seq = o.seq",
    )
    .bind(shard.tenant.as_uuid())
    .bind(shard.id.as_uuid())
    .bind(seqs)
    .bind(blobs)
    .bind(sizes)
    .bind(paths)
    .bind(fidelities)
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn record_failed(
    conn: &mut Conn,
    shard: &Shard,
    rows: Vec<FailedRow>,
) -> Outcome<()> {
    join_by_hash(&mut *conn).await?;
    let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    let faults: Vec<&str> = rows.iter().map(|row| row.fault.as_str()).collect();
    sqlx::query(
        "UPDATE items SET state = 'failed', shard_id = NULL, fault = o.fault
         FROM UNNEST($3::bigint[], $4::text[]) AS o (seq, fault)
         WHERE tenant_id = $1 AND shard_id = $2 AND items.seq = o.seq",
    )
    .bind(shard.tenant.as_uuid())
    .bind(shard.id.as_uuid())
    .bind(seqs)
    .bind(faults)
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
