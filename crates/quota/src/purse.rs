//! What a process may spend without asking anybody: units behind a mutex, and the only day on which they may be spent.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use chrono::{DateTime, TimeDelta, Utc};
use tintype_model::quota::{CloudProject, QuotaDay, QuotaKind};

/// After nobody had units left none are asked for again for so long; others may give some back meanwhile.
const ASK_AGAIN_AFTER: TimeDelta = TimeDelta::seconds(5);
/// An answer about yesterday's last calls may arrive so long after midnight.
const LATE_ANSWERS: TimeDelta = TimeDelta::minutes(2);
/// The first taking of a purse, and the least.
const FIRST_TAKING: u64 = 100;
/// A purse that was filled less than so many looks ago takes twice as much the next time,
const SOON: u32 = 12;
/// and one that was filled more than so many looks ago half as much.
const LATE: u32 = 24;
/// So many looks without a spend in between make what is left idle,
const IDLE: u32 = 2;
/// once so much was spent that giving back and taking again costs little in comparison;
const SPENT_BETWEEN_GIFTS: u64 = 400;
/// otherwise so many.
const IDLE_FOR_LONG: u32 = 24;
/// The largest appetite, beyond every share.
const MAX_APPETITE: u64 = 1 << 20;

/// Whose purse.
pub(crate) type Key = (CloudProject, QuotaKind);

/// All purses of a process. There are two for each cloud project of the install.
#[derive(Debug, Default)]
pub(crate) struct Purses(RwLock<HashMap<CloudProject, [Arc<Counter>; 2]>>);

/// One purse with what guards it.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    purse: Mutex<Purse>,
    /// Held while units are fetched, so that many callers ask once.
    pub(crate) fetching: Arc<tokio::sync::Mutex<()>>,
}

/// Leased units of one day.
#[derive(Debug)]
pub(crate) struct Purse {
    day: Option<OpenDay>,
    pub(crate) units: u64,
    pub(crate) is_over: bool,
    /// That the day is over was said by Google to this process, and the others were not told yet.
    pub(crate) must_tell: bool,
    /// The highest number of the shared pool that was seen.
    pub(crate) pool_seen: u64,
    /// The pool had nothing left when it was last seen.
    pub(crate) pool_is_empty: bool,
    refused_at: Option<DateTime<Utc>>,
    /// Spent since this was asked for the last time.
    spent: u64,
    spent_today: u64,
    /// Spent since the last look.
    spent_lately: u64,
    /// Spent since units were given back.
    spent_since_gift: u64,
    /// Looks since the last one that saw a spend.
    quiet: u32,
    /// Looks since units were taken.
    filled: u32,
    /// How many units the next taking may be, by how long the last ones lasted.
    appetite: u64,
}

impl Default for Purse {
    fn default() -> Self {
        Self {
            day: None,
            units: 0,
            is_over: false,
            must_tell: false,
            pool_seen: 0,
            pool_is_empty: false,
            refused_at: None,
            spent: 0,
            spent_today: 0,
            spent_lately: 0,
            spent_since_gift: SPENT_BETWEEN_GIFTS,
            quiet: 0,
            filled: 0,
            appetite: FIRST_TAKING,
        }
    }
}

/// A quota day with the instants that bound its admissions, so that a spend need not look at a calendar.
#[derive(Debug, Clone, Copy)]
struct OpenDay {
    day: QuotaDay,
    opens: DateTime<Utc>,
    closes: DateTime<Utc>,
}

/// What a try to spend came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    Spent,
    Exhausted {
        resumes_at: DateTime<Utc>,
    },
    /// Units of this day must be fetched first; so many are missing.
    Missing {
        day: QuotaDay,
        units: u64,
    },
}

impl Purses {
    pub(crate) fn counter(&self, project: &CloudProject, kind: QuotaKind) -> Arc<Counter> {
        let index = match kind {
            QuotaKind::Request => 0,
            QuotaKind::Download => 1,
        };
        {
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(counters) = known.get(project) {
                return Arc::clone(&counters[index]);
            }
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let counters = known.entry(project.clone()).or_default();
        Arc::clone(&counters[index])
    }

    pub(crate) fn all(&self) -> Vec<(Key, Arc<Counter>)> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known
            .iter()
            .flat_map(|(project, [requests, downloads])| {
                [
                    ((project.clone(), QuotaKind::Request), Arc::clone(requests)),
                    (
                        (project.clone(), QuotaKind::Download),
                        Arc::clone(downloads),
                    ),
                ]
            })
            .collect()
    }
}

