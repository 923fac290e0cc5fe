//! Gathers what a listing changes and writes it in few, fenced transactions.

use std::{collections::HashMap, sync::Arc, time::Instant};

use tintype_model::{
    ShardId,
    album::Album,
    item::{ItemMetadata, ItemState, ProviderId},
    seen::SeenSet,
    shard::{Lease, Shard, ShardKind},
};
use tintype_ports::store::{Checkpoint, ItemUpsert, KnownItem, PageWrite};
use tracing::Instrument as _;

use super::{
    committer::TELL_EVERY,
    diff::{Verdict, judge},
    enumerate::Cursor,
    gate::Gate,
    heartbeat::Halt,
};
use crate::{App, AppError, AppResult, steps::Step};

/// Rows that one write holds at most, below the store's own limit.
const WRITE_ROWS: usize = 500;
/// As long as a run has fewer shards, every page makes one, so that transfer starts at once.
const EAGER_SHARDS: u32 = 8;

/// An entry that was not as known.
pub(crate) struct News {
    pub(crate) id: ProviderId,
    pub(crate) seq: u64,
    /// Nothing was known of it.
    pub(crate) is_new: bool,
    /// Its bytes are to be copied.
    pub(crate) is_copied: bool,
    /// [`ItemMetadata::likeness`].
    pub(crate) likeness: Option<i64>,
}

/// What an enumeration has found and not yet written.
pub(crate) struct Findings {
    pub(crate) app: App,
    pub(crate) lease: Arc<Lease>,
    pub(crate) cursor: Cursor,
    pub(crate) seen: SeenSet,
    /// Whose calls the listing's shard has spent; a folder costs none.
    gate: Option<Arc<Gate>>,
    halt: Halt,
    pub(super) write: PageWrite,
    open_shard: ShardId,
    queued: u32,
    shards_cut: u32,
    next_seq: u64,
    pages_since_checkpoint: u32,
    is_unsaved: bool,
    /// When progress was told last.
    told: Option<Instant>,
}

impl Findings {
    /// Goes on where the run's checkpoint is, or begins.
    pub(crate) async fn open(
        app: &App,
        lease: Arc<Lease>,
        gate: Option<Arc<Gate>>,
        halt: Halt,
    ) -> AppResult<Self> {
        let shard = &lease.shard;
        let (cursor, seen) = match app.ports.store.checkpoint(shard.tenant, shard.run).await? {
            Some(Checkpoint { cursor, seen }) => {
                let cursor = serde_json::from_str(&cursor).map_err(|error| {
                    AppError::Store(tintype_ports::StoreError::Corrupt(error.to_string()))
                })?;
                (cursor, SeenSet::from_bytes(&seen))
            }
            None => (Cursor::Leftovers { after: None }, SeenSet::new()),
        };
        let next_seq = app.ports.store.next_seq(shard.tenant, shard.plan).await?;
        let open_shard = ShardId::new(app.ports.clock.now(), app.ports.entropy.id_bytes());
        Ok(Self {
            app: app.clone(),
            lease,
            cursor,
            seen,
            gate,
            halt,
            write: PageWrite::default(),
            open_shard,
            queued: 0,
            shards_cut: 0,
            next_seq,
            pages_since_checkpoint: 0,
            is_unsaved: false,
            told: None,
        })
    }

    pub(crate) fn is_halted(&self) -> bool {
        self.halt.hand_back.is_cancelled()
    }

    /// Entries of a listing that cannot be used; the first reason stands for all.
    pub(crate) fn unusable(&mut self, count: u64, why: &str) {
        tracing::warn!(
            items = count,
            reason = why,
            "a listing held entries that cannot be understood"
        );
        self.write.spent.failed += count;
    }

    /// Goes on there, and says so at the next checkpoint whatever else is to be written.
    pub(crate) fn move_to(&mut self, cursor: Cursor) {
        self.cursor = cursor;
        self.is_unsaved = true;
    }

    /// Takes entries in; returns those that were not as known.
    pub(crate) async fn take(
        &mut self,
        entries: Vec<(ProviderId, ItemMetadata)>,
    ) -> AppResult<Vec<News>> {
        self.is_unsaved = true;
        let ids: Vec<ProviderId> = entries.iter().map(|(id, _)| id.clone()).collect();
        let shard = &self.lease.shard;
        let known = self
            .app
            .ports
            .store
            .known(shard.tenant, shard.plan, &ids)
            .await?;
        let mut known: HashMap<ProviderId, KnownItem> = known
            .into_iter()
            .map(|item| (item.provider_id.clone(), item))
            .collect();
        self.know_unwritten(&mut known, &ids);
        let mut news = Vec::new();
        for (id, metadata) in entries {
            let seq = known.get(&id).map_or(self.next_seq, |item| item.seq);
            let verdict = match judge(known.get(&id), &metadata) {
                // Who picks an item whose bytes could not be had wants them now.
                _ if self.is_asked_again(known.get(&id)) => Verdict::Changed,
                verdict => verdict,
            };
            if verdict != Verdict::Same {
                news.push(News {
                    id: id.clone(),
                    seq,
                    is_new: verdict == Verdict::New,
                    is_copied: matches!(verdict, Verdict::New | Verdict::Changed),
                    likeness: metadata.likeness(),
                });
            }
            // Pages overlap and albums repeat: an item is listed once, however often it is shown.
            self.write.spent.listed += u64::from(!self.seen.contains(seq));
            self.seen.insert(seq);
            match verdict {
                Verdict::Same => continue,
                Verdict::Back => self.write.back.push(seq),
                Verdict::Retold => {
                    self.write.spent.changed += 1;
                    self.write.items.push(ItemUpsert {
                        seq,
                        provider_id: id,
                        metadata,
                        shard: None,
                    });
                }
                Verdict::New | Verdict::Changed => {
                    if verdict == Verdict::New {
                        self.next_seq += 1;
                        self.write.spent.new += 1;
                    } else {
                        self.write.spent.changed += 1;
                    }
                    known.insert(id.clone(), as_known(seq, &id, &metadata));
                    self.queue(seq, id, metadata);
                }
            }
        }
        Ok(news)
    }

