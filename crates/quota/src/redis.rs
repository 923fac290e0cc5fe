//! The counter of many processes: the durable ledger leases blocks to a pool in Redis, from which each process takes small
//! pieces that it spends without asking anybody.
//!
//! Never overspends. A unit is spendable only after the ledger said that it is leased, and only on its day. The pool knows
//! the life of the server that it was made in: after a restart, with or without an old copy of the data, and after a loss of
//! all data, it is void and is made anew from fresh units of the ledger. So losing Redis costs the units that were in the
//! pool, and nothing else. While Redis does not answer, small blocks come from the ledger directly.

mod pool;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use redis::RedisError;
use tintype_model::quota::{CloudProject, QuotaDay, QuotaKind};
use tintype_ports::{
    Clock, Quota,
    quota::{QuotaError, QuotaStanding},
    store::QuotaLedger,
};

use crate::{
    LimitsOf,
    purse::{Attempt, Counter},
};
pub(crate) use pool::connect;
use pool::{Pools, Taken};

/// A process takes at most so many units at once, and at most this part of the day's limit.
const MOST: u64 = 128;
const PARTS_OF_LIMIT: u64 = 100;

/// The ledger leases to the pool at most this part of the limit, at most half of what is left, and never more than this.
const PARTS_OF_POOL: u64 = 25;
const LARGEST_BLOCK: u64 = 5_000;

/// With less than this part of the limit left, pieces become smaller.
const PLENTY: u64 = 20;

/// A purse that was not used for so long is given back to the pool.
const IDLE: TimeDelta = TimeDelta::seconds(2);
const LOOK_FOR_IDLE: Duration = Duration::from_secs(1);

type Key = (CloudProject, QuotaKind);

/// The quota port over a ledger and Redis, for many processes.
#[derive(Clone)]
pub struct RedisQuota {
    inner: Arc<Inner>,
}

struct Inner {
    ledger: Arc<dyn QuotaLedger>,
    pools: Pools,
    limits: LimitsOf,
    clock: Arc<dyn Clock>,
    counters: Mutex<HashMap<Key, Arc<Counter>>>,
}

impl fmt::Debug for RedisQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisQuota").finish_non_exhaustive()
    }
}

impl RedisQuota {
    /// A counter that has leased nothing yet; it connects when it is needed. `prefix` stands before all its keys. To be made
    /// inside a Tokio runtime: units that lie idle are given back in the background.
    ///
    /// # Errors
    /// When the URL is none of a Redis server.
    pub fn new(
        url: &str,
        prefix: &str,
        ledger: Arc<dyn QuotaLedger>,
        limits: LimitsOf,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RedisError> {
        let inner = Arc::new(Inner {
            ledger,
            pools: Pools::new(url, prefix)?,
            limits,
            clock,
            counters: Mutex::default(),
        });
        tokio::spawn(give_idle_back(Arc::downgrade(&inner)));
        Ok(Self { inner })
    }
}

async fn give_idle_back(inner: Weak<Inner>) {
    loop {
        tokio::time::sleep(LOOK_FOR_IDLE).await;
        let Some(inner) = inner.upgrade() else { return };
        let now = inner.clock.now();
        let is_idle = |used_at: Option<DateTime<Utc>>| used_at.is_none_or(|at| now - at > IDLE);
        if let Err(error) = inner.give_back(QuotaDay::at(now), is_idle).await {
            tracing::warn!(error = %error, "idle quota could not be given back");
        }
    }
}

impl Inner {
    fn counter(&self, project: &CloudProject, kind: QuotaKind) -> Arc<Counter> {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(counters.entry((project.clone(), kind)).or_default())
    }

    fn counters(&self) -> Vec<(Key, Arc<Counter>)> {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters
            .iter()
            .map(|(key, counter)| (key.clone(), Arc::clone(counter)))
            .collect()
    }

    /// Fills the counter's purse with `missing` units or more, as far as there are so many.
    async fn fill(
        &self,
        counter: &Counter,
        of: (&CloudProject, QuotaKind, QuotaDay),
        missing: u64,
    ) -> Result<(), QuotaError> {
        let (project, kind, day) = of;
        let limit = (self.limits)(project).of(kind);
        let most = MOST.min(limit / PARTS_OF_LIMIT).max(1);
        let taken = self.pools.take(of, missing, most).await;
        let units = match taken {
            Ok(Taken::Units(units)) => units,
            Ok(Taken::Over) => {
                counter.purse(day).is_over = true;
                return Ok(());
            }
            Ok(answer @ (Taken::TooFew | Taken::Void)) => {
                if answer == Taken::Void {
                    metrics::counter!("tintype_quota_rebuilds_total").increment(1);
                    tracing::info!(quota.project = %project, quota.kind = kind.as_str(), "the pool in redis is made anew");
                }
                self.lease(of, limit, missing, most).await?
            }
            Err(error) => {
                tracing::warn!(error = %error, "redis does not answer: quota comes from the ledger directly");
                self.lease_directly(of, limit, missing, most).await?
            }
        };
        let now = self.clock.now();
        if QuotaDay::at(now) != day {
            // The day turned meanwhile: these units are worth nothing any more.
            return Ok(());
        }
        let mut purse = counter.purse(day);
        if purse.is_over {
            return Ok(());
        }
        purse.units += units;
        purse.used_at = Some(now);
        purse.refused_at = (units < missing).then_some(now);
        Ok(())
    }

    async fn left(
        &self,
        (project, kind, day): (&CloudProject, QuotaKind, QuotaDay),
        limit: u64,
    ) -> Result<u64, QuotaError> {
        let leased = self.ledger.leased_units(project, kind, day).await;
        let left = limit.saturating_sub(leased.map_err(QuotaError::Ledger)?);
        #[expect(clippy::cast_precision_loss, reason = "a gauge is approximate")]
        metrics::gauge!("tintype_quota_left", "project" => project.to_string(), "kind" => kind.as_str())
            .set(left as f64);
        Ok(left)
    }

