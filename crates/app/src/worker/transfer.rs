//! Copies the items of one shard: as many at once as the permits allow, each recorded only after it is durable.

use std::{sync::Arc, task::Poll};

use futures::{FutureExt as _, StreamExt, stream::FuturesUnordered};
use tintype_model::{plan::Plan, shard::Lease, storage::ProxyUrl};
use tintype_ports::{
    archive::Placement,
    photos::{Persistence, Traffic},
    store::{Outcome, PendingItem},
};
use tokio::task::JoinSet;
use tracing::{Instrument as _, Span, debug_span};

use super::{
    download::Fetcher,
    downloads::Downloads,
    feed::{Fed, Feed},
    heartbeat::Halt,
    intake::{Intake, conclude},
    mirror,
    permits::{Claim, Permit, Road},
    proxy::{self, Pass},
    slot::ShardEnd,
    trouble::ItemTrouble,
    urls::HeldUrl,
};
use crate::{App, AppResult, steps::Step, trace};

/// Items in a row that Google did not give although asked again and again: the rest of the shard would fare no better.
pub(super) const OUTAGE: u32 = 8;
/// Claims on permits that a shard has waiting at the same time. With fewer, permits that become free together would go to
/// whoever is in line, not to whoever's turn it is.
pub(super) const TURNS: usize = 16;
/// No shard is larger, whatever the settings say.
pub(super) const SHARD_LIMIT: u32 = 5_000;

impl App {
    pub(crate) async fn transfer(
        &self,
        lease: &Arc<Lease>,
        plan: Plan,
        halt: &Halt,
    ) -> AppResult<ShardEnd> {
        let shard = &lease.shard;
        let Downloads {
            account,
            source,
            channel,
            proxy,
        } = self.downloads(lease, plan).await?;
        let intake = self.intake(lease, &account).await?;
        let items = self
            .ports
            .store
            .pending(shard.tenant, shard.id, None, SHARD_LIMIT)
            .await?;
        let placements = self
            .placements(&account.plan, &items, mirror::claim)
            .await?;
        let tenant = self.ports.store.tenant(shard.tenant).await?;
        let so_far = self.ports.store.progress(shard.tenant, shard.run).await?;
        let left_in_run = so_far.queued.saturating_sub(so_far.stored + so_far.failed);
        let transfer = Transfer {
            app: self.clone(),
            halt: halt.clone(),
            road: account.gate.road(Traffic::Download),
            weight: tenant.map_or(1, |tenant| tenant.weight),
            began: self.permits.begin_shard(),
            beyond_shard: left_in_run.saturating_sub(items.len() as u64),
            fetcher: Fetcher {
                app: self.clone(),
                source: Arc::clone(&source),
                archive: intake.archive(),
                channel,
                read_size: account.settings.read_size,
            },
            intake,
            proxy,
            running: JoinSet::new(),
            later: Vec::new(),
            missing_in_a_row: 0,
        };
        let feed = Feed::new(
            self.clone(),
            source,
            account.storage,
            items.into_iter().zip(placements).collect(),
        );
        let end = transfer.run(feed).await;
        let spent = account.gate.take_spent();
        self.record_calls(lease, &spent).await?;
        end
    }

    /// How a shard ends of whose items some could not be had yet: they are tried again, but not for ever.
    pub(super) async fn end_of_items(
        &self,
        lease: &Lease,
        later: Vec<Outcome>,
        all_started: bool,
    ) -> AppResult<ShardEnd> {
        if later.is_empty() && all_started {
            return Ok(ShardEnd::Done);
        }
        let is_last_attempt = lease.attempt >= self.settings.shard_attempts;
        if !is_last_attempt || !all_started {
            return Ok(ShardEnd::TryLater);
        }
        let spent = tintype_model::progress::Progress {
            failed: later.len() as u64,
            ..Default::default()
        };
        self.ports.store.record(lease, &later, &spent).await?;
        Ok(ShardEnd::Done)
    }
}

struct Transfer {
    app: App,
    halt: Halt,
    road: Road,
    weight: u32,
    began: u64,
    /// Items of the run that other shards hold, when this one began.
    beyond_shard: u64,
    intake: Intake,
    fetcher: Fetcher,
    /// Tried before Google's base URLs.
    proxy: Option<ProxyUrl>,
    running: JoinSet<(u64, Result<(), ItemTrouble>)>,
    later: Vec<Outcome>,
    missing_in_a_row: u32,
}

impl Transfer {
    async fn run(mut self, mut feed: Feed) -> AppResult<ShardEnd> {
        let mut trouble = self.start_all(&mut feed).await.err();
        while let Some(done) = self.running.join_next().await {
            if let Err(error) = self.note(done) {
                trouble.get_or_insert(error);
            }
        }
        if let Some(error) = trouble {
            return Err(error);
        }
        if self.halt.hand_back.is_cancelled() {
            return Ok(ShardEnd::HandedBack);
        }
        let later = std::mem::take(&mut self.later);
        self.app
            .end_of_items(self.intake.lease(), later, feed.is_empty())
            .await
    }

