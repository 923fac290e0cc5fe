//! Gathers what listing pages change and writes it in few, fenced transactions.

use std::{collections::HashMap, sync::Arc};

use chrono::Datelike;
use tintype_model::{
    ShardId,
    album::Album,
    item::{ItemMetadata, ProviderId},
    seen::SeenSet,
    shard::{Lease, Shard, ShardKind},
};
use tintype_ports::{
    PhotoSource,
    photos::{ListedItem, Page, Persistence},
    store::{Checkpoint, ItemUpsert, KnownItem, PageWrite},
};
use tracing::Instrument as _;

use super::{
    diff::{Verdict, judge},
    enumerate::Cursor,
    heartbeat::Halt,
    transfer::Account,
};
use crate::{App, AppError, AppResult, steps::Step};

/// Rows that one write holds at most, below the store's own limit.
const WRITE_ROWS: usize = 500;
/// As long as a run has fewer shards, every page makes one, so that transfer starts at once.
const EAGER_SHARDS: u32 = 8;

/// An enumeration at work.
pub(crate) struct Pages {
    pub(crate) app: App,
    pub(crate) lease: Arc<Lease>,
    pub(crate) account: Account,
    pub(crate) source: Arc<dyn PhotoSource>,
    pub(crate) cursor: Cursor,
    pub(crate) seen: SeenSet,
    halt: Halt,
    write: PageWrite,
    open_shard: ShardId,
    queued: u32,
    shards_cut: u32,
    next_seq: u64,
    pages_since_checkpoint: u32,
    is_unsaved: bool,
}

impl Pages {
    /// Goes on where the run's checkpoint is, or begins.
    pub(crate) async fn open(
        app: &App,
        lease: Arc<Lease>,
        account: Account,
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
        let gate = Arc::clone(&account.gate) as _;
        let source = app.ports.sources.open(gate, Persistence::Usual);
        let open_shard = ShardId::new(app.ports.clock.now(), app.ports.entropy.id_bytes());
        Ok(Self {
            app: app.clone(),
            lease,
            account,
            source,
            cursor,
            seen,
            halt,
            write: PageWrite::default(),
            open_shard,
            queued: 0,
            shards_cut: 0,
            next_seq,
            pages_since_checkpoint: 0,
            is_unsaved: false,
        })
    }

    pub(crate) fn is_halted(&self) -> bool {
        self.halt.hand_back.is_cancelled()
    }

    /// Takes a page in; returns how many of its items were not as known.
    pub(crate) async fn take(&mut self, page: Page<ListedItem>) -> AppResult<usize> {
        self.is_unsaved = true;
        if let Some((count, why)) = page.malformed {
            tracing::warn!(
                items = count,
                reason = why,
                "a listing held entries that cannot be understood"
            );
            self.write.spent.failed += count;
        }
        let start_year = self.account.settings.start_year;
        let is_wanted = |item: &ListedItem| {
            item.metadata
                .created_at
                .is_none_or(|at| at.year() >= start_year)
        };
        let entries: Vec<ListedItem> = page.entries.into_iter().filter(is_wanted).collect();
        let ids: Vec<ProviderId> = entries.iter().map(|item| item.id.clone()).collect();
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
        self.know_unwritten(&mut known, &entries);
        let now = self.app.ports.clock.now();
        let mut news = 0;
        for ListedItem {
            id,
            metadata,
            base_url,
        } in entries
        {
            let verdict = judge(known.get(&id), &metadata);
            news += usize::from(verdict != Verdict::Same);
            let seq = known.get(&id).map_or(self.next_seq, |item| item.seq);
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
                    continue;
                }
                Verdict::New | Verdict::Changed => {
                    match verdict {
                        Verdict::New => {
                            self.next_seq += 1;
                            self.write.spent.new += 1;
                        }
                        _ => self.write.spent.changed += 1,
                    }
                    if let Some(url) = base_url {
                        self.app
                            .urls
                            .put(self.account.storage, id.clone(), url, now);
                    }
                    known.insert(id.clone(), as_known(seq, &id, &metadata));
                    self.queue(seq, id, metadata);
                }
            }
        }
        Ok(news)
    }

    /// Items of this page that an earlier page brought but that are not written yet: pages overlap, albums repeat.
    fn know_unwritten(&self, known: &mut HashMap<ProviderId, KnownItem>, entries: &[ListedItem]) {
        let unwritten: HashMap<&ProviderId, &ItemUpsert> = self
            .write
            .items
            .iter()
            .map(|item| (&item.provider_id, item))
            .collect();
        for entry in entries {
            if let Some(item) = unwritten.get(&entry.id) {
                known.insert(
                    entry.id.clone(),
                    as_known(item.seq, &entry.id, &item.metadata),
                );
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
        let spent = self.account.gate.take_spent();
        let mut write = std::mem::take(&mut self.write);
        write.spent += spent;
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
        self.app
            .publish_progress(self.lease.shard.tenant, self.lease.shard.run)
            .await;
        Ok(())
    }
}

fn as_known(seq: u64, id: &ProviderId, metadata: &ItemMetadata) -> KnownItem {
    KnownItem {
        provider_id: id.clone(),
        seq,
        metadata_fingerprint: metadata.metadata_fingerprint(),
        content_fingerprint: metadata.content_fingerprint(),
        state: tintype_model::item::ItemState::Pending,
        gone: false,
        shard: None,
    }
}
