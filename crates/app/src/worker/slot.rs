//! The worker: each of its slots takes one message at a time, leases the shard and works on it.

use std::{sync::Arc, time::Duration};

use tintype_model::{
    ErrorKind, ShardId, TenantId, WorkerId,
    progress::Progress,
    run::{RunEvent, RunState},
    shard::{Lease, Shard, ShardKind},
};
use tintype_ports::{
    StoreError,
    queue::{Consumer, Delivery, JobMessage, Rejection},
    store::{LeaseAnswer, Release},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{heartbeat::Halt, trouble::is_refusal};
use crate::{App, AppError, AppResult, runs::describe, settings::Settings, steps::Step};

/// How work on a shard ended, when nothing went wrong beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShardEnd {
    /// All of it is done.
    Done,
    /// Stopped early; what is left waits in the backlog.
    HandedBack,
    /// Some items could not be had yet; tried again after a pause.
    TryLater,
    /// The run ended with this shard.
    RunOver,
}

/// What becomes of the message of a shard.
enum Fate {
    /// It has served its purpose.
    Served,
    /// It is kept for a person to look at, for this reason.
    Dead(String),
}

impl App {
    /// Works until `stop`, then hands leases back. Never returns early: a broken queue is tried again.
    pub async fn work(&self, stop: CancellationToken) {
        let now = self.ports.clock.now();
        let worker = WorkerId::new(now, self.ports.entropy.id_bytes());
        let mut slots = JoinSet::new();
        for _ in 0..self.settings.slots {
            let (app, stop) = (self.clone(), stop.clone());
            slots.spawn(async move { app.slot(worker, stop).await });
        }
        let drained = async { while slots.join_next().await.is_some() {} };
        self.present(worker, &stop, drained).await;
        self.stop_writing().await;
        if let Err(error) = self.ports.quota.give_back().await {
            tracing::warn!(error = %describe(&error), "unspent quota could not be given back");
        }
    }