    /// Whether a listing of what was picked shows, for the first time, an item whose bytes are not there.
    fn is_asked_again(&self, known: Option<&KnownItem>) -> bool {
        matches!(self.cursor, Cursor::Picked { .. })
            && known.is_some_and(|it| it.state != ItemState::Stored && !self.seen.contains(it.seq))
    }

    /// Notes that an item is another one, seen another way.
    pub(crate) fn rendition(&mut self, seq: u64, of: u64) {
        self.write.renditions.push((seq, of));
    }

    /// Items of this page that an earlier page brought but that are not written yet: pages overlap, albums repeat.
    fn know_unwritten(&self, known: &mut HashMap<ProviderId, KnownItem>, ids: &[ProviderId]) {
        let unwritten: HashMap<&ProviderId, &ItemUpsert> = self
            .write
            .items
            .iter()
            .map(|item| (&item.provider_id, item))
            .collect();
        for id in ids {
            if let Some(item) = unwritten.get(id) {
                known.insert(id.clone(), as_known(item.seq, id, &item.metadata));
            }
        }
    }

    /// Queues an item's bytes in the open shard.
    pub(crate) fn queue(&mut self, seq: u64, provider_id: ProviderId, metadata: ItemMetadata) {
        self.write.items.push(ItemUpsert {
            seq,
            provider_id,
            metadata,
            shard: Some(self.open_shard),
        });
        self.write.spent.queued += 1;
        self.queued += 1;
    }

    pub(crate) fn album(&mut self, place: u64, album: Album) {
        self.write.spent.changed += 1;
        self.write.albums.push((place, album));
    }

    pub(crate) fn album_gone(&mut self, album: ProviderId) {
        self.write.spent.changed += 1;
        self.write.albums_gone.push(album);
    }

    pub(crate) fn members(&mut self, album: ProviderId, from: u64, items: Vec<ProviderId>) {
        self.write.spent.changed += 1;
        self.write.members.push((album, from, items));
    }

    pub(crate) fn gone(&mut self, seq: u64) {
        self.write.spent.gone += 1;
        self.write.gone.push(seq);
    }

    /// A page is taken in and the cursor is behind it: writes if enough has gathered.
    pub(crate) async fn page_done(&mut self) -> AppResult<()> {
        self.pages_since_checkpoint += 1;
        let full = self.queued as usize >= self.app.settings.shard_items
            || self.write.items.len() >= WRITE_ROWS;
        let eager = self.queued > 0 && self.shards_cut < EAGER_SHARDS;
        let checkpoint = self.pages_since_checkpoint >= self.app.settings.checkpoint_pages;
        if full || eager || checkpoint || self.write.members.len() >= WRITE_ROWS {
            self.flush(checkpoint).await?;
        }
        Ok(())
    }

    /// Writes what has gathered. With `checkpoint`, whoever goes on begins behind it.
    pub(crate) async fn flush(&mut self, checkpoint: bool) -> AppResult<()> {
        let mut write = std::mem::take(&mut self.write);
        if let Some(gate) = &self.gate {
            write.spent += gate.take_spent();
        }
        if self.queued > 0 {
            write.shards.push(Shard {
                id: self.open_shard,
                kind: ShardKind::Transfer,
                items: self.queued,
                ..self.lease.shard.clone()
            });
        }
        if checkpoint {
            let cursor = serde_json::to_string(&self.cursor).map_err(|error| {
                AppError::Store(tintype_ports::StoreError::Corrupt(error.to_string()))
            })?;
            write.checkpoint = Some(Checkpoint {
                cursor,
                seen: self.seen.to_bytes(),
            });
        }
        let nothing = write
            == PageWrite {
                checkpoint: write.checkpoint.clone(),
                ..PageWrite::default()
            };
        if nothing && !(checkpoint && self.is_unsaved) {
            return Ok(());
        }
        let span = tracing::debug_span!("listing.write", shard.items = self.queued);
        let store = &self.app.ports.store;
        store
            .write_page(&self.lease, &write)
            .instrument(span)
            .await?;
        self.app.ports.steps.reached(Step::PageWritten);
        if self.queued > 0 {
            let now = self.app.ports.clock.now();
            self.open_shard = ShardId::new(now, self.app.ports.entropy.id_bytes());
            self.queued = 0;
            self.shards_cut += 1;
            self.app.ports.bell.ring();
        }
        if checkpoint {
            self.pages_since_checkpoint = 0;
            self.is_unsaved = false;
        }
        // The end of the shard tells what is left out here.
        if self.told.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
            self.told = Some(Instant::now());
            self.app
                .publish_progress(self.lease.shard.tenant, self.lease.shard.run)
                .await;
        }
        Ok(())
    }
}

fn as_known(seq: u64, id: &ProviderId, metadata: &ItemMetadata) -> KnownItem {
    KnownItem {
        provider_id: id.clone(),
        seq,
        metadata_fingerprint: metadata.metadata_fingerprint(),
        content_fingerprint: metadata.content_fingerprint(),
        state: ItemState::Pending,
        gone: false,
        shard: None,
    }
}
