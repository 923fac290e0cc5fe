//! Units that a process may spend without asking anybody, and the only day on which it may.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tintype_model::quota::QuotaDay;

/// After the ledger had too few units it is not asked again for so long; another counter may give some back meanwhile.
const ASK_AGAIN_AFTER: TimeDelta = TimeDelta::seconds(5);

/// Right before midnight nothing is admitted: what is sent then arrives after it, where the provider counts it.
const QUIET: TimeDelta = TimeDelta::seconds(2);

/// The same right after it, for clocks that differ a little.
const MARGIN: TimeDelta = TimeDelta::seconds(1);

/// Leased units.
#[derive(Debug, Default)]
pub(crate) struct Purse {
    day: Option<QuotaDay>,
    pub(crate) units: u64,
    pub(crate) is_over: bool,
    pub(crate) refused_at: Option<DateTime<Utc>>,
    /// When something was spent last.
    pub(crate) used_at: Option<DateTime<Utc>>,
}

/// What became of an attempt to spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    Spent,
    /// Until then.
    Exhausted(DateTime<Utc>),
    /// Units must be leased first; so many are missing.
    Missing(u64),
}

/// One purse, and the right to fill it.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    purse: Mutex<Purse>,
    /// Held while units are leased, so that many callers ask once.
    pub(crate) leasing: tokio::sync::Mutex<()>,
}

/// When the next day's units may be spent.
pub(crate) fn next_day(day: QuotaDay) -> DateTime<Utc> {
    day.ends_at() + MARGIN
}

impl Counter {
    /// The purse of `day`. Units of another day are never spent.
    pub(crate) fn purse(&self, day: QuotaDay) -> MutexGuard<'_, Purse> {
        let mut purse = self.purse.lock().unwrap_or_else(PoisonError::into_inner);
        if purse.day != Some(day) {
            *purse = Purse {
                day: Some(day),
                ..Purse::default()
            };
        }
        purse
    }

    pub(crate) fn try_spend(&self, now: DateTime<Utc>, units: u64) -> Attempt {
        let day = QuotaDay::at(now);
        let mut purse = self.purse(day);
        if purse.is_over || now >= day.ends_at() - QUIET {
            return Attempt::Exhausted(next_day(day));
        }
        if let Some(left) = purse.units.checked_sub(units) {
            purse.units = left;
            purse.used_at = Some(now);
            return Attempt::Spent;
        }
        let was_refused = purse
            .refused_at
            .is_some_and(|at| now >= at && now < at + ASK_AGAIN_AFTER);
        if was_refused {
            Attempt::Exhausted(next_day(day))
        } else {
            Attempt::Missing(units - purse.units)
        }
    }
}
