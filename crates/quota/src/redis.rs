//! The counter of many processes. Units go from the durable ledger into a pool in Redis, from there into the purse of a
//! process, and are spent from the purse; most spends ask nobody.
//!
//! Never overspends, whatever happens to Redis: a unit is in the pool or in a purse only after the ledger said that it is
//! leased, it is spent only on its day, and a pool that may be an old copy of itself is given up (`redis/pool.rs`). What
//! that costs is at most the units of one pool. While Redis is out of reach, each process leases small blocks straight from
//! the ledger: slower, and a little more is stranded when it crashes. Without the ledger, what is in purse and pool can
//! still be spent; after that the answer is [`QuotaError::Ledger`].

mod fetch;
mod link;
mod pool;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tintype_model::quota::{CloudProject, QuotaDay, QuotaKind};
use tintype_ports::{
    Clock, Entropy, Quota,
    quota::{QuotaError, QuotaStanding},
    store::{QuotaLedger, StoreError},
};
use tokio::time::{MissedTickBehavior, interval};
use tracing::Instrument;

pub use link::{RedisSettings, RedisUrlError};

pub(crate) use link::{Link, LinkError};

use crate::{
    LimitsOf,
    purse::{Attempt, Purses},
};
use fetch::Till;
use pool::Pools;

/// The quota port over a ledger and Redis, for one of many processes.
pub struct RedisQuota {
    purses: Arc<Purses>,
    till: Arc<Till>,
}

impl fmt::Debug for RedisQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisQuota")
            .field("purses", &self.purses)
            .finish_non_exhaustive()
    }
}

impl RedisQuota {
    /// How often [`Self::keep_tended`] is meant to look.
    pub const TEND_EVERY: Duration = Duration::from_secs(5);

    /// A counter that has taken nothing yet. Connects when it is first used; Redis may be away then.
    ///
    /// # Errors
    /// When the address of Redis cannot be understood.
    pub fn new(
        settings: &RedisSettings,
        ledger: Arc<dyn QuotaLedger>,
        limits: LimitsOf,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, RedisUrlError> {
        let link = Link::new(settings, entropy)?;
        let till = Till {
            ledger,
            limits,
            clock,
            pools: Pools::new(link, settings.prefix.clone()),
        };
        Ok(Self {
            purses: Arc::default(),
            till: Arc::new(till),
        })
    }

    /// One look: gives units that lie idle to the others, and tells them what they were not told yet.
    pub async fn tend(&self) {
        for (key, counter) in self.purses.all() {
            self.till.tend(&key, &counter).await;
        }
    }

    /// Tends the purses `every` so often until `stop` is done.
    pub async fn keep_tended(&self, every: Duration, stop: impl Future<Output = ()>) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::select! {
            () = stop => {}
            () = async {
                loop {
                    ticks.tick().await;
                    self.tend().await;
                }
            } => {}
        }
    }

    /// Fetches units to the end, even if the caller is gone meanwhile: what was leased would be lost else.
    async fn fetch(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
        units: u64,
    ) -> Result<(), QuotaError> {
        let counter = self.purses.counter(project, kind);
        let guard = Arc::clone(&counter.fetching).lock_owned().await;
        let till = Arc::clone(&self.till);
        let key = (project.clone(), kind);
        let work = async move {
            let _single_flight = guard;
            // Somebody else may have fetched enough while this one waited.
            match counter.try_reach(till.clock.now(), units) {
                Some((day, missing)) => till.fetch(&key, &counter, day, missing).await,
                None => Ok(()),
            }
        };
        match tokio::spawn(work.in_current_span()).await {
            Ok(result) => result,
            Err(error) => Err(QuotaError::Ledger(StoreError::Database(Box::new(error)))),
        }
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
        let counter = self.purses.counter(project, kind);
        // Twice is enough, but for others who spend what this caller fetched, and for the turn of the day.
        loop {
            match counter.try_spend(self.till.clock.now(), units.into()) {
                Attempt::Spent => return Ok(()),
                Attempt::Exhausted { resumes_at } => {
                    return Err(QuotaError::Exhausted {
                        project: project.clone(),
                        resumes_at,
                    });
                }
                Attempt::Missing { .. } => self.fetch(project, kind, units.into()).await?,
            }
        }
    }

    async fn mark_exhausted(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
    ) -> Result<DateTime<Utc>, QuotaError> {
        let counter = self.purses.counter(project, kind);
        let day = counter.day_called_over(self.till.clock.now());
        // First here, so that nothing is spent even if nobody else can be told.
        if let Some(mut purse) = counter.purse_if(day) {
            purse.end();
            purse.must_tell = true;
        }
        let key = (project.clone(), kind);
        self.till.tell(&key, &counter, day).await;
        let limit = self.till.limit(&key);
        self.till
            .ledger
            .exhaust_day(project, kind, day, limit)
            .await
            .map_err(QuotaError::Ledger)?;
        Ok(day.resumes_at())
    }

    async fn standing(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
    ) -> Result<QuotaStanding, QuotaError> {
        let day = QuotaDay::at(self.till.clock.now());
        let leased = self
            .till
            .ledger
            .leased_units(project, kind, day)
            .await
            .map_err(QuotaError::Ledger)?;
        Ok(QuotaStanding {
            limit: self.till.limit(&(project.clone(), kind)),
            leased,
            resets_at: day.ends_at(),
        })
    }

    /// Gives back what is in the purses and in the pools: other processes lease again what they need.
    async fn give_back(&self) -> Result<(), QuotaError> {
        let mut first_failure = None;
        for (key, counter) in self.purses.all() {
            if let Err(error) = self.till.give_back(&key, &counter).await {
                first_failure.get_or_insert(error);
            }
        }
        first_failure.map_or(Ok(()), |error| Err(QuotaError::Ledger(error)))
    }
}
