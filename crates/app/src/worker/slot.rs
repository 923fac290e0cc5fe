//! The worker: each of its slots takes one message at a time, leases the shard and works on it.

use std::sync::Arc;

use tintype_model::{
    ShardId, WorkerId,
    progress::Progress,
    run::{RunEvent, RunState},
    shard::{Lease, Shard, ShardKind},
};
use tintype_ports::{
    StoreError,
    queue::{Consumer, Delivery},
    store::{LeaseAnswer, Release},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::heartbeat::Halt;
use crate::{App, AppError, AppResult, runs::describe, steps::Step};

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
        slots.join_all().await;
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
                tokio::time::sleep(self.settings.tick).await;
            }
        }
    }

    async fn take(
        &self,
        worker: WorkerId,
        delivery: Box<dyn Delivery>,
        stop: &CancellationToken,
    ) -> AppResult<()> {
        let message = delivery.message().clone();
        let answer = self
            .ports
            .store
            .lease(message.tenant, message.shard, worker, self.settings.lease)
            .await?;
        // A message is a hint: a shard that is held or done needs no other one, the reconciler sees to lost leases.
        if let LeaseAnswer::Granted(lease) = answer {
            self.ports.steps.reached(Step::Leased);
            self.run_shard(Arc::new(*lease), stop).await?;
        }
        self.bell.notify_one();
        Ok(delivery.ack().await?)
    }

    async fn run_shard(&self, lease: Arc<Lease>, stop: &CancellationToken) -> AppResult<()> {
        let Shard { tenant, run, .. } = lease.shard;
        if self.run(tenant, run).await?.status.state == RunState::Queued {
            self.change_run(tenant, run, &RunEvent::Started).await?;
        }
        let halt = Halt::below(stop);
        let job = {
            let (app, lease, halt) = (self.clone(), Arc::clone(&lease), halt.clone());
            // A task of its own, so that a panic ends this shard's work and not the slot.
            tokio::spawn(async move {
                tokio::select! {
                    () = app.keep_alive(&lease, &halt) => Err(AppError::Store(StoreError::LeaseLost)),
                    end = app.run_kind(&lease, &halt) => end,
                }
            })
        };
        let end = match job.await {
            Ok(end) => end,
            Err(panicked) => {
                tracing::error!(shard.id = %lease.shard.id, error = %panicked, "a shard's work ended in a defect");
                Ok(ShardEnd::TryLater)
            }
        };
        self.settle(&lease, end).await?;
        self.publish_progress(tenant, run).await
    }

    async fn run_kind(&self, lease: &Arc<Lease>, halt: &Halt) -> AppResult<ShardEnd> {
        match lease.shard.kind {
            ShardKind::Enumerate => self.enumerate(lease, halt).await,
            ShardKind::Transfer => self.transfer(lease, halt).await,
            ShardKind::Finalize => self.finalize(lease, halt).await,
        }
    }

    async fn settle(&self, lease: &Lease, end: AppResult<ShardEnd>) -> AppResult<()> {
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
                    .release(lease, Release::Later(std::time::Duration::ZERO), &nothing)
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
                tracing::warn!(shard.id = %lease.shard.id, error = %describe(&error), "a shard stopped");
                let pause = match self.event_for(&error) {
                    Some(event) => {
                        self.change_run(lease.shard.tenant, lease.shard.run, &event)
                            .await?;
                        std::time::Duration::ZERO
                    }
                    None => self.backoff(lease.attempt),
                };
                store.release(lease, Release::Later(pause), &nothing).await
            }
        };
        match settled {
            Err(StoreError::LeaseLost) => Ok(()),
            other => Ok(other?),
        }
    }

    /// The pause before attempt `attempt + 1`: doubles up to twenty times the first, with a quarter of jitter.
    fn backoff(&self, attempt: u32) -> std::time::Duration {
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
