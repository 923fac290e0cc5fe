//! What SQLite says in its own way. A list travels as one JSON text, which `json_each` reads.

use serde::Serialize;
use tintype_model::{PlanId, TenantId, shard::Shard};
use uuid::Uuid;

use super::{
    Conn,
    sql::{FailedRow, ItemBatch, PathRow, StoredRow},
};
use crate::{codec::json, failure::Outcome};

pub(super) const RUN_SHARED: &str = "SELECT state FROM runs WHERE tenant_id = $1 AND id = $2";
pub(super) const RUN_EXCLUSIVE: &str = RUN_SHARED;
pub(super) const HOLD_PLAN: &str = "SELECT 1 FROM plans WHERE tenant_id = $1 AND id = $2";

pub(super) const END_SHARDS: &str =
    "UPDATE shards SET state = 'done', overdue_at = NULL, worker_id = NULL
     WHERE tenant_id = $1 AND run_id = $2 AND state <> 'done'";

pub(super) const REQUEUE_LOST: &str =
    "UPDATE shards SET state = 'ready', ready_at = $1, overdue_at = NULL, worker_id = NULL
     WHERE state IN ('dispatched', 'leased') AND overdue_at <= $1";

pub(super) const CLEAR_OUTBOX: &str =
    "DELETE FROM outbox WHERE id IN (SELECT value FROM json_each($1))";

/// CROSS JOIN keeps the order: for each id one look-up.
pub(super) const KNOWN: &str =
    "SELECT i.provider_id, i.seq, i.metadata_fingerprint, i.content_fingerprint, i.state,
         i.gone, i.shard_id
     FROM json_each($3) AS w CROSS JOIN items i
     WHERE i.tenant_id = $1 AND i.plan_id = $2 AND i.provider_id = w.value";

pub(super) const MARK_GONE: &str = "UPDATE items SET gone = $3
     WHERE tenant_id = $1 AND plan_id = $2 AND seq IN (SELECT value FROM json_each($4))";

pub(super) const TAKEN_PATHS: &str = "SELECT p.path_key, p.path, p.seq
     FROM json_each($3) AS w CROSS JOIN item_paths p
     WHERE p.tenant_id = $1 AND p.plan_id = $2 AND p.path_key = w.value";

pub(super) const INSERT_MEMBERS: &str =
    "INSERT INTO album_members (tenant_id, plan_id, album_id, position, item_id)
     SELECT $1, $2, $3, $4 + key, value FROM json_each($5)";

/// Texts as one parameter.
pub(super) fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Outcome<String> {
    list(texts)
}

/// Numbers as one parameter.
pub(super) fn ints(ints: Vec<i64>) -> Outcome<String> {
    list(ints.into_iter())
}

fn list<T: Serialize>(rows: impl Iterator<Item = T>) -> Outcome<String> {
    Ok(json(&rows.collect::<Vec<T>>())?)
}

fn hex(id: Uuid) -> String {
    id.simple().to_string()
}

pub(super) async fn upsert_items(conn: &mut Conn, batch: &ItemBatch) -> Outcome<()> {
    let rows = list(batch.rows.iter().map(|row| {
        let shard = row.shard.map(hex);
        (
            row.seq,
            &row.provider_id,
            &row.metadata,
            row.metadata_fingerprint,
            row.content_fingerprint,
            shard,
        )
    }))?;
    // `WHERE TRUE` tells the parser that ON does not belong to a join.
    sqlx::query(
        "INSERT INTO items AS i (tenant_id, plan_id, seq, provider_id, metadata, metadata_fingerprint,
             content_fingerprint, state, shard_id)
         SELECT $1, $2, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, 'pending', unhex(value ->> 5)
         FROM json_each($3) WHERE TRUE
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
    .bind(rows)
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn record_stored(
    conn: &mut Conn,
    shard: &Shard,
    rows: Vec<StoredRow>,
) -> Outcome<()> {
    let rows = list(rows.into_iter().map(|row| {
        let blob = tintype_model::BlobHash::from_bytes(row.blob).to_string();
        (row.seq, blob, row.size, row.path, row.fidelity)
    }))?;
    sqlx::query(
        "UPDATE items SET state = 'stored', shard_id = NULL, fault = NULL,
             blob = unhex(o.value ->> 1), size = o.value ->> 2, path = o.value ->> 3, fidelity = o.value ->> 4
         FROM json_each($4) AS o
         WHERE tenant_id = $1 AND plan_id = $2 AND shard_id = $3 AND seq = o.value ->> 0",
    )
    .bind(shard.tenant.as_uuid())
    .bind(shard.plan.as_uuid())
    .bind(shard.id.as_uuid())
    .bind(rows)
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn record_failed(
    conn: &mut Conn,
    shard: &Shard,
    rows: Vec<FailedRow>,
) -> Outcome<()> {
    let rows = list(rows.into_iter().map(|row| (row.seq, row.fault)))?;
    sqlx::query(
        "UPDATE items SET state = 'failed', shard_id = NULL, fault = o.value ->> 1
         FROM json_each($4) AS o
         WHERE tenant_id = $1 AND plan_id = $2 AND shard_id = $3 AND seq = o.value ->> 0",
    )
    .bind(shard.tenant.as_uuid())
    .bind(shard.plan.as_uuid())
    .bind(shard.id.as_uuid())
    .bind(rows)
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