impl Counter {
    /// The purse of `day`. Units of another day are never spent.
    pub(crate) fn purse(&self, day: QuotaDay) -> MutexGuard<'_, Purse> {
        let mut purse = self.any_purse();
        purse.turn_to(day);
        purse
    }

    /// The purse, if it is of `day` or of one before; it is never turned back.
    pub(crate) fn purse_if(&self, day: QuotaDay) -> Option<MutexGuard<'_, Purse>> {
        let mut purse = self.any_purse();
        if purse.day.is_some_and(|open| open.day > day) {
            return None;
        }
        purse.turn_to(day);
        Some(purse)
    }

    /// The purse of whatever day it is on.
    fn any_purse(&self) -> MutexGuard<'_, Purse> {
        self.purse.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn try_spend(&self, now: DateTime<Utc>, units: u64) -> Attempt {
        let mut purse = self.any_purse();
        let day = match purse.day_at(now) {
            Ok(day) => day,
            Err(resumes_at) => return Attempt::Exhausted { resumes_at },
        };
        let exhausted = || Attempt::Exhausted {
            resumes_at: day.resumes_at(),
        };
        if purse.is_over {
            return exhausted();
        }
        if let Some(left) = purse.units.checked_sub(units) {
            purse.units = left;
            purse.spent += units;
            purse.spent_today += units;
            purse.spent_lately += units;
            return Attempt::Spent;
        }
        if purse.was_refused(now) {
            exhausted()
        } else {
            Attempt::Missing {
                day,
                units: units - purse.units,
            }
        }
    }

    /// The day and how many units are missing to spend `units`, if they must be fetched first.
    pub(crate) fn try_reach(&self, now: DateTime<Utc>, units: u64) -> Option<(QuotaDay, u64)> {
        let mut purse = self.any_purse();
        let day = purse.day_at(now).ok()?;
        let missing = units.checked_sub(purse.units).filter(|units| *units > 0)?;
        let must_ask = !purse.is_over && !purse.was_refused(now);
        must_ask.then_some((day, missing))
    }

    /// Adds fetched units, unless they came too late to be spent: in another day, or after Google called it over.
    pub(crate) fn put(&self, day: QuotaDay, now: DateTime<Utc>, units: u64) {
        if QuotaDay::at(now) != day {
            return;
        }
        let mut purse = self.purse(day);
        if !purse.is_over {
            purse.units += units;
            purse.refused_at = None;
        }
    }

    /// Remembers that nobody has as many units as a call needs.
    pub(crate) fn refuse(&self, day: QuotaDay, now: DateTime<Utc>) {
        self.purse(day).refused_at = Some(now);
    }

    /// The day that Google calls over at `now`. Right after midnight, while nothing was spent here on the new day, that is
    /// yesterday: the answer belongs to a call that was made before midnight.
    pub(crate) fn day_called_over(&self, now: DateTime<Utc>) -> QuotaDay {
        let day = QuotaDay::at(now);
        let is_new = now < day.begins_at() + LATE_ANSWERS;
        if is_new && self.purse(day).spent_today == 0 {
            QuotaDay::at(day.begins_at() - TimeDelta::seconds(1))
        } else {
            day
        }
    }

    /// Units spent since this was asked for the last time.
    pub(crate) fn take_spent(&self) -> u64 {
        std::mem::take(&mut self.any_purse().spent)
    }
}

impl Purse {
    fn turn_to(&mut self, day: QuotaDay) {
        if self.day.is_some_and(|open| open.day == day) {
            return;
        }
        let (opens, closes) = day.admits();
        *self = Self {
            day: Some(OpenDay { day, opens, closes }),
            spent: self.spent,
            ..Self::default()
        };
    }

    /// The day a call made now counts on, or when the next one is admitted.
    fn day_at(&mut self, now: DateTime<Utc>) -> Result<QuotaDay, DateTime<Utc>> {
        if let Some(open) = self.day
            && now >= open.opens
            && now < open.closes
        {
            return Ok(open.day);
        }
        let day = QuotaDay::admitting(now)?;
        self.turn_to(day);
        Ok(day)
    }

    fn was_refused(&self, now: DateTime<Utc>) -> bool {
        self.refused_at
            .is_some_and(|at| now >= at && now < at + ASK_AGAIN_AFTER)
    }

    /// What this taking may be: a purse is to last for one to two minutes.
    pub(crate) fn appetite(&mut self) -> u64 {
        let appetite = self.appetite;
        let next = match std::mem::take(&mut self.filled) {
            0..SOON => appetite.saturating_mul(2),
            SOON..=LATE => appetite,
            _ => appetite / 2,
        };
        self.appetite = next.clamp(FIRST_TAKING, MAX_APPETITE);
        appetite
    }

    /// Looks at what was spent since the last look, and takes out what is idle.
    pub(crate) fn take_idle(&mut self) -> u64 {
        let spent = std::mem::take(&mut self.spent_lately);
        self.spent_since_gift = self.spent_since_gift.saturating_add(spent);
        self.filled = self.filled.saturating_add(1);
        self.quiet = if spent == 0 {
            self.quiet.saturating_add(1)
        } else {
            0
        };
        let is_cheap = self.quiet >= IDLE && self.spent_since_gift >= SPENT_BETWEEN_GIFTS;
        if !is_cheap && self.quiet < IDLE_FOR_LONG {
            return 0;
        }
        let idle = std::mem::take(&mut self.units);
        if idle > 0 {
            self.spent_since_gift = 0;
            self.appetite = FIRST_TAKING;
        }
        idle
    }

    /// The purse's day is over, whatever was left.
    pub(crate) fn end(&mut self) {
        self.is_over = true;
        self.units = 0;
    }
}