    /// A block from the ledger: a piece of it for this process, the rest for the pool.
    async fn lease(
        &self,
        of: (&CloudProject, QuotaKind, QuotaDay),
        limit: u64,
        missing: u64,
        most: u64,
    ) -> Result<u64, QuotaError> {
        let (project, kind, day) = of;
        let left = self.left(of, limit).await?;
        let block = (limit / PARTS_OF_POOL)
            .min(left / 2)
            .min(LARGEST_BLOCK)
            .max(missing);
        let granted = self
            .ledger
            .lease_units(project, kind, day, block, limit)
            .await
            .map_err(QuotaError::Ledger)?;
        if granted == 0 {
            return Ok(0);
        }
        let left = left.saturating_sub(granted);
        let is_plenty = left > limit / PLENTY;
        let piece = if is_plenty { most } else { granted.div_ceil(4) };
        let own = piece.min(most).max(missing).min(granted);
        if granted > own
            && let Err(error) = self.pools.put(of, granted - own, Some(is_plenty)).await
        {
            // Whether they arrived is not known, so they count as spent.
            tracing::warn!(error = %error, quota.units = granted - own, "units were lost on their way to redis");
        }
        tracing::debug!(quota.project = %project, quota.kind = kind.as_str(), quota.units = granted, "leased quota");
        Ok(own)
    }

    /// A small block for this process alone.
    async fn lease_directly(
        &self,
        of: (&CloudProject, QuotaKind, QuotaDay),
        limit: u64,
        missing: u64,
        most: u64,
    ) -> Result<u64, QuotaError> {
        let (project, kind, day) = of;
        let left = self.left(of, limit).await?;
        let block = most.min(left / PLENTY).max(missing);
        let granted = self
            .ledger
            .lease_units(project, kind, day, block, limit)
            .await;
        granted.map_err(QuotaError::Ledger)
    }

    /// Gives the purses of `day` back that `which` (asked for when they were used last) picks.
    async fn give_back(
        &self,
        day: QuotaDay,
        which: impl Fn(Option<DateTime<Utc>>) -> bool,
    ) -> Result<(), QuotaError> {
        let mut first_failure = None;
        for ((project, kind), counter) in self.counters() {
            let units = {
                let mut purse = counter.purse(day);
                if purse.units == 0 || !which(purse.used_at) {
                    continue;
                }
                // Taken before they are returned: if the answer is lost, they are lost too, never spent twice.
                std::mem::take(&mut purse.units)
            };
            let of = (&project, kind, day);
            match self.pools.put(of, units, None).await {
                // A pool that did not take them is of a later day, or its day is over: they are not needed any more.
                Ok(_) => {}
                Err(error) if error.is_connection_refusal() => {
                    let returned = self.ledger.return_units(&project, kind, day, units).await;
                    if let Err(error) = returned {
                        first_failure.get_or_insert(QuotaError::Ledger(error));
                    }
                }
                Err(error) => {
                    tracing::warn!(error = %error, quota.units = units, "units were lost on their way to redis");
                }
            }
        }
        first_failure.map_or(Ok(()), Err)
    }
}

#[async_trait]
impl Quota for RedisQuota {
    async fn spend(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
        units: u32,
    ) -> Result<(), QuotaError> {
        let inner = &self.inner;
        let counter = inner.counter(project, kind);
        let units = u64::from(units);
        let exhausted = |resumes_at| QuotaError::Exhausted {
            project: project.clone(),
            resumes_at,
        };
        loop {
            match counter.try_spend(inner.clock.now(), units) {
                Attempt::Spent => return Ok(()),
                Attempt::Exhausted(until) => return Err(exhausted(until)),
                Attempt::Missing(_) => {}
            }
            let _single_flight = counter.leasing.lock().await;
            let now = inner.clock.now();
            match counter.try_spend(now, units) {
                Attempt::Spent => return Ok(()),
                Attempt::Exhausted(until) => return Err(exhausted(until)),
                Attempt::Missing(missing) => {
                    let of = (project, kind, QuotaDay::at(now));
                    inner.fill(&counter, of, missing).await?;
                }
            }
        }
    }

    async fn mark_exhausted(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
    ) -> Result<DateTime<Utc>, QuotaError> {
        let inner = &self.inner;
        let day = QuotaDay::at(inner.clock.now());
        {
            let counter = inner.counter(project, kind);
            let mut purse = counter.purse(day);
            // First here, so that nothing is spent even if the others cannot be told.
            purse.is_over = true;
            purse.units = 0;
        }
        let limit = (inner.limits)(project).of(kind);
        let told = inner.ledger.exhaust_day(project, kind, day, limit).await;
        if let Err(error) = inner.pools.end_day((project, kind, day)).await {
            // What the others still have in their purses meets the same refusal at Google.
            tracing::warn!(error = %error, "redis could not be told that the day is over");
        }
        told.map_err(QuotaError::Ledger)?;
        Ok(day.ends_at())
    }

    async fn standing(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
    ) -> Result<QuotaStanding, QuotaError> {
        let day = QuotaDay::at(self.inner.clock.now());
        let limit = (self.inner.limits)(project).of(kind);
        let left = self.inner.left((project, kind, day), limit).await?;
        Ok(QuotaStanding {
            limit,
            leased: limit - left,
            resets_at: day.ends_at(),
        })
    }

    async fn give_back(&self) -> Result<(), QuotaError> {
        let day = QuotaDay::at(self.inner.clock.now());
        self.inner.give_back(day, |_| true).await
    }
}
