//! Download permits: each cloud project has an adaptive limit, tenants share it fairly, and one bound holds for the process.
//!
//! Of one tenant's shards the one that began first goes first. Shards then end one after the other, not all together, so that
//! workers that are done early find some to take on, and what is asked back has hardly begun.
//!
//! A tenant has one share, however many workers work for it: in each of them it counts for as much as the part of its
//! shards that it has there.

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use tintype_model::{
    TenantId,
    concurrency::{Bounds, ConcurrencyLimit, Sample},
    fair_share::{Candidate, FairShare},
    quota::CloudProject,
};
use tintype_ports::{
    photos::{Attempt, AttemptOutcome, Traffic},
    store::Renewed,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::rest::Rest;
use crate::settings::Settings;

/// Bytes of a cloud project in one direction. Each has a limit of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Road {
    pub(crate) project: CloudProject,
    pub(crate) traffic: Traffic,
}

/// A tenant waiting for its turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    /// Whose turn.
    pub(crate) tenant: TenantId,
    /// Its weight.
    pub(crate) weight: u32,
    /// Items its run still has to do.
    pub(crate) backlog: u64,
    /// When work on its shard began here, see [`Permits::begin_shard`].
    pub(crate) shard: u64,
}

struct Waiting {
    claim: Claim,
    turn: oneshot::Sender<Turn>,
}

struct Lane {
    limit: ConcurrencyLimit,
    rest: Rest,
    in_flight: u32,
    share: FairShare<TenantId>,
    /// By the age of the shard, then of the claim.
    waiting: BTreeMap<TenantId, BTreeMap<(u64, u64), Waiting>>,
    claims: u64,
}

/// What one permit costs a tenant whose shards are all here.
const COST: u64 = 256;
/// Tenants whose spread is remembered. Beyond it all are forgotten; the heartbeats tell of those at work again.
const MANY_SPREADS: usize = 4_096;

struct Shared {
    lanes: Mutex<BTreeMap<Road, Lane>>,
    /// What a permit costs those tenants who have shards elsewhere, too.
    costs: Mutex<BTreeMap<TenantId, u64>>,
    began: Instant,
    bounds: Bounds,
    burst: u64,
    throttle_limit: u32,
    throttle_rest: Duration,
}

/// All permits of this process.
pub(crate) struct Permits {
    shared: Arc<Shared>,
    everything: Arc<Semaphore>,
    shards: AtomicU64,
}

/// The right to run one download; gives itself back when dropped.
pub(crate) struct Permit {
    _turn: Turn,
    _slot: Option<OwnedSemaphorePermit>,
}

/// A place in a lane; frees itself, also when the one it was meant for has gone away.
struct Turn {
    shared: Arc<Shared>,
    road: Road,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let woken = {
            let mut lanes = self.shared.lock();
            let Some(lane) = lanes.get_mut(&self.road) else {
                return;
            };
            lane.in_flight -= 1;
            self.shared.admit(&self.road, lane)
        };
        deliver(woken);
    }
}