    /// Starts one download after the other, each with a permit or a turn at the proxy, until all are started or something stops
    /// the shard.
    async fn start_all(&mut self, feed: &mut Feed) -> AppResult<()> {
        let halted = self.halt.hand_back.clone();
        let mut turns = FuturesUnordered::new();
        while self.missing_in_a_row < OUTAGE && !feed.is_empty() {
            while turns.len() < TURNS.min(feed.len()) {
                turns.push(self.turn(self.beyond_shard + feed.len() as u64));
            }
            let left = self.beyond_shard + feed.len() as u64;
            let next = async {
                // The pass comes first: a URL that waited for it could have died meanwhile.
                let pass = self.pass(&mut turns, left).await;
                let fed = feed.next().await?;
                AppResult::Ok(fed.map(|fed| (pass, fed)))
            };
            let next = tokio::select! {
                () = halted.cancelled() => return Ok(()),
                next = next => next?,
            };
            match next {
                None => return Ok(()),
                Some((
                    pass,
                    Fed::Ready {
                        item,
                        placement,
                        url,
                    },
                )) => {
                    self.start(pass, item, placement, url);
                }
                Some((_, Fed::Trouble { item, trouble })) => self.start_failed(item.seq, trouble),
            }
            while let Some(done) = self.running.try_join_next() {
                self.note(done)?;
            }
        }
        Ok(())
    }

    /// The right to fetch one more item: a turn at the proxy, or else a permit.
    async fn pass<F>(&self, turns: &mut FuturesUnordered<F>, backlog: u64) -> Pass
    where
        F: Future<Output = Permit>,
    {
        if let Some(proxy) = &self.proxy {
            let originals = &self.app.ports.originals;
            let mut turn = originals.turn(proxy, Persistence::Usual);
            let turn = match futures::poll!(&mut turn) {
                Poll::Ready(turn) => turn,
                Poll::Pending => {
                    // Meanwhile nobody would use the permits that claims of earlier may be given.
                    turns.clear();
                    turn.await
                }
            };
            if let Ok(turn) = turn {
                turns.clear();
                let permit = self.turn(backlog).boxed();
                return Pass::Proxy { turn, permit };
            }
            proxy::count("skipped");
        }
        match turns.next().await {
            Some(permit) => permit.into(),
            None => self.turn(backlog).await.into(),
        }
    }

    /// One of this shard's claims on a permit.
    fn turn(&self, backlog: u64) -> impl Future<Output = Permit> + Send + use<> {
        let claim = Claim {
            tenant: self.intake.lease().shard.tenant,
            weight: self.weight,
            backlog,
            shard: self.began,
        };
        let (permits, road) = (Arc::clone(&self.app.permits), self.road.clone());
        // Of no item yet: the permit comes first, and goes to whichever item is next.
        let span = debug_span!("transfer.permit");
        async move { permits.acquire(&road, claim).await }.instrument(span)
    }

    fn start(&mut self, pass: Pass, item: PendingItem, placement: Placement, url: HeldUrl) {
        let hand_back = self.halt.hand_back.clone();
        let fetcher = self.fetcher.clone();
        let intake = self.intake.clone();
        let lost = self.halt.lost.clone();
        let span = trace::of_item(item.seq, item.metadata.kind);
        let of_item = span.clone();
        let copied = async move {
            let span = of_item;
            let work = async {
                let what = (&item, url, placement);
                let (pass, fetched) = fetcher.fetch_with(pass, what, &hand_back).await;
                if fetched.is_ok() {
                    fetcher.app.ports.steps.reached(Step::Downloaded);
                }
                let result = match fetched {
                    Ok(staged) => {
                        span.record("item.bytes", staged.0.size);
                        Ok(staged)
                    }
                    Err(ItemTrouble::Item(fault)) => {
                        trace::failed(&span, fault.kind);
                        Err(fault)
                    }
                    Err(other) => return Err(other),
                };
                // Held until the committer has taken the bytes: a slow destination holds new downloads back.
                let recorded = intake.submit(item.seq, result, span.clone()).await;
                drop(pass);
                conclude(recorded).await
            };
            let result = tokio::select! {
                () = lost.cancelled() => Err(ItemTrouble::lease_lost()),
                result = work => result,
            };
            if let Err(ItemTrouble::Later(fault) | ItemTrouble::Item(fault)) = &result {
                trace::failed(&span, fault.kind);
            } else if let Err(ItemTrouble::Shard(error)) = &result {
                trace::failed(&span, error.kind());
            }
            (item.seq, result)
        };
        self.running.spawn(copied.instrument(span));
    }

    fn start_failed(&mut self, seq: u64, trouble: ItemTrouble) {
        let intake = self.intake.clone();
        self.running.spawn(async move {
            let result = match trouble {
                ItemTrouble::Item(fault) => {
                    let recorded = intake.submit(seq, Err(fault), Span::none());
                    conclude(recorded.await).await
                }
                other => Err(other),
            };
            (seq, result)
        });
    }

    /// Takes note of how an item ended; an error ends the shard.
    fn note(
        &mut self,
        done: Result<(u64, Result<(), ItemTrouble>), tokio::task::JoinError>,
    ) -> AppResult<()> {
        match done {
            Ok((_, Ok(()) | Err(ItemTrouble::Item(_)))) => {
                self.missing_in_a_row = 0;
                Ok(())
            }
            Ok((seq, Err(ItemTrouble::Later(fault)))) => {
                self.missing_in_a_row += 1;
                self.later.push(Outcome {
                    seq,
                    result: Err(fault),
                });
                Ok(())
            }
            Ok((_, Err(ItemTrouble::Shard(error)))) => Err(error),
            Err(panicked) => {
                tracing::error!(error = %panicked, "an item's download ended in a defect");
                self.missing_in_a_row += 1;
                Ok(())
            }
        }
    }
}
