//! When a run will be done: what is left of it, against what Google's quota and the observed rate allow each day.

#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::quota::{QuotaDay, QuotaLimits};

/// A forecast does not look further than this, about a hundred years.
const MAX_DAYS: u32 = 36_525;

/// What is left of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Items whose bytes are still to be had; each is one download.
    pub items: u64,
    /// Library calls still to be made.
    pub requests: u64,
}

/// What the cloud project may spend, all its tenants together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Left of the present quota day.
    pub left_today: QuotaLimits,
    /// Of each day to come.
    pub per_day: QuotaLimits,
}

/// The tenant's part of the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The tenant's weight.
    pub weight: u32,
    /// The sum of the weights of all tenants with work, this one included.
    pub of: u64,
}

impl Share {
    /// A tenant that has the project to itself.
    pub const WHOLE: Self = Self { weight: 1, of: 1 };

    /// The part of `units` that falls to the tenant, rounded down.
    fn part(self, units: u64) -> u64 {
        let weight = u128::from(self.weight.max(1));
        let of = u128::from(self.of).max(weight);
        u64::try_from(u128::from(units) * weight / of).unwrap_or(u64::MAX)
    }

    /// Of a whole day there is always something, else a small share would never be done.
    fn part_of_a_day(self, units: u64) -> u64 {
        self.part(units).max(units.min(1))
    }
}

/// What holds a run up most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitedBy {
    /// How fast items go through.
    Rate,
    /// The daily base-URL loads.
    Downloads,
    /// The daily library calls.
    Requests,
}

/// When a run will be done, if all goes on as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// Done by then. Without an observed rate: the end of the quota day on which the quota suffices.
    pub done_by: DateTime<Utc>,
    /// Quota days that the run still touches, the present one included; 0 when nothing is left.
    pub quota_days: u32,
    /// What holds it up most.
    pub limited_by: LimitedBy,
}

/// What can be done in one day, in parts of all that is left now.
struct DayCapacity {
    downloads: f64,
    requests: f64,
    rate: f64,
}

impl DayCapacity {
    fn new(work: Work, allowed: QuotaLimits, items_in_time: f64) -> Self {
        let part = |can: f64, of: u64| {
            if of == 0 {
                f64::INFINITY
            } else {
                can / of as f64
            }
        };
        Self {
            downloads: part(allowed.downloads_per_day as f64, work.items),
            requests: part(allowed.requests_per_day as f64, work.requests),
            rate: part(items_in_time, work.items),
        }
    }

    fn least(&self) -> (f64, LimitedBy) {
        let quota = if self.downloads <= self.requests {
            (self.downloads, LimitedBy::Downloads)
        } else {
            (self.requests, LimitedBy::Requests)
        };
        // Quota that suffices does not hold anything up; what else there is, is time.
        if self.rate < quota.0 {
            (self.rate, LimitedBy::Rate)
        } else {
            quota
        }
    }
}

/// When `work` will be done from `now` on. `rate`: items a second that were observed, all pauses for quota left out; `None`
/// when nothing is known of it. Items and calls are assumed to be spread evenly over the work, and the tenant's share to
/// stay what it is. Returns `None` when it is never done, or not within a hundred years.
#[must_use]
pub fn forecast(
    now: DateTime<Utc>,
    work: Work,
    budget: Budget,
    share: Share,
    rate: Option<f64>,
) -> Option<Forecast> {
    if work.items == 0 && work.requests == 0 {
        return Some(Forecast {
            done_by: now,
            quota_days: 0,
            limited_by: LimitedBy::Rate,
        });
    }
    let rate = rate.filter(|rate| rate.is_finite() && *rate > 0.0);
    let today = QuotaLimits {
        requests_per_day: share.part(budget.left_today.requests_per_day),
        downloads_per_day: share.part(budget.left_today.downloads_per_day),
    };
    let later = QuotaLimits {
        requests_per_day: share.part_of_a_day(budget.per_day.requests_per_day),
        downloads_per_day: share.part_of_a_day(budget.per_day.downloads_per_day),
    };
    let (mut from, mut day, mut allowed) = (now, QuotaDay::at(now), today);
    // In parts of the whole.
    let mut left = 1.0_f64;
    let mut held_up_by = None;
    for quota_days in 1..=MAX_DAYS {
        let ends_at = day.ends_at();
        let seconds = (ends_at - from).as_seconds_f64().max(0.0);
        let items_in_time = rate.map_or(f64::INFINITY, |rate| rate * seconds);
        let (can, by) = DayCapacity::new(work, allowed, items_in_time).least();
        // A millionth is less than any item or call, and more than rounding adds up to.
        if left <= can + 1e-12 * f64::from(quota_days) {
            let needed = rate.map(|rate| left * work.items as f64 / rate);
            let done_by = needed.map_or(ends_at, |needed| after(from, needed).min(ends_at));
            return Some(Forecast {
                done_by,
                quota_days,
                limited_by: held_up_by.unwrap_or(LimitedBy::Rate),
            });
        }
        // Today may be nearly over or spent already; the first whole day says more.
        if quota_days <= 2 {
            held_up_by = Some(by);
        }
        left -= can;
        day = day.next();
        (from, allowed) = (ends_at, later);
    }
    None
}

fn after(from: DateTime<Utc>, seconds: f64) -> DateTime<Utc> {
    // Rounds up to the next second, because the answer says "by"; but not for what arithmetic added.
    let whole = (seconds - 1e-3).ceil().clamp(0.0, 1e11);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "bounded above, and an exact whole number"
    )]
    let seconds = TimeDelta::try_seconds(whole as i64).unwrap_or(TimeDelta::MAX);
    from.checked_add_signed(seconds)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