/// Hands turns out without holding the lock: a receiver that is gone drops its turn, which locks again.
fn deliver(woken: Vec<(oneshot::Sender<Turn>, Turn)>) {
    for (sender, turn) in woken {
        drop(sender.send(turn));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Road, Lane>> {
        // The counts stay true whatever panicked while holding the lock: every change is one assignment.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_costs(&self) -> MutexGuard<'_, BTreeMap<TenantId, u64>> {
        self.costs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cost_of(&self, tenant: TenantId) -> u64 {
        self.lock_costs().get(&tenant).copied().unwrap_or(COST)
    }

    fn new_lane(&self) -> Lane {
        Lane {
            limit: ConcurrencyLimit::new(self.bounds),
            rest: Rest::new(self.throttle_limit, self.throttle_rest),
            in_flight: 0,
            share: FairShare::new(self.burst * COST, self.burst * COST),
            waiting: BTreeMap::new(),
            claims: 0,
        }
    }

    fn admit(self: &Arc<Self>, road: &Road, lane: &mut Lane) -> Vec<(oneshot::Sender<Turn>, Turn)> {
        let mut woken = Vec::new();
        while lane.in_flight < lane.limit.limit() {
            let fronts = lane.waiting.values().filter_map(BTreeMap::first_key_value);
            let candidates = fronts.map(|(_, it)| Candidate {
                key: it.claim.tenant,
                weight: it.claim.weight,
                backlog: it.claim.backlog,
            });
            let Some(tenant) = lane.share.pick(candidates) else {
                break;
            };
            let Some(queue) = lane.waiting.get_mut(&tenant) else {
                break;
            };
            let next = queue.pop_first();
            if queue.is_empty() {
                lane.waiting.remove(&tenant);
            }
            let Some((_, next)) = next else { break };
            if next.turn.is_closed() {
                continue;
            }
            lane.in_flight += 1;
            lane.share
                .charge(tenant, next.claim.weight, self.cost_of(tenant));
            woken.push((
                next.turn,
                Turn {
                    shared: Arc::clone(self),
                    road: road.clone(),
                },
            ));
        }
        woken
    }
}

impl Permits {
    pub(crate) fn new(settings: &Settings) -> Self {
        let bounds = Bounds {
            min: 1,
            max: settings.max_downloads,
            initial: settings.initial_downloads,
        };
        let shared = Shared {
            lanes: Mutex::default(),
            costs: Mutex::default(),
            began: Instant::now(),
            bounds,
            burst: settings.fair_burst,
            throttle_limit: settings.throttle_limit,
            throttle_rest: settings.throttle_rest,
        };
        Self {
            shared: Arc::new(shared),
            everything: Arc::new(Semaphore::new(settings.max_downloads as usize)),
            shards: AtomicU64::new(0),
        }
    }

    /// A number for a shard that work begins on: later ones have larger numbers.
    pub(crate) fn begin_shard(&self) -> u64 {
        self.shards.fetch_add(1, Ordering::Relaxed)
    }

    /// Waits for this tenant's turn in the road's lane.
    pub(crate) async fn acquire(&self, road: &Road, claim: Claim) -> Permit {
        let (sender, turn) = oneshot::channel();
        let woken = {
            let mut lanes = self.shared.lock();
            let lane = lanes
                .entry(road.clone())
                .or_insert_with(|| self.shared.new_lane());
            lane.claims += 1;
            let waiting = Waiting {
                claim,
                turn: sender,
            };
            lane.waiting
                .entry(claim.tenant)
                .or_default()
                .insert((claim.shard, lane.claims), waiting);
            self.shared.admit(road, lane)
        };
        deliver(woken);
        let Ok(turn) = turn.await else {
            // Only a lane that vanished drops a waiting sender, and lanes never vanish.
            unreachable!("a waiting claim is always answered");
        };
        // The semaphore is never closed.
        let slot = Arc::clone(&self.everything).acquire_owned().await.ok();
        Permit {
            _turn: turn,
            _slot: slot,
        }
    }

    /// Learns how a tenant's shards are spread over the workers.
    pub(crate) fn spread(&self, tenant: TenantId, around: &Renewed) {
        let here = u64::from(around.transfers_here);
        let everywhere = u64::from(around.transfers).max(here);
        let mut costs = self.shared.lock_costs();
        if here == 0 || here == everywhere {
            costs.remove(&tenant);
            return;
        }
        if costs.len() >= MANY_SPREADS && !costs.contains_key(&tenant) {
            costs.clear();
        }
        costs.insert(tenant, COST * everywhere / here);
    }

    /// Until when the road rests, if it does: Google throttles whatever is asked for on it.
    pub(crate) fn rests_until(&self, road: &Road, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.shared.lock().get(road)?.rest.until(now)
    }

    /// Lets the road's limit learn from an attempt.
    pub(crate) fn observe(&self, road: &Road, attempt: Attempt, now: DateTime<Utc>) {
        let now_ms = u64::try_from(self.shared.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let sample = match attempt.outcome {
            AttemptOutcome::Answered => Sample::Ok,
            AttemptOutcome::Throttled => Sample::Throttled,
            AttemptOutcome::Failed => Sample::Failed,
        };
        let woken = {
            let mut lanes = self.shared.lock();
            let Some(lane) = lanes.get_mut(road) else {
                return;
            };
            lane.rest.note(attempt.outcome, now);
            let latency_ms = attempt.latency.as_secs_f64() * 1_000.0;
            lane.limit
                .on_sample(now_ms, lane.in_flight, latency_ms, sample);
            self.shared.admit(road, lane)
        };
        deliver(woken);
    }
}
