//! Google's quota: calls and base-URL loads per cloud project, by Pacific day and by minute.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::clock::pacific_day;
use crate::kind::Cost;
use crate::switches::QuotaLimits;

const MINUTE_MS: i64 = 60_000;

/// What a project used on one Pacific day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct DayUse {
    /// Library API calls that were let through.
    pub calls: u64,
    /// Base-URL loads that were let through.
    pub loads: u64,
    /// Picker API calls that were let through.
    pub picker_calls: u64,
    /// Calls and loads refused with 429.
    pub refused: u64,
}

/// Why a call is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exhausted {
    Day,
    Minute,
}

#[derive(Debug, Default)]
struct Minute {
    started_ms: i64,
    calls: u64,
    loads: u64,
    picker_calls: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    /// The day of the last call: date, first and last-plus-one millisecond.
    today: Option<(String, i64, i64)>,
    days: BTreeMap<String, BTreeMap<String, DayUse>>,
    minutes: HashMap<String, Minute>,
}

impl Quota {
    /// Counts a call, or says why it is refused.
    pub(crate) fn take(
        &mut self,
        project: &str,
        cost: Cost,
        limits: QuotaLimits,
        now_ms: i64,
    ) -> Result<(), Exhausted> {
        let date = self.date(now_ms);
        if !self.days.contains_key(&date) {
            self.days.insert(date.clone(), BTreeMap::new());
        }
        let projects = self.days.entry(date).or_default();
        if !projects.contains_key(project) {
            projects.insert(project.to_owned(), DayUse::default());
            self.minutes.entry(project.to_owned()).or_default();
        }
        let (Some(day), Some(minute)) = (projects.get_mut(project), self.minutes.get_mut(project))
        else {
            return Ok(());
        };
        if (now_ms - minute.started_ms).abs() >= MINUTE_MS {
            *minute = Minute {
                started_ms: now_ms,
                ..Minute::default()
            };
        }
        let (day_used, day_limit, minute_used, minute_limit) = match cost {
            Cost::Free => return Ok(()),
            Cost::Library => (
                &mut day.calls,
                limits.calls_per_day,
                &mut minute.calls,
                limits.calls_per_minute,
            ),
            Cost::BaseUrl => (
                &mut day.loads,
                limits.loads_per_day,
                &mut minute.loads,
                limits.loads_per_minute,
            ),
            Cost::Picker => (
                &mut day.picker_calls,
                None,
                &mut minute.picker_calls,
                limits.picker_calls_per_minute,
            ),
        };
        let refused = if day_limit.is_some_and(|limit| *day_used >= limit) {
            Some(Exhausted::Day)
        } else if minute_limit.is_some_and(|limit| *minute_used >= limit) {
            Some(Exhausted::Minute)
        } else {
            None
        };
        if let Some(reason) = refused {
            day.refused += 1;
            return Err(reason);
        }
        *day_used += 1;
        *minute_used += 1;
        Ok(())
    }

    /// Use by date, then by project number.
    pub(crate) fn days(&self) -> &BTreeMap<String, BTreeMap<String, DayUse>> {
        &self.days
    }

    /// Sets what a project has used today.
    pub(crate) fn set(&mut self, project: &str, used: DayUse, now_ms: i64) {
        let date = self.date(now_ms);
        self.days
            .entry(date)
            .or_default()
            .insert(project.to_owned(), used);
        self.minutes.insert(project.to_owned(), Minute::default());
    }

    fn date(&mut self, now_ms: i64) -> String {
        match &self.today {
            Some((date, start, end)) if (*start..*end).contains(&now_ms) => date.clone(),
            _ => {
                let day = pacific_day(now_ms);
                let date = day.0.clone();
                self.today = Some(day);
                date
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_pacific_midnight() {
        let limits = QuotaLimits {
            calls_per_day: Some(1),
            ..QuotaLimits::default()
        };
        let mut quota = Quota::default();
        // 2026-01-01 07:59:59 UTC is still 2025 in Los Angeles.
        let before = 1_767_254_399_000;
        assert_eq!(quota.take("1", Cost::Library, limits, before), Ok(()));
        assert_eq!(
            quota.take("1", Cost::Library, limits, before),
            Err(Exhausted::Day)
        );
        assert_eq!(quota.take("2", Cost::Library, limits, before), Ok(()));
        assert_eq!(
            quota.take("1", Cost::Library, limits, before + 1000),
            Ok(())
        );
        assert_eq!(quota.days()["2025-12-31"]["1"].refused, 1);
    }
}
