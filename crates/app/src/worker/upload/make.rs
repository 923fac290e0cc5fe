//! Makes items of bytes that were sent, as the account's only writer: journal → call → record.

use std::sync::Arc;

use tintype_model::{StorageId, item::ProviderId, shard::Lease};
use tintype_ports::{
    PhotoError, PhotoSink, PhotoSource,
    photos::{Creation, NewItem},
    store::{AlbumGrowth, Outcome, SentBytes, UploadRecord},
};
use tracing::{Instrument as _, debug_span, field::Empty};

use super::{
    super::{gate::Gate, trouble::ItemTrouble},
    Sent,
    albums::{AlbumName, Part},
    batches::Batch,
    description_of, name_of,
    sort::{Ready, Sorted},
    verdicts::{alone, judge, send_again, stored},
};
use crate::{App, AppResult, steps::Step};

/// Calls in a row that Google did not answer: then it is not the items.
const OUTAGE: u32 = 8;

/// What became of an item that was to be made; recorded where it is final.
pub(super) type Fate = (u64, Result<(), ItemTrouble>);

/// Makes the items of one shard.
pub(super) struct Maker {
    pub(super) app: App,
    pub(super) lease: Arc<Lease>,
    pub(super) account: StorageId,
    pub(super) gate: Arc<Gate>,
    pub(super) source: Arc<dyn PhotoSource>,
    pub(super) sink: Arc<dyn PhotoSink>,
}

/// The album that items are made in.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) album: AlbumName,
    pub(super) part: Part,
}

impl Target {
    pub(super) fn grown_by(&self, added: usize) -> AlbumGrowth {
        AlbumGrowth {
            album: self.album.key.clone(),
            part: self.part.number,
            added: added as u64,
        }
    }
}

impl Maker {
    /// Makes a batch's items; what became of each comes back. Only whoever writes to the account may ask.
    pub(super) async fn make(&self, batch: Batch) -> AppResult<Vec<Fate>> {
        let span = debug_span!("upload.batch", batch.items = batch.items.len());
        self.make_batch(batch).instrument(span).await
    }

    async fn make_batch(&self, batch: Batch) -> AppResult<Vec<Fate>> {
        let Batch { album, items } = batch;
        let mut sorted = self.sort(items).await?;
        let mut fates = Vec::new();
        let gone = self.look_for(&mut sorted).await?;
        for sent in sorted.later.drain(..) {
            fates.push((sent.item.seq, Err(ItemTrouble::Later(send_again()))));
        }
        let more = sorted.ready.len() + sorted.known.len();
        let album = album.as_deref().filter(|_| more > 0);
        let target = match album.map(AlbumName::of_folder) {
            Some(album) => {
                let part = self.part_for(&album, more as u64).await?;
                Some(Target { album, part })
            }
            None => None,
        };
        let mut record = UploadRecord {
            forgotten: gone,
            ..UploadRecord::default()
        };
        self.keep(&mut sorted, target.as_ref(), &mut record).await?;
        fates.extend(self.record(record).await?);
        fates.extend(self.create_all(sorted.ready, target).await?);
        self.follow(sorted.twins, &mut fates).await?;
        Ok(fates)
    }

    /// What is there already needs no making, only its place in the album.
    async fn keep(
        &self,
        sorted: &mut Sorted,
        target: Option<&Target>,
        record: &mut UploadRecord,
    ) -> AppResult<()> {
        let known = std::mem::take(&mut sorted.known);
        if let Some(target) = target.filter(|_| !known.is_empty()) {
            let ids: Vec<ProviderId> = known.iter().map(|(_, id)| id.clone()).collect();
            self.sink.add_to_album(&target.part.id, &ids).await?;
            record.albums.push(target.grown_by(ids.len()));
        }
        record.outcomes.extend(there(&known, &sorted.nameless));
        sorted.nameless.clear();
        Ok(())
    }

    /// Makes all, in one call if Google lets us, else in smaller ones until what it does not take stands alone.
    async fn create_all(&self, ready: Vec<Ready>, target: Option<Target>) -> AppResult<Vec<Fate>> {
        if ready.is_empty() {
            return Ok(Vec::new());
        }
        self.journal(&ready).await?;
        let mut fates = Vec::new();
        let mut todo = vec![(ready, target)];
        let mut unanswered = 0;
        while let Some((ready, target)) = todo.pop() {
            let (results, mut record) = self.create(&ready, target.as_ref()).await;
            match results {
                Ok(creations) => {
                    unanswered = 0;
                    let full = judge(ready, creations, target.as_ref(), &mut record, &mut fates);
                    fates.extend(self.record(record).await?);
                    if let (Some(target), false) = (target, full.is_empty()) {
                        todo.push((full, Some(self.next(target).await?)));
                    }
                }
                Err(error @ PhotoError::ItemNotFound) => {
                    self.record(record).await?;
                    // The album is gone, or no longer ours.
                    let target = target.ok_or(error)?;
                    todo.push((ready, Some(self.next(target).await?)));
                }
                Err(error @ (PhotoError::Rejected(_) | PhotoError::Unavailable(_))) => {
                    unanswered += u32::from(matches!(error, PhotoError::Unavailable(_)));
                    if unanswered >= OUTAGE {
                        self.record(record).await?;
                        return Err(error.into());
                    }
                    let (first, second) = halves(ready);
                    if second.is_empty() {
                        let fates_of = first
                            .iter()
                            .filter_map(|one| alone(one, &error, &mut record));
                        fates.extend(fates_of.collect::<Vec<_>>());
                        fates.extend(self.record(record).await?);
                        continue;
                    }
                    tracing::info!(
                        error = %error,
                        items = first.len() + second.len(),
                        "google did not make a batch; it is split"
                    );
                    self.record(record).await?;
                    todo.push((second, target.clone()));
                    todo.push((first, target));
                }
                Err(error) => {
                    self.record(record).await?;
                    return Err(error.into());
                }
            }
        }
        Ok(fates)
    }