    async fn slot(&self, worker: WorkerId, stop: CancellationToken) {
        let mut consumer: Option<Box<dyn Consumer>> = None;
        while !stop.is_cancelled() {
            let step = async {
                let consumer = match &mut consumer {
                    Some(consumer) => consumer,
                    none => none.insert(self.ports.queue.consume().await?),
                };
                let delivery = tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    delivery = consumer.next() => delivery?,
                };
                match delivery {
                    Some(delivery) => self.take(worker, delivery, &stop).await,
                    None => {
                        stop.cancelled().await;
                        Ok(())
                    }
                }
            };
            if let Err(error) = step.await {
                tracing::warn!(error = %describe(&error), "a worker slot will try again");
                consumer = None;
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(self.pause_after_trouble()) => {}
                }
            }
        }
    }

    /// Not all slots of all workers at the same moment.
    fn pause_after_trouble(&self) -> Duration {
        self.settings
            .tick
            .mul_f64(0.75 + 0.5 * self.ports.entropy.unit())
    }

    async fn take(
        &self,
        worker: WorkerId,
        delivery: Box<dyn Delivery>,
        stop: &CancellationToken,
    ) -> AppResult<()> {
        let JobMessage {
            tenant,
            shard,
            trace,
        } = delivery.message().clone();
        let span = tracing::info_span!(
            "job",
            otel.kind = "consumer",
            tenant.id = %tenant,
            shard.id = %shard,
            shard.kind = tracing::field::Empty,
            run.id = tracing::field::Empty,
            lease.epoch = tracing::field::Empty,
            error.kind = tracing::field::Empty,
            otel.status_code = tracing::field::Empty,
        );
        if let Some(parent) = &trace {
            self.ports.traces.adopt(&span, parent);
        }
        let fate = self
            .work_on(worker, tenant, shard, stop)
            .instrument(span)
            .await?;
        self.ports.bell.ring();
        match fate {
            Fate::Served => Ok(delivery.ack().await?),
            Fate::Dead(reason) => Ok(delivery.reject(Rejection::DeadLetter(reason)).await?),
        }
    }

    async fn work_on(
        &self,
        worker: WorkerId,
        tenant: TenantId,
        shard: ShardId,
        stop: &CancellationToken,
    ) -> AppResult<Fate> {
        let Settings {
            lease: ttl,
            max_failures,
            ..
        } = *self.settings;
        let store = &self.ports.store;
        let answer = store
            .lease(tenant, shard, worker, ttl, max_failures)
            .instrument(tracing::debug_span!("shard.lease"))
            .await?;
        match answer {
            LeaseAnswer::Granted(lease) => {
                let span = tracing::Span::current();
                span.record("run.id", tracing::field::display(lease.shard.run));
                span.record("shard.kind", tracing::field::debug(lease.shard.kind));
                span.record("lease.epoch", lease.epoch);
                self.ports.steps.reached(Step::Leased);
                self.run_shard(Arc::new(*lease), stop).await
            }
            LeaseAnswer::SetAside(reason) => {
                metrics::counter!("tintype_shards_set_aside_total").increment(1);
                tracing::error!(shard.id = %shard, "a shard was set aside: {reason}");
                Ok(Fate::Dead(reason))
            }
            // A message is a hint: a shard that is held or done needs no other one, the reconciler sees to lost leases.
            LeaseAnswer::Held | LeaseAnswer::Stale => Ok(Fate::Served),
        }
    }

    async fn run_shard(&self, lease: Arc<Lease>, stop: &CancellationToken) -> AppResult<Fate> {
        let Shard { tenant, run, .. } = lease.shard;
        if self.run(tenant, run).await?.status.state == RunState::Queued {
            self.change_run(tenant, run, &RunEvent::Started).await?;
        }
        let halt = Halt::below(stop);
        let job = {
            let (app, lease, halt) = (self.clone(), Arc::clone(&lease), halt.clone());
            let work = async move {
                tokio::select! {
                    () = app.keep_alive(&lease, &halt) => Err(AppError::Store(StoreError::LeaseLost)),
                    end = app.run_kind(&lease, &halt) => end,
                }
            };
            // A task of its own, so that a panic ends this shard's work and not the slot.
            tokio::spawn(work.in_current_span())
        };
        let fate = match job.await {
            Ok(end) => self.settle(&lease, end).await?,
            Err(panicked) => {
                tracing::error!(shard.id = %lease.shard.id, error = %panicked, "a shard's work ended in a defect");
                self.failed(
                    &lease,
                    "its work ended in a defect of the program; see the worker's log",
                )
                .await?
            }
        };
        self.publish_progress(tenant, run).await;
        Ok(fate)
    }

    async fn run_kind(&self, lease: &Arc<Lease>, halt: &Halt) -> AppResult<ShardEnd> {
        let plan = self.plan(lease.shard.tenant, lease.shard.plan).await?;
        match lease.shard.kind {
            ShardKind::Enumerate => self.enumerate(lease, plan, halt).await,
            ShardKind::Transfer if plan.kind.uploads() => self.upload(lease, plan, halt).await,
            ShardKind::Transfer => self.transfer(lease, plan, halt).await,
            ShardKind::Originals => self.originals(lease, plan, halt).await,
            ShardKind::Finalize if plan.kind.uploads() => {
                self.conclude_upload(lease, plan, halt).await
            }
            ShardKind::Finalize => self.finalize(lease, plan, halt).await,
        }
    }

    async fn settle(&self, lease: &Lease, end: AppResult<ShardEnd>) -> AppResult<Fate> {
        let nothing = Progress::default();
        let store = &self.ports.store;
        let settled = match end {
            Ok(ShardEnd::Done) => {
                let next = finalize_shard(&lease.shard);
                let finished = store.finish(lease, &nothing, &next).await.map(drop);
                self.ports.steps.reached(Step::ShardFinished);
                finished
            }
            Ok(ShardEnd::RunOver) => Ok(()),
            Ok(ShardEnd::HandedBack) => {
                store
                    .release(lease, Release::Later(Duration::ZERO), &nothing)
                    .await
            }
            Ok(ShardEnd::TryLater) => {
                store
                    .release(lease, Release::Later(self.backoff(lease.attempt)), &nothing)
                    .await
            }
            Err(AppError::Store(StoreError::LeaseLost)) => {
                tracing::info!(shard.id = %lease.shard.id, "the lease went to somebody else");
                Ok(())
            }
            Err(error) => {
                let kind = error.kind();
                crate::trace::failed(&tracing::Span::current(), kind);
                metrics::counter!("tintype_errors_total", "kind" => kind.code(), "where" => "shard")
                    .increment(1);
                tracing::warn!(shard.id = %lease.shard.id, error = %describe(&error), "a shard stopped");
                if let Some(event) = self.event_for(&error) {
                    self.change_run(lease.shard.tenant, lease.shard.run, &event)
                        .await?;
                    if is_refusal(&error) {
                        self.wake_unless_refused(&lease.shard).await?;
                    }
                    store
                        .release(lease, Release::Later(Duration::ZERO), &nothing)
                        .await
                } else if matches!(kind, ErrorKind::Internal | ErrorKind::Corrupt) {
                    return self.failed(lease, &describe(&error)).await;
                } else {
                    // Trouble of a server of ours or of Google's: nobody's fault, and over some time.
                    let pause = self
                        .backoff(lease.attempt)
                        .min(self.pause_of_outage(lease.attempt));
                    store.release(lease, Release::Later(pause), &nothing).await
                }
            }
        };
        match settled {
            Ok(()) | Err(StoreError::LeaseLost) => Ok(Fate::Served),
            Err(error) => Err(error.into()),
        }
    }

    /// Work that failed in a way that may come again: tried again later, or set aside when it did too often.
    async fn failed(&self, lease: &Lease, reason: &str) -> AppResult<Fate> {
        let store = &self.ports.store;
        let (settled, fate) = if lease.failures + 1 < self.settings.max_failures {
            let pause = self.backoff(lease.failures + 1);
            let release = Release::Failed(pause);
            (
                store.release(lease, release, &Progress::default()).await,
                Fate::Served,
            )
        } else {
            metrics::counter!("tintype_shards_set_aside_total").increment(1);
            tracing::error!(shard.id = %lease.shard.id, "a shard was set aside: {reason}");
            (
                store.set_aside(lease, reason).await,
                Fate::Dead(reason.to_owned()),
            )
        };
        match settled {
            Ok(()) => Ok(fate),
            Err(StoreError::LeaseLost) => Ok(Fate::Served),
            Err(error) => Err(error.into()),
        }
    }

    /// Short enough that work goes on soon after an outage, longer each time, with a quarter of jitter.
    fn pause_of_outage(&self, attempt: u32) -> Duration {
        let longest = self.settings.outage_pause;
        let factor = 2_u32.saturating_pow(attempt.saturating_sub(1)).min(1_024);
        let jitter = 0.75 + 0.25 * self.ports.entropy.unit();
        (longest / 16 * factor).min(longest).mul_f64(jitter)
    }

    /// The pause before attempt `attempt + 1`: doubles up to twenty times the first, with a quarter of jitter.
    fn backoff(&self, attempt: u32) -> Duration {
        let factor = 2_u32.saturating_pow(attempt.saturating_sub(1)).min(20);
        let jitter = 0.75 + 0.5 * self.ports.entropy.unit();
        (self.settings.shard_backoff * factor).mul_f64(jitter)
    }
}

/// The shard that ends the run. It has the run's own number, so that it is only ever added once.
fn finalize_shard(of: &Shard) -> Shard {
    Shard {
        id: ShardId::from_uuid(of.run.as_uuid()),
        kind: ShardKind::Finalize,
        items: 1,
        ..of.clone()
    }
}
