//! One shard of an upload: bytes go up as fast as the permits allow, and no further ahead of the items than the account's batch
//! mode says.

use std::{
    sync::Arc,
    time::{Duration, Instant as Clock},
};

use futures::{StreamExt as _, stream::FuturesUnordered};
use tintype_model::{item::ItemFault, plan::Plan};
use tintype_ports::{
    PhotoError, StoreError,
    photos::BaseUrl,
    store::{Outcome, PendingItem, UploadRecord},
};
use tokio::{
    task::{JoinError, JoinSet},
    time::Instant,
};
use tracing::{Instrument as _, debug_span};

use super::{
    super::{
        gate::Gate,
        heartbeat::Halt,
        permits::{Claim, Permit, Road},
        slot::ShardEnd,
        transfer::{OUTAGE, TURNS},
        trouble::ItemTrouble,
    },
    Sent, album_of,
    batches::{Batch, Batches},
    make::{Fate, Maker},
    prepaid::{Prepaid, Unmade},
    send::Sender,
    supply::{Supplied, Supply},
};
use crate::{App, AppError, AppResult, trace};

/// Faults that are recorded together.
const FAULTS: usize = 100;
/// Progress is told at most this often.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// An item whose bytes are under way.
pub(super) struct Started {
    seq: u64,
    album: Option<String>,
}

/// A shard at work.
pub(super) struct Upload {
    pub(super) app: App,
    pub(super) halt: Halt,
    pub(super) plan: Plan,
    pub(super) road: Road,
    pub(super) weight: u32,
    pub(super) began: u64,
    /// Items of the run that were to be sent when this shard began.
    pub(super) left_in_run: u64,
    pub(super) sender: Sender,
    /// Of the account that the bytes come from.
    pub(super) source_gate: Option<Arc<Gate>>,
    pub(super) maker: Arc<Maker>,
    pub(super) batches: Batches,
    /// What calls to make items are paid from.
    pub(super) prepaid: Arc<Prepaid>,
    /// Items that one call makes.
    pub(super) size: usize,
    /// Items that may be under way or sent without being made.
    pub(super) ahead: usize,
    pub(super) unmade: Unmade,
    pub(super) running: JoinSet<(Started, Result<Sent, ItemTrouble>)>,
    pub(super) making: JoinSet<AppResult<Vec<Fate>>>,
    pub(super) later: Vec<Outcome>,
    pub(super) faults: Vec<Outcome>,
    pub(super) missing_in_a_row: u32,
    pub(super) told_at: Option<Clock>,
}

impl Upload {
    pub(super) async fn run(&mut self, mut supply: Supply) -> AppResult<ShardEnd> {
        let mut trouble = self.work(&mut supply).await.err();
        // Whatever is under way is brought to its end: bytes that were sent are worth an item.
        while let Some(done) = self.running.join_next().await {
            if let Err(error) = self.note_sent(done) {
                trouble.get_or_insert(error);
            }
        }
        for batch in self.batches.close_all() {
            self.begin_batch(batch);
        }
        while let Some(done) = self.making.join_next().await {
            if let Err(error) = self.note_made(done).await {
                trouble.get_or_insert(error);
            }
        }
        self.record_faults().await?;
        if let Some(error) = trouble {
            return Err(error);
        }
        if self.halt.hand_back.is_cancelled() {
            return Ok(ShardEnd::HandedBack);
        }
        let later = std::mem::take(&mut self.later);
        let is_over = supply.is_empty();
        self.app
            .end_of_items(&self.maker.lease, later, is_over)
            .await
    }

    /// Until all is sent and made, or something stops the shard.
    async fn work(&mut self, supply: &mut Supply) -> AppResult<()> {
        let halted = self.halt.hand_back.clone();
        let mut turns = FuturesUnordered::new();
        loop {
            let may_start = !supply.is_empty()
                && self.missing_in_a_row < OUTAGE
                && self.unmade.len() < self.ahead;
            let wanted = if may_start {
                TURNS.min(supply.len()).min(self.ahead - self.unmade.len())
            } else {
                0
            };
            while turns.len() < wanted {
                turns.push(self.turn());
            }
            if self.running.is_empty() && !may_start {
                // Nothing else comes to the open batches before one of them is made.
                for batch in self.batches.close_all() {
                    self.begin_batch(batch);
                }
                if self.making.is_empty() {
                    return Ok(());
                }
            }
            let due = self.batches.next_due();
            tokio::select! {
                biased;
                () = halted.cancelled() => return Ok(()),
                Some(done) = self.making.join_next(), if !self.making.is_empty() => {
                    self.note_made(done).await?;
                }
                Some(done) = self.running.join_next(), if !self.running.is_empty() => {
                    self.note_sent(done)?;
                }
                Some(permit) = turns.next(), if may_start => {
                    match supply.next().await? {
                        Some(Supplied::Ready(item, url)) => {
                            self.start(permit, item, url.map(|it| it.url)).await?;
                        }
                        Some(Supplied::Trouble(item, trouble)) => self.note_trouble(item.seq, trouble)?,
                        None => {}
                    }
                }
                () = until(due) => self.close_due().await?,
            }
        }
    }

    /// One of this shard's claims on a permit.
    fn turn(&self) -> impl Future<Output = Permit> + Send + use<> {
        let claim = Claim {
            tenant: self.sender.tenant,
            weight: self.weight,
            backlog: self.left_in_run,
            shard: self.began,
        };
        let (permits, road) = (Arc::clone(&self.app.permits), self.road.clone());
        let span = debug_span!("upload.permit");
        async move { permits.acquire(&road, claim).await }.instrument(span)
    }

