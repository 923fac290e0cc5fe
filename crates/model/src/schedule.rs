//! When a plan runs by itself: a cron expression in a time zone.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::{Cron, parser::CronParser};
use serde::{Deserialize, Serialize};

/// A schedule. Two of its times never lie closer than a minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Spelled", into = "Spelled")]
pub struct Schedule {
    cron: String,
    zone: Tz,
}

/// A schedule as JSON shows it.
#[derive(Serialize, Deserialize)]
struct Spelled {
    cron: String,
    #[serde(default = "utc")]
    time_zone: String,
}

fn utc() -> String {
    "UTC".into()
}

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The expression has another shape, or never comes true.
    #[error(
        "schedule: {0:?} is no cron expression; write five fields such as \"30 3 * * *\" (every day at 03:30)"
    )]
    Cron(String),
    /// No such time zone.
    #[error("time_zone: {0:?} is not known; write a name such as Europe/Berlin or UTC")]
    Zone(String),
}

impl Schedule {
    /// A schedule from a cron expression of five fields (minute, hour, day of month, month, day of week; `@daily` and the
    /// like too) and the name of an IANA time zone.
    ///
    /// # Errors
    /// Which of both cannot be understood.
    pub fn new(cron: &str, time_zone: &str) -> Result<Self, ScheduleError> {
        let zone = Tz::from_str(time_zone).map_err(|_| ScheduleError::Zone(time_zone.into()))?;
        let schedule = Self {
            cron: cron.trim().to_owned(),
            zone,
        };
        let parsed = parse(&schedule.cron).ok_or_else(|| ScheduleError::Cron(cron.into()))?;
        let began = DateTime::<Utc>::UNIX_EPOCH.with_timezone(&zone);
        if parsed.find_next_occurrence(&began, false).is_err() {
            return Err(ScheduleError::Cron(cron.into()));
        }
        Ok(schedule)
    }

    /// The expression.
    #[must_use]
    pub fn cron(&self) -> &str {
        &self.cron
    }

    /// The name of the time zone.
    #[must_use]
    pub fn time_zone(&self) -> &'static str {
        self.zone.name()
    }

    /// The first time strictly after `after`. What daylight saving skips comes at the first moment after the gap; what it
    /// repeats comes once. `None` when there is none for years.
    #[must_use]
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let cron = parse(&self.cron)?;
        let next = cron.find_next_occurrence(&after.with_timezone(&self.zone), false);
        next.ok().map(|next| next.with_timezone(&Utc))
    }
}

fn parse(text: &str) -> Option<Cron> {
    let is_short = text.starts_with('@') || text.split_whitespace().count() == 5;
    if !is_short {
        return None;
    }
    CronParser::new().parse(text).ok()
}

impl TryFrom<Spelled> for Schedule {
    type Error = ScheduleError;

    fn try_from(spelled: Spelled) -> Result<Self, Self::Error> {
        Self::new(&spelled.cron, &spelled.time_zone)
    }
}

impl From<Schedule> for Spelled {
    fn from(schedule: Schedule) -> Self {
        Self {
            time_zone: schedule.zone.name().to_owned(),
            cron: schedule.cron,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_of_day_is_that_of_its_zone() {
        let nightly = Schedule::new("30 3 * * *", "Europe/Berlin").unwrap();
        let next = nightly.next_after(utc("2026-07-01T12:00:00Z"));
        assert_eq!(next, Some(utc("2026-07-02T01:30:00Z")));
        let winter = nightly.next_after(utc("2026-12-01T12:00:00Z"));
        assert_eq!(winter, Some(utc("2026-12-02T02:30:00Z")));
    }

    #[test]
    fn a_time_is_never_its_own_successor() {
        let hourly = Schedule::new("0 * * * *", "UTC").unwrap();
        let noon = utc("2026-07-01T12:00:00Z");
        assert_eq!(hourly.next_after(noon), Some(utc("2026-07-01T13:00:00Z")));
    }

    #[test]
    fn days_of_changing_clocks_have_each_time_once() {
        let nightly = Schedule::new("30 2 * * *", "Europe/Berlin").unwrap();
        for (day_before, days) in [("2026-03-28T12:00:00Z", 3), ("2026-10-24T12:00:00Z", 3)] {
            let mut at = utc(day_before);
            for _ in 0..days {
                let next = nightly.next_after(at).unwrap();
                let hours = (next - at).num_hours();
                assert!((12..=26).contains(&hours), "{at} to {next}");
                at = next;
            }
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_what_to_write() {
        for cron in ["", "daily", "61 * * * *", "* * * * * *", "0 0 31 2 *"] {
            let refused = Schedule::new(cron, "UTC").unwrap_err();
            assert!(matches!(refused, ScheduleError::Cron(_)), "{cron}");
        }
        let refused = Schedule::new("0 3 * * *", "Berlin").unwrap_err();
        assert!(refused.to_string().contains("Europe/Berlin"), "{refused}");
    }

    #[test]
    fn json_holds_both_parts() {
        let text = r#"{"cron":"0 3 * * 1","time_zone":"America/New_York"}"#;
        let schedule: Schedule = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&schedule).unwrap(), text);
        assert!(serde_json::from_str::<Schedule>(r#"{"cron":"x"}"#).is_err());
    }
}
