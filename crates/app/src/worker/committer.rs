//! Group commit: finished downloads of a plan are made durable together, then recorded together. An item counts as stored
//! only after both.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use futures::{
    StreamExt as _,
    stream::{self, FuturesUnordered},
};
use tintype_model::{
    Fidelity, PlanId, RunId, ShardId, TenantId,
    item::{ItemFault, StoredContent},
    progress::Progress,
    shard::{Lease, ShardKind},
};
use tintype_ports::{Archive, archive::Staged, store::Outcome};
use tokio::sync::{mpsc, oneshot};

use super::{gate::Gate, waits::Waits};
use crate::{App, AppError, AppResult, runs::describe, steps::Step};

/// Progress is told at most this often for a run.
pub(super) const TELL_EVERY: Duration = Duration::from_millis(250);
/// Groups that one archive commits at the same time: while one waits for its names to be durable, the disk can take the bytes
/// of the next.
const COMMITS: usize = 3;
/// Committed items that are enough for one round of records.
const RECORDED_TOGETHER: usize = 256;
/// Shards that are recorded at the same time, at most.
const RECORDS: usize = 8;

/// The shard an item belongs to, as far as recording it goes.
pub(crate) struct Recorder {
    pub(crate) lease: Arc<Lease>,
    pub(crate) gate: Arc<Gate>,
}

/// An item whose fate is known.
pub(crate) struct Finished {
    pub(crate) seq: u64,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) result: Result<(Staged, Fidelity), ItemFault>,
    /// Told when the outcome is recorded, or why it could not be.
    pub(crate) reply: oneshot::Sender<AppResult<()>>,
    /// What its trace tells of the wait.
    pub(crate) waits: Waits,
}

struct Decided {
    outcome: Outcome,
    recorder: Arc<Recorder>,
    reply: oneshot::Sender<AppResult<()>>,
    waits: Waits,
}

/// The committer of one plan's archive. Ends when nobody holds it any more.
pub(crate) struct Committer {
    inbox: mpsc::Sender<Finished>,
    archive: Arc<dyn Archive>,
}

impl Committer {
    /// The archive that it commits to, for the drafts of all shards: its bounds hold for the plan, not for each shard.
    pub(crate) fn archive(&self) -> Arc<dyn Archive> {
        Arc::clone(&self.archive)
    }

    /// Hands an item over; waits while the committer is behind, which holds new downloads back.
    pub(crate) async fn submit(&self, finished: Finished) {
        // The task lives as long as this sender; if it died of a defect, the dropped reply tells the waiting item.
        drop(self.inbox.send(finished).await);
    }
}

/// The committers at work.
#[derive(Default)]
pub(crate) struct Committers {
    by_plan: Mutex<HashMap<PlanId, Weak<Committer>>>,
}

impl App {
    /// The committer of a plan that is at work already.
    pub(crate) fn committer_at_work(&self, plan: PlanId) -> Option<Arc<Committer>> {
        let by_plan = self.committers.by_plan.lock();
        by_plan
            .unwrap_or_else(PoisonError::into_inner)
            .get(&plan)
            .and_then(Weak::upgrade)
    }

    /// The plan's committer, started on `archive` when there is none.
    pub(crate) fn committer(&self, plan: PlanId, archive: Arc<dyn Archive>) -> Arc<Committer> {
        let mut by_plan = self
            .committers
            .by_plan
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(committer) = by_plan.get(&plan).and_then(Weak::upgrade) {
            return committer;
        }
        by_plan.retain(|_, committer| committer.strong_count() > 0);
        let (inbox, finished) = mpsc::channel(self.settings.group_items);
        let (decided, to_record) = mpsc::channel(COMMITS);
        let committer = Arc::new(Committer {
            inbox,
            archive: Arc::clone(&archive),
        });
        by_plan.insert(plan, Arc::downgrade(&committer));
        // Two stages, so that the disk works on one group while the database takes the one before.
        tokio::spawn(self.clone().commit_groups(archive, finished, decided));
        tokio::spawn(self.clone().record_groups(to_record));
        committer
    }

    async fn commit_groups(
        self,
        archive: Arc<dyn Archive>,
        mut finished: mpsc::Receiver<Finished>,
        decided: mpsc::Sender<Vec<Decided>>,
    ) {
        let mut commits = FuturesUnordered::new();
        let mut is_open = true;
        while is_open || !commits.is_empty() {
            tokio::select! {
                Some(group) = commits.next() => {
                    self.ports.steps.reached(Step::Committed);
                    if decided.send(group).await.is_err() {
                        return;
                    }
                }
                first = finished.recv(), if is_open && commits.len() < COMMITS => match first {
                    Some(first) => {
                        let group = self.gather(first, &mut finished);
                        self.ports.steps.reached(Step::Staged);
                        commits.push(commit(archive.as_ref(), group));
                    }
                    None => is_open = false,
                },
            }
        }
    }

    /// Whatever is waiting already, within the bounds: under load groups grow by themselves, at rest nothing waits.
    fn gather(&self, first: Finished, finished: &mut mpsc::Receiver<Finished>) -> Vec<Finished> {
        let size = |item: &Finished| item.result.as_ref().map_or(0, |(staged, _)| staged.size);
        let mut bytes = size(&first);
        let mut group = vec![first];
        while group.len() < self.settings.group_items && bytes < self.settings.group_bytes {
            let Ok(next) = finished.try_recv() else { break };
            bytes += size(&next);
            group.push(next);
        }
        group
    }

