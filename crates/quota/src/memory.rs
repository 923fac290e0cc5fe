//! The counter of a single process: a purse fed with blocks from the durable ledger.
//!
//! Never overspends: a unit is spendable only after the ledger said that it is leased, and only on its day. A crash, a
//! cancelled call or an answer that never came costs the units of one block at most.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tintype_model::quota::{CloudProject, QuotaDay, QuotaKind, QuotaLimits};
use tintype_ports::{
    Clock, Quota,
    quota::{QuotaError, QuotaStanding},
    store::QuotaLedger,
};

use crate::{
    block, measure,
    purse::{Attempt, Counter, Purses},
};

/// The limits of a cloud project: data that an operator may change.
pub type LimitsOf = Arc<dyn Fn(&CloudProject) -> QuotaLimits + Send + Sync>;

/// The quota port over a ledger, for one process.
pub struct MemoryQuota {
    ledger: Arc<dyn QuotaLedger>,
    limits: LimitsOf,
    clock: Arc<dyn Clock>,
    purses: Purses,
}

impl std::fmt::Debug for MemoryQuota {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryQuota")
            .field("purses", &self.purses)
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
            purses: Purses::default(),
        }
    }

    fn limit(&self, project: &CloudProject, kind: QuotaKind) -> u64 {
        (self.limits)(project).of(kind)
    }

    /// Leases a block of at least `missing` units of `day` into the purse, as far as there are so many.
    async fn lease(
        &self,
        counter: &Counter,
        project: &CloudProject,
        kind: QuotaKind,
        day: QuotaDay,
        missing: u64,
    ) -> Result<(), QuotaError> {
        measure::spent(project, kind, counter.take_spent());
        let limit = self.limit(project, kind);
        let leased = self
            .ledger
            .leased_units(project, kind, day)
            .await
            .map_err(QuotaError::Ledger)?;
        let left = limit.saturating_sub(leased);
        let granted = self
            .ledger
            .lease_units(project, kind, day, block::size(limit, left, missing), limit)
            .await
            .map_err(QuotaError::Ledger)?;
        let now = self.clock.now();
        counter.put(day, now, granted);
        if granted < missing {
            counter.refuse(day, now);
        }
        measure::left(project, kind, left.saturating_sub(granted), limit);
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
        let counter = self.purses.counter(project, kind);
        let exhausted = |resumes_at| QuotaError::Exhausted {
            project: project.clone(),
            resumes_at,
        };
        // Twice is enough, but for others who spend what this caller leased, and for the turn of the day.
        loop {
            match counter.try_spend(self.clock.now(), units.into()) {
                Attempt::Spent => return Ok(()),
                Attempt::Exhausted { resumes_at } => return Err(exhausted(resumes_at)),
                Attempt::Missing { .. } => {}
            }
            let _single_flight = counter.fetching.lock().await;
            match counter.try_spend(self.clock.now(), units.into()) {
                Attempt::Spent => return Ok(()),
                Attempt::Exhausted { resumes_at } => return Err(exhausted(resumes_at)),
                Attempt::Missing { day, units } => {
                    self.lease(&counter, project, kind, day, units).await?;
                }
            }
        }
    }

    async fn mark_exhausted(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
    ) -> Result<DateTime<Utc>, QuotaError> {
        let counter = self.purses.counter(project, kind);
        let day = counter.day_called_over(self.clock.now());
        // First here, so that nothing is spent even if the ledger cannot be told.
        if let Some(mut purse) = counter.purse_if(day) {
            purse.end();
        }
        let limit = self.limit(project, kind);
        self.ledger
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
        let mut first_failure = None;
        for ((project, kind), counter) in self.purses.all() {
            measure::spent(&project, kind, counter.take_spent());
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
