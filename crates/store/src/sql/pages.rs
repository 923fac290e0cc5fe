//! What a piece of enumeration and a batch of transfers change.

use std::collections::HashMap;

use tintype_model::{
    progress::Progress,
    shard::{Lease, ShardKind},
};
use tintype_ports::{
    StoreError,
    store::{Checkpoint, Outcome as ItemOutcome, PageWrite},
};

use super::{
    Tx, albums,
    bulk::{ContentRow, Owner, REFUSE, RENEW_CONTENT, UnstoredRow},
    dialect,
    fence::fence,
    listed::{Listed, Tell},
    originals, renditions,
    shards::insert_shard,
};
use crate::{
    codec::{int, json},
    failure::Outcome,
};

pub(super) async fn write(tx: &mut Tx, lease: &Lease, page: &PageWrite, tell: Tell) -> Outcome<()> {
    let next_seq = fence(tx, lease, &page.spent).await?;
    let known_below = match tell {
        Tell::ByPosition => next_seq,
        Tell::ById => i64::MAX,
    };
    // A shard's items are looked for between its first and its last, which are known only now.
    for item in &page.items {
        if let Some(shard) = item.shard
            && !page.shards.iter().any(|new| new.id == shard)
        {
            let what = format!("item {} is for shard {shard}, which is not new", item.seq);
            return Err(StoreError::Conflict(what).into());
        }
    }
    let listed = Listed::sort(tx, lease, &page.items, known_below).await?;
    for shard in &page.shards {
        if !insert_shard(tx, shard, listed.range(shard.id)).await? {
            return Err(StoreError::Conflict(format!("shard {} exists already", shard.id)).into());
        }
    }
    listed.write(tx).await?;
    mark_gone(tx, lease, &page.back, false).await?;
    mark_gone(tx, lease, &page.gone, true).await?;
    albums::write(tx, lease, page).await?;
    renditions::write(tx, lease, page).await?;
    if let Some(decided) = &page.originals {
        originals::write(tx, lease, decided).await?;
    }
    if let Some(checkpoint) = &page.checkpoint {
        write_checkpoint(tx, lease, checkpoint).await?;
    }
    Ok(())
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

/// Changes only items that still wait in the lease's shard, so that a batch recorded twice has one effect. Nothing waits in a shard
/// of originals.
pub(super) async fn record(
    tx: &mut Tx,
    lease: &Lease,
    outcomes: &[ItemOutcome],
    spent: &Progress,
) -> Outcome<()> {
    fence(tx, lease, spent).await?;
    if lease.shard.kind == ShardKind::Originals {
        return originals::replace(tx, lease, outcomes).await;
    }
    let owner = Owner::of(lease.shard.tenant, lease.shard.plan);
    let mut waiting = take_waiting(tx, lease, outcomes).await?;
    let (mut first, mut renewed, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for outcome in outcomes {
        let seq = int(outcome.seq)?;
        let Some(has_content) = waiting.remove(&seq) else {
            continue;
        };
        match &outcome.result {
            Ok(content) => {
                let row = ContentRow {
                    seq,
                    blob: *content.blob.as_bytes(),
                    size: int(content.size)?,
                    path: content.path.clone(),
                    fidelity: json(&content.fidelity)?,
                };
                if has_content {
                    &mut renewed
                } else {
                    &mut first
                }
                .push(row);
            }
            Err(fault) => failed.push(UnstoredRow {
                seq,
                shard: None,
                fault: Some(json(fault)?),
            }),
        }
    }
    for (rows, clash) in [(first, REFUSE), (renewed, RENEW_CONTENT)] {
        if !rows.is_empty() {
            dialect::insert_contents(tx.conn(), owner, &rows, clash).await?;
        }
    }
    if !failed.is_empty() {
        dialect::insert_failed(tx.conn(), owner, &failed).await?;
    }
    Ok(())
}

/// Ends the wait of the outcomes' items, as far as they wait in this shard. Which those are, and whether they have content.
async fn take_waiting(
    tx: &mut Tx,
    lease: &Lease,
    outcomes: &[ItemOutcome],
) -> Outcome<HashMap<i64, bool>> {
    let mut seqs = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        seqs.push(int(outcome.seq)?);
    }
    let (Some(first), Some(last)) = (seqs.iter().min().copied(), seqs.iter().max().copied()) else {
        return Ok(HashMap::new());
    };
    let taken: Vec<(i64, bool)> = sqlx::query_as(dialect::TAKE_WAITING)
        .bind(lease.shard.tenant.as_uuid())
        .bind(lease.shard.plan.as_uuid())
        .bind(lease.shard.id.as_uuid())
        .bind(first)
        .bind(last)
        .bind(dialect::ints(seqs)?)
        .fetch_all(tx.conn())
        .await?;
    Ok(taken.into_iter().collect())
}