    async fn next(&self, target: Target) -> AppResult<Target> {
        let part = self.part_after(&target.album, &target.part).await?;
        Ok(Target { part, ..target })
    }

    async fn journal(&self, ready: &[Ready]) -> AppResult<()> {
        let sent: Vec<SentBytes> = ready
            .iter()
            .map(|ready| SentBytes {
                content: ready.sent.content,
                token: ready.voucher.token.expose().to_owned(),
                expires_at: ready.voucher.expires_at,
                filename: name_of(&ready.sent.item),
            })
            .collect();
        let store = &self.app.ports.store;
        store.journal_sent(&self.lease, self.account, &sent).await?;
        self.app.ports.steps.reached(Step::UploadJournalled);
        Ok(())
    }

    /// One call. What it leaves in doubt is in the record.
    async fn create(
        &self,
        ready: &[Ready],
        target: Option<&Target>,
    ) -> (Result<Vec<Creation>, PhotoError>, UploadRecord) {
        let items: Vec<NewItem> = ready
            .iter()
            .map(|ready| NewItem {
                token: ready.voucher.token.clone(),
                filename: name_of(&ready.sent.item),
                description: description_of(&ready.sent.item),
            })
            .collect();
        let span = debug_span!(
            "upload.create",
            batch.items = items.len(),
            batch.doubt = Empty
        );
        let album = target.map(|target| &target.part.id);
        let made = self.sink.create(album, &items);
        let made = made.instrument(span.clone()).await;
        span.record("batch.doubt", made.in_doubt);
        self.app.ports.steps.reached(Step::ItemsMade);
        let in_doubt = ready.iter().filter(|ready| made.in_doubt || ready.again);
        let record = UploadRecord {
            doubtful: in_doubt.map(|ready| ready.sent.content).collect(),
            ..UploadRecord::default()
        };
        (made.results, record)
    }

    /// Records what came of a call; the fates of what is recorded come back.
    pub(super) async fn record(&self, mut record: UploadRecord) -> AppResult<Vec<Fate>> {
        let mut spent = self.gate.take_spent();
        for outcome in &record.outcomes {
            match &outcome.result {
                Ok(content) => {
                    spent.stored += 1;
                    spent.bytes += content.size;
                }
                Err(_) => spent.failed += 1,
            }
        }
        record.spent = spent;
        if record == UploadRecord::default() {
            return Ok(Vec::new());
        }
        let store = &self.app.ports.store;
        store
            .record_uploads(&self.lease, self.account, &record)
            .instrument(debug_span!("upload.record"))
            .await?;
        self.app.ports.steps.reached(Step::UploadRecorded);
        metrics::counter!("tintype_items_uploaded_total").increment(record.spent.stored);
        metrics::counter!("tintype_bytes_uploaded_total").increment(record.spent.bytes);
        for fault in record
            .outcomes
            .iter()
            .filter_map(|it| it.result.as_ref().err())
        {
            metrics::counter!("tintype_errors_total", "kind" => fault.kind.code(), "where" => "item")
                .increment(1);
        }
        let fates = record.outcomes.into_iter().map(|outcome| {
            let fate = outcome.result.map(drop).map_err(ItemTrouble::Item);
            (outcome.seq, fate)
        });
        Ok(fates.collect())
    }

    /// Items of bytes that another one of the batch has: they are that one.
    async fn follow(&self, twins: Vec<Sent>, fates: &mut Vec<Fate>) -> AppResult<()> {
        if twins.is_empty() {
            return Ok(());
        }
        let sorted = self.sort(twins).await?;
        let record = UploadRecord {
            outcomes: there(&sorted.known, &sorted.nameless).collect(),
            ..UploadRecord::default()
        };
        fates.extend(self.record(record).await?);
        // What the first of them did not become, they do not become either; the next try begins with them.
        let ready = sorted.ready.into_iter().map(|ready| ready.sent);
        for sent in ready.chain(sorted.twins).chain(sorted.later) {
            fates.push((sent.item.seq, Err(ItemTrouble::Later(send_again()))));
        }
        Ok(())
    }
}

/// What is there by the journal, with its id where that is known.
fn there(known: &[(Sent, ProviderId)], nameless: &[Sent]) -> impl Iterator<Item = Outcome> {
    let known = known.iter().map(|(sent, id)| stored(sent, Some(id)));
    known.chain(nameless.iter().map(|sent| stored(sent, None)))
}

/// Two halves of a batch; the second is empty when it is one item.
fn halves(mut ready: Vec<Ready>) -> (Vec<Ready>, Vec<Ready>) {
    let second = ready.split_off(ready.len().div_ceil(2));
    (ready, second)
}
