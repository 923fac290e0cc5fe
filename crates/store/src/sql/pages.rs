//! What a piece of enumeration and a batch of transfers change.

use std::collections::HashMap;

use tintype_model::{item::ProviderId, progress::Progress, shard::Lease};
use tintype_ports::{
    StoreError,
    store::{Checkpoint, ItemUpsert, Outcome as ItemOutcome, PageWrite},
};

use super::{
    Tx, albums,
    bulk::{FailedRow, ItemBatch, ItemRow, StoredRow},
    dialect,
    fence::fence,
    shards::insert_shard,
};
use crate::{
    codec::{int, json},
    failure::{Explain as _, Outcome},
};

pub(super) async fn write(tx: &mut Tx, lease: &Lease, page: &PageWrite) -> Outcome<()> {
    fence(tx, lease, &page.spent).await?;
    for shard in &page.shards {
        if !insert_shard(tx, shard).await? {
            return Err(StoreError::Conflict(format!("shard {} exists already", shard.id)).into());
        }
    }
    if !page.items.is_empty() {
        let batch = item_batch(lease, &page.items)?;
        dialect::upsert_items(tx.conn(), &batch)
            .await
            .taken("an item's position is taken by another item")?;
    }
    mark_gone(tx, lease, &page.back, false).await?;
    mark_gone(tx, lease, &page.gone, true).await?;
    albums::write(tx, lease, page).await?;
    if let Some(checkpoint) = &page.checkpoint {
        write_checkpoint(tx, lease, checkpoint).await?;
    }
    Ok(())
}

/// One row an id: a listing that shows an item twice counts once, as it was shown last.
fn item_batch(lease: &Lease, items: &[ItemUpsert]) -> Outcome<ItemBatch> {
    let mut places: HashMap<&ProviderId, usize> = HashMap::with_capacity(items.len());
    let mut rows: Vec<ItemRow> = Vec::with_capacity(items.len());
    for item in items {
        let row = ItemRow {
            seq: int(item.seq)?,
            provider_id: item.provider_id.as_str().to_owned(),
            metadata: json(&item.metadata)?,
            metadata_fingerprint: item.metadata.metadata_fingerprint(),
            content_fingerprint: item.metadata.content_fingerprint(),
            shard: item.shard.map(|shard| shard.as_uuid()),
        };
        match places.get(&item.provider_id) {
            Some(&place) => rows[place] = row,
            None => {
                places.insert(&item.provider_id, rows.len());
                rows.push(row);
            }
        }
    }
    Ok(ItemBatch {
        tenant: lease.shard.tenant.as_uuid(),
        plan: lease.shard.plan.as_uuid(),
        rows,
    })
}

async fn mark_gone(tx: &mut Tx, lease: &Lease, seqs: &[u64], gone: bool) -> Outcome<()> {
    if seqs.is_empty() {
        return Ok(());
    }
    let seqs = seqs
        .iter()
        .map(|seq| int(*seq))
        .collect::<Result<Vec<_>, _>>()?;
    sqlx::query(dialect::MARK_GONE)
        .bind(lease.shard.tenant.as_uuid())
        .bind(lease.shard.plan.as_uuid())
        .bind(gone)
        .bind(dialect::ints(seqs)?)
        .execute(tx.conn())
        .await?;
    Ok(())
}

async fn write_checkpoint(tx: &mut Tx, lease: &Lease, checkpoint: &Checkpoint) -> Outcome<()> {
    sqlx::query(
        "INSERT INTO checkpoints (tenant_id, run_id, cursor, seen) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant_id, run_id) DO UPDATE SET cursor = excluded.cursor, seen = excluded.seen",
    )
    .bind(lease.shard.tenant.as_uuid())
    .bind(lease.shard.run.as_uuid())
    .bind(&checkpoint.cursor)
    .bind(&checkpoint.seen)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Changes only items that still wait in the lease's shard, so that a batch recorded twice has one effect.
pub(super) async fn record(
    tx: &mut Tx,
    lease: &Lease,
    outcomes: &[ItemOutcome],
    spent: &Progress,
) -> Outcome<()> {
    fence(tx, lease, spent).await?;
    let mut stored = Vec::with_capacity(outcomes.len());
    let mut failed = Vec::new();
    for outcome in outcomes {
        let seq = int(outcome.seq)?;
        match &outcome.result {
            Ok(content) => stored.push(StoredRow {
                seq,
                blob: *content.blob.as_bytes(),
                size: int(content.size)?,
                path: content.path.clone(),
                fidelity: json(&content.fidelity)?,
            }),
            Err(fault) => failed.push(FailedRow {
                seq,
                fault: json(fault)?,
            }),
        }
    }
    if !stored.is_empty() {
        dialect::record_stored(tx.conn(), &lease.shard, stored).await?;
    }
    if !failed.is_empty() {
        dialect::record_failed(tx.conn(), &lease.shard, failed).await?;
    }
    Ok(())
}