    /// Sends an item, once the call that makes it is paid for.
    async fn start(
        &mut self,
        permit: Permit,
        item: PendingItem,
        url: Option<BaseUrl>,
    ) -> AppResult<()> {
        self.unmade.add(album_of(&item));
        let calls = self.unmade.calls(self.size);
        self.prepaid.pay_for(calls).await?;
        self.left_in_run = self.left_in_run.saturating_sub(1);
        let sender = self.sender.clone();
        let span = trace::of_item(item.seq, item.metadata.kind);
        let of_item = span.clone();
        let sending = async move {
            let started = Started {
                seq: item.seq,
                album: album_of(&item).map(str::to_owned),
            };
            let sent = sender.send(item, url).await;
            drop(permit);
            match &sent {
                Ok(sent) => {
                    of_item.record("item.bytes", sent.size);
                }
                Err(ItemTrouble::Later(fault) | ItemTrouble::Item(fault)) => {
                    trace::failed(&of_item, fault.kind);
                }
                Err(ItemTrouble::Shard(error)) => trace::failed(&of_item, error.kind()),
            }
            (started, sent)
        };
        self.running.spawn(sending.instrument(span));
        Ok(())
    }

    /// Closes the batches that have waited long enough. Where the rest of an album is still under way, it takes a call more than
    /// was paid for; if today has none left, the batch waits for the rest.
    async fn close_due(&mut self) -> AppResult<()> {
        let now = Instant::now();
        while let Some((album, items)) = self.batches.due(now) {
            let calls = self.unmade.calls_apart(self.size, &album, items);
            match self.prepaid.pay_for(calls).await {
                Ok(()) => {
                    if let Some(batch) = self.batches.close(album) {
                        self.begin_batch(batch);
                    }
                }
                Err(PhotoError::QuotaExhausted { .. }) => self.batches.wait_on(&album, now),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn begin_batch(&mut self, batch: Batch) {
        let (app, maker) = (self.app.clone(), Arc::clone(&self.maker));
        let stop = self.halt.lost.clone();
        tracing::debug!(batch.items = batch.items.len(), "a batch is closed");
        self.unmade.close(batch.album.as_deref(), batch.items.len());
        self.prepaid.close();
        let made = async move {
            let account = maker.account;
            let work = maker.make(batch);
            let made = app.as_only_writer(account, &stop, work).await?;
            made.ok_or(AppError::Store(StoreError::LeaseLost))
        };
        self.making.spawn(made.in_current_span());
    }

    /// An item's bytes are sent, or are not; an error ends the shard.
    fn note_sent(
        &mut self,
        done: Result<(Started, Result<Sent, ItemTrouble>), JoinError>,
    ) -> AppResult<()> {
        match done {
            Ok((_, Ok(sent))) => {
                self.missing_in_a_row = 0;
                if let Some(batch) = self.batches.push(sent, Instant::now()) {
                    self.begin_batch(batch);
                }
                Ok(())
            }
            Ok((started, Err(trouble))) => {
                self.unmade.close(started.album.as_deref(), 1);
                self.unmade.end(1);
                self.note_trouble(started.seq, trouble)
            }
            Err(panicked) => {
                tracing::error!(error = %panicked, "sending an item ended in a defect");
                Err(defect())
            }
        }
    }

    fn note_trouble(&mut self, seq: u64, trouble: ItemTrouble) -> AppResult<()> {
        match trouble {
            ItemTrouble::Item(fault) => {
                self.missing_in_a_row = 0;
                self.faults.push(Outcome {
                    seq,
                    result: Err(fault),
                });
                Ok(())
            }
            ItemTrouble::Later(fault) => {
                self.missing_in_a_row += 1;
                self.postpone(seq, fault);
                Ok(())
            }
            ItemTrouble::Shard(error) => Err(error),
        }
    }

    fn postpone(&mut self, seq: u64, fault: ItemFault) {
        self.later.push(Outcome {
            seq,
            result: Err(fault),
        });
    }

    /// A batch is made; an error ends the shard.
    async fn note_made(&mut self, done: Result<AppResult<Vec<Fate>>, JoinError>) -> AppResult<()> {
        self.prepaid.left(self.making.len() as u64);
        let fates = match done {
            Ok(fates) => fates?,
            Err(panicked) => {
                tracing::error!(error = %panicked, "making items ended in a defect");
                return Err(defect());
            }
        };
        self.unmade.end(fates.len());
        for (seq, fate) in fates {
            // What is final is recorded by the maker.
            if let Err(ItemTrouble::Later(fault)) = fate {
                self.postpone(seq, fault);
            }
        }
        if self.faults.len() >= FAULTS {
            self.record_faults().await?;
        }
        self.tell().await;
        Ok(())
    }

    pub(super) async fn record_faults(&mut self) -> AppResult<()> {
        let record = UploadRecord {
            outcomes: std::mem::take(&mut self.faults),
            ..UploadRecord::default()
        };
        self.maker.record(record).await.map(drop)
    }

    async fn tell(&mut self) {
        if self.told_at.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
            self.told_at = Some(Clock::now());
            let shard = &self.maker.lease.shard;
            self.app.publish_progress(shard.tenant, shard.run).await;
        }
    }
}

fn defect() -> AppError {
    AppError::Defect("see the worker's log")
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
