//! The counter of a single process: a number behind a mutex, fed with blocks from the durable ledger.
//!
//! Never overspends: a unit is spendable only after the ledger said that it is leased, and only on its day. A crash, a
//! cancelled call or an answer that never came costs the units of one block at most.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tintype_model::quota::{CloudProject, QuotaDay, QuotaKind, QuotaLimits};
use tintype_ports::{
    Clock, Quota,
    quota::{QuotaError, QuotaStanding},
    store::QuotaLedger,
};

use crate::{
    block,
    purse::{Attempt, Counter},
};

/// The limits of a cloud project: data that an operator may change.
pub type LimitsOf = Arc<dyn Fn(&CloudProject) -> QuotaLimits + Send + Sync>;

/// The quota port over a ledger, for one process.
pub struct MemoryQuota {
    ledger: Arc<dyn QuotaLedger>,
    limits: LimitsOf,
    clock: Arc<dyn Clock>,
    counters: Mutex<HashMap<(CloudProject, QuotaKind), Arc<Counter>>>,
}

impl std::fmt::Debug for MemoryQuota {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryQuota")
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl MemoryQuota {
    /// A counter that has leased nothing yet.
    #[must_use]
    pub fn new(ledger: Arc<dyn QuotaLedger>, limits: LimitsOf, clock: Arc<dyn Clock>) -> Self {
        Self {
            ledger,
            limits,
            clock,
            counters: Mutex::default(),
        }
    }

    fn counter(&self, project: &CloudProject, kind: QuotaKind) -> Arc<Counter> {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(counters.entry((project.clone(), kind)).or_default())
    }

    fn limit(&self, project: &CloudProject, kind: QuotaKind) -> u64 {
        (self.limits)(project).of(kind)
    }

    /// Leases a block of at least `missing` units of `day` into the counter's purse, as far as there are so many.
    async fn lease(
        &self,
        counter: &Counter,
        project: &CloudProject,
        kind: QuotaKind,
        day: QuotaDay,
        missing: u64,
    ) -> Result<(), QuotaError> {
        let limit = self.limit(project, kind);
        let leased = self
            .ledger
            .leased_units(project, kind, day)
            .await
            .map_err(QuotaError::Ledger)?;
        let want = block::size(limit, limit.saturating_sub(leased), missing);
        let granted = self
            .ledger
            .lease_units(project, kind, day, want, limit)
            .await
            .map_err(QuotaError::Ledger)?;
        let now = self.clock.now();
        if QuotaDay::at(now) != day {
            // The day turned while the ledger answered: these units are worth nothing any more.
            return Ok(());
        }
        let mut purse = counter.purse(day);
        if purse.is_over {
            return Ok(());
        }
        purse.units += granted;
        purse.refused_at = (granted < missing).then_some(now);
        tracing::debug!(quota.project = %project, quota.kind = kind.as_str(), quota.units = granted, "leased quota");
        Ok(())
    }
}

#[async_trait]
impl Quota for MemoryQuota {
    async fn spend(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
        units: u32,
    ) -> Result<(), QuotaError> {
        let counter = self.counter(project, kind);
        let units = u64::from(units);
        let exhausted = |resumes_at| QuotaError::Exhausted {
            project: project.clone(),
            resumes_at,
        };
        // Twice is enough, but for others who spend what this caller leased, and for the turn of the day.
        loop {
            let now = self.clock.now();
            match counter.try_spend(now, units) {
                Attempt::Spent => return Ok(()),
                Attempt::Exhausted(until) => return Err(exhausted(until)),
                Attempt::Missing(_) => {}
            }
            let _single_flight = counter.leasing.lock().await;
            let now = self.clock.now();
            match counter.try_spend(now, units) {
                Attempt::Spent => return Ok(()),
                Attempt::Exhausted(until) => return Err(exhausted(until)),
                Attempt::Missing(missing) => {
                    self.lease(&counter, project, kind, QuotaDay::at(now), missing)
                        .await?;
                }
            }
        }
    }

    async fn mark_exhausted(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
    ) -> Result<DateTime<Utc>, QuotaError> {
        let day = QuotaDay::at(self.clock.now());
        {
            let counter = self.counter(project, kind);
            let mut purse = counter.purse(day);
            // First here, so that nothing is spent even if the ledger cannot be told.
            purse.is_over = true;
            purse.units = 0;
        }
        let limit = self.limit(project, kind);
        self.ledger
            .exhaust_day(project, kind, day, limit)
            .await
            .map_err(QuotaError::Ledger)?;
        Ok(day.ends_at())
    }

    async fn standing(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
    ) -> Result<QuotaStanding, QuotaError> {
        let day = QuotaDay::at(self.clock.now());
        let limit = self.limit(project, kind);
        let leased = self
            .ledger
            .leased_units(project, kind, day)
            .await
            .map_err(QuotaError::Ledger)?;
        Ok(QuotaStanding {
            limit,
            leased,
            resets_at: day.ends_at(),
        })
    }

    async fn give_back(&self) -> Result<(), QuotaError> {
        let day = QuotaDay::at(self.clock.now());
        let counters: Vec<_> = {
            let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
            counters
                .iter()
                .map(|(key, counter)| (key.clone(), Arc::clone(counter)))
                .collect()
        };
        let mut first_failure = None;
        for ((project, kind), counter) in counters {
            // Taken before they are returned: if the answer is lost, they are lost too, never spent twice.
            let units = std::mem::take(&mut counter.purse(day).units);
            if units == 0 {
                continue;
            }
            if let Err(error) = self.ledger.return_units(&project, kind, day, units).await {
                first_failure.get_or_insert(error);
            }
        }
        first_failure.map_or(Ok(()), |error| Err(QuotaError::Ledger(error)))
    }
}
