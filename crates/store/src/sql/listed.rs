//! The items that a listing page brings: which are new, and what becomes of those that are known.

use std::collections::HashMap;

use tintype_model::{
    ShardId,
    item::{ItemState, ProviderId},
    shard::Lease,
};
use tintype_ports::store::{ItemUpsert, KnownItem};
use uuid::Uuid;

use super::{
    Tx,
    bulk::{Clash, ItemRow, Owner, REFUSE, RENEW_ID, RENEW_ITEM, RENEW_UNSTORED, UnstoredRow},
    dialect, items,
};
use crate::{
    codec::{int, json},
    failure::{Explain as _, Outcome},
};

/// How items that are new are told from those that are known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tell {
    /// An item behind the last position is new.
    ByPosition,
    /// Each id is looked up.
    ById,
}

/// The rows of a page.
pub(super) struct Listed {
    owner: Owner,
    fresh: Vec<ItemRow>,
    renewed: Vec<ItemRow>,
    fresh_waiting: Vec<UnstoredRow>,
    renewed_waiting: Vec<UnstoredRow>,
}

impl Listed {
    /// Items at positions from `known_below` on count as new; if that is wrong, the database refuses the page.
    pub(super) async fn sort(
        tx: &mut Tx,
        lease: &Lease,
        items: &[ItemUpsert],
        known_below: i64,
    ) -> Outcome<Self> {
        let owner = Owner::of(lease.shard.tenant, lease.shard.plan);
        let mut listed = Self {
            owner,
            fresh: Vec::new(),
            renewed: Vec::new(),
            fresh_waiting: Vec::new(),
            renewed_waiting: Vec::new(),
        };
        if items.is_empty() {
            return Ok(listed);
        }
        let items = once_each(items);
        let mut doubtful = Vec::new();
        for item in &items {
            if int(item.seq)? < known_below {
                doubtful.push(&item.provider_id);
            }
        }
        let known = find(tx, owner, &doubtful).await?;
        for item in items {
            listed.add(item, known.get(&item.provider_id))?;
        }
        Ok(listed)
    }

    fn add(&mut self, item: &ItemUpsert, known: Option<&KnownItem>) -> Outcome<()> {
        let seq = int(known.map_or(item.seq, |known| known.seq))?;
        let shard = item.shard.map(|shard| shard.as_uuid());
        // Bytes that are not asked for again are those of the content that was known.
        let kept = known.filter(|known| shard.is_none() && known.state == ItemState::Stored);
        let row = ItemRow {
            seq,
            provider_id: item.provider_id.as_str().to_owned(),
            metadata: json(&item.metadata)?,
            metadata_fingerprint: item.metadata.metadata_fingerprint(),
            content_fingerprint: kept.map_or_else(
                || item.metadata.content_fingerprint(),
                |known| known.content_fingerprint,
            ),
        };
        let waiting = UnstoredRow {
            seq,
            shard,
            fault: None,
        };
        if known.is_none() {
            self.fresh.push(row);
            self.fresh_waiting.push(waiting);
        } else {
            self.renewed.push(row);
            if shard.is_some() {
                self.renewed_waiting.push(waiting);
            }
        }
        Ok(())
    }

    /// The first and the last position of the items that wait in a shard.
    pub(super) fn range(&self, shard: ShardId) -> Option<(i64, i64)> {
        let shard: Uuid = shard.as_uuid();
        let waiting = self.fresh_waiting.iter().chain(&self.renewed_waiting);
        waiting
            .filter(|row| row.shard == Some(shard))
            .map(|row| row.seq)
            .fold(None, |range, seq| match range {
                None => Some((seq, seq)),
                Some((first, last)) => Some((seq.min(first), seq.max(last))),
            })
    }

    pub(super) async fn write(self, tx: &mut Tx) -> Outcome<()> {
        let owner = self.owner;
        let refuse = Clash {
            item: REFUSE,
            id: REFUSE,
            waiting: REFUSE,
        };
        let renew = Clash {
            item: RENEW_ITEM,
            id: RENEW_ID,
            waiting: RENEW_UNSTORED,
        };
        for (items, waiting, clash) in [
            (self.fresh, self.fresh_waiting, refuse),
            (self.renewed, self.renewed_waiting, renew),
        ] {
            if !items.is_empty() {
                dialect::insert_listed(tx.conn(), owner, &items, &waiting, clash)
                    .await
                    .taken("an item's position is taken by another item")?;
            }
        }
        Ok(())
    }
}

/// One of each id: a listing that shows an item twice counts once, as it was shown last.
fn once_each(items: &[ItemUpsert]) -> Vec<&ItemUpsert> {
    let mut places: HashMap<&ProviderId, usize> = HashMap::with_capacity(items.len());
    let mut once: Vec<&ItemUpsert> = Vec::with_capacity(items.len());
    for item in items {
        let place = *places.entry(&item.provider_id).or_insert(once.len());
        if place == once.len() {
            once.push(item);
        } else {
            once[place] = item;
        }
    }
    once
}

async fn find(
    tx: &mut Tx,
    owner: Owner,
    ids: &[&ProviderId],
) -> Outcome<HashMap<ProviderId, KnownItem>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = ids.iter().map(|id| id.as_str());
    let known = items::known(tx.conn(), owner, ids).await?;
    Ok(known
        .into_iter()
        .map(|item| (item.provider_id.clone(), item))
        .collect())
}