    async fn record_groups(self, mut groups: mpsc::Receiver<Vec<Decided>>) {
        let mut told = HashMap::new();
        while let Some(mut group) = groups.recv().await {
            // Each shard's record waits for the disk once, however many items it holds.
            while group.len() < RECORDED_TOGETHER {
                let Ok(next) = groups.try_recv() else { break };
                group.extend(next);
            }
            let mut by_shard: HashMap<ShardId, Vec<Decided>> = HashMap::new();
            for decided in group {
                by_shard
                    .entry(decided.recorder.lease.shard.id)
                    .or_default()
                    .push(decided);
            }
            // At once: where a record waits for the disk, the shards of a round share that wait.
            let records = by_shard.into_values().map(|decided| self.record(decided));
            let mut records = stream::iter(records).buffer_unordered(RECORDS);
            while let Some(of) = records.next().await {
                self.tell_now_and_then(of, &mut told).await;
            }
        }
    }

    /// Records what became of items of one shard; says whose run that is.
    async fn record(&self, group: Vec<Decided>) -> Option<(TenantId, RunId)> {
        let recorder = group.first().map(|it| Arc::clone(&it.recorder))?;
        let (outcomes, replies): (Vec<_>, Vec<_>) = group
            .into_iter()
            .map(|it| (it.outcome, (it.reply, it.waits)))
            .unzip();
        let mut spent = recorder.gate.take_spent();
        spent += count(recorder.lease.shard.kind, &outcomes);
        let recorded = self
            .ports
            .store
            .record(&recorder.lease, &outcomes, &spent)
            .await;
        self.ports.steps.reached(Step::Recorded);
        match &recorded {
            Ok(()) => measure(recorder.lease.shard.kind, &outcomes),
            Err(error) => {
                // Nothing is lost, but nothing goes on either while it lasts: a full disk below the catalogue looks like this.
                tracing::error!(error = %describe(error), items = outcomes.len(), "items were copied but could not be recorded; they will be tried again");
            }
        }
        let retell = |error: &tintype_ports::StoreError| match error {
            tintype_ports::StoreError::LeaseLost => {
                AppError::Store(tintype_ports::StoreError::LeaseLost)
            }
            other => AppError::Store(tintype_ports::StoreError::Database(describe(other).into())),
        };
        for (reply, waits) in replies {
            waits.recorded(outcomes.len());
            drop(waits);
            // Whoever asked may have stopped waiting; the record stands all the same.
            drop(reply.send(recorded.as_ref().copied().map_err(retell)));
        }
        let shard = &recorder.lease.shard;
        Some((shard.tenant, shard.run))
    }

    async fn tell_now_and_then(
        &self,
        of: Option<(TenantId, RunId)>,
        told: &mut HashMap<RunId, Instant>,
    ) {
        let Some((tenant, run)) = of else {
            return;
        };
        if told.get(&run).is_none_or(|at| at.elapsed() >= TELL_EVERY) {
            told.retain(|_, at| at.elapsed() < 4 * TELL_EVERY);
            told.insert(run, Instant::now());
            self.publish_progress(tenant, run).await;
        }
    }
}

fn count(kind: ShardKind, outcomes: &[Outcome]) -> Progress {
    let mut spent = Progress::default();
    for outcome in outcomes {
        match &outcome.result {
            Ok(content) => {
                // What is stored already is stored once.
                if kind == ShardKind::Originals {
                    spent.originals += 1;
                } else {
                    spent.stored += 1;
                }
                spent.bytes += content.size;
            }
            Err(_) => spent.failed += 1,
        }
    }
    spent
}

/// What was recorded, for the metrics.
fn measure(kind: ShardKind, outcomes: &[Outcome]) {
    let recorded = count(kind, outcomes);
    metrics::counter!("tintype_items_stored_total").increment(recorded.stored);
    metrics::counter!("tintype_items_replaced_total").increment(recorded.originals);
    metrics::counter!("tintype_bytes_stored_total").increment(recorded.bytes);
    for fault in outcomes.iter().filter_map(|it| it.result.as_ref().err()) {
        metrics::counter!("tintype_errors_total", "kind" => fault.kind.code(), "where" => "item")
            .increment(1);
    }
}

/// Makes the group's bytes durable; items whose commit failed get their error now and are not recorded.
async fn commit(archive: &dyn Archive, group: Vec<Finished>) -> Vec<Decided> {
    let items = group.len();
    let mut decided = Vec::with_capacity(items);
    let mut waiting = Vec::with_capacity(group.len());
    let mut staged = Vec::with_capacity(group.len());
    for Finished {
        seq,
        recorder,
        result,
        reply,
        mut waits,
    } in group
    {
        match result {
            Err(fault) => {
                waits.committed(items);
                decided.push(Decided {
                    outcome: Outcome {
                        seq,
                        result: Err(fault),
                    },
                    recorder,
                    reply,
                    waits,
                });
            }
            Ok((draft, fidelity)) => {
                let content = StoredContent {
                    blob: draft.blob,
                    size: draft.size,
                    path: draft.path.clone(),
                    fidelity,
                };
                waiting.push(Decided {
                    outcome: Outcome {
                        seq,
                        result: Ok(content),
                    },
                    recorder,
                    reply,
                    waits,
                });
                staged.push(draft);
            }
        }
    }
    for (mut waiting, committed) in waiting.into_iter().zip(archive.commit(staged).await) {
        match committed {
            Ok(()) => {
                waiting.waits.committed(items);
                decided.push(waiting);
            }
            Err(error) => drop(waiting.reply.send(Err(error.into()))),
        }
    }
    decided
}
