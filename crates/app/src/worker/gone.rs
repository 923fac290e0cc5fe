//! Items that a full listing did not show: asked for by id before they count as gone, because archiving hides them too.

use tintype_model::item::ProviderId;
use tintype_ports::PhotoError;

use super::{
    enumerate::{Cursor, Phase},
    pages::Pages,
};
use crate::AppResult;

/// Catalogue rows that one look brings.
const LOOK: u32 = 1_000;
/// Google's limit for one batchGet.
const BATCH: usize = 50;

pub(crate) async fn walk(pages: &mut Pages, mut after: Option<u64>) -> AppResult<Phase> {
    let shard = pages.found.lease.shard.clone();
    loop {
        if pages.found.is_halted() {
            return Ok(Phase::Halted);
        }
        let rows = pages
            .found
            .app
            .ports
            .store
            .present(shard.tenant, shard.plan, after, LOOK)
            .await?;
        let Some((last, _)) = rows.last() else {
            return Ok(Phase::Next(Cursor::Originals));
        };
        after = Some(*last);
        let unseen: Vec<_> = rows
            .into_iter()
            // What was picked is in no listing.
            .filter(|(seq, id)| !pages.found.seen.contains(*seq) && id.as_picked().is_none())
            .collect();
        for batch in unseen.chunks(BATCH) {
            ask(pages, batch).await?;
        }
        if !unseen.is_empty() {
            pages.found.cursor = Cursor::Gone { after };
            pages.found.flush(true).await?;
        }
    }
}

async fn ask(pages: &mut Pages, batch: &[(u64, ProviderId)]) -> AppResult<()> {
    let ids: Vec<ProviderId> = batch.iter().map(|(_, id)| id.clone()).collect();
    let answers = pages.source.items(&ids).await?;
    for ((seq, _), answer) in batch.iter().zip(answers) {
        // Any other answer means that it is still there, or that nobody knows for certain: it stays.
        if matches!(answer, Err(PhotoError::ItemNotFound)) {
            pages.found.gone(*seq);
        }
    }
    Ok(())
}
