//! Google's quota: counted per cloud project and per day of `America/Los_Angeles`.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::America::Los_Angeles;
use serde::{Deserialize, Serialize};

/// The Google Cloud project behind an OAuth client: the number before the first `-` of the client id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CloudProject(String);

/// The text is not a project number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a cloud project is a number of 1 to 20 digits")]
pub struct ParseProjectError;

impl FromStr for CloudProject {
    type Err = ParseProjectError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits =
            (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseProjectError)
        }
    }
}

impl CloudProject {
    /// The number as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CloudProject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a call to Google is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotaKind {
    /// A call of the Library API, uploads included.
    Request,
    /// A load of a base URL.
    Download,
}

impl QuotaKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Request, Self::Download];

    /// The name a database and a log use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Download => "download",
        }
    }
}

/// What a cloud project may spend in a day. Data, not law: an operator may have been granted more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaLimits {
    /// Library calls a day.
    pub requests_per_day: u64,
    /// Base-URL loads a day.
    pub downloads_per_day: u64,
}

impl Default for QuotaLimits {
    /// Google's published limits for a new project.
    fn default() -> Self {
        Self {
            requests_per_day: 10_000,
            downloads_per_day: 75_000,
        }
    }
}

impl QuotaLimits {
    /// The limit of one kind, in units a day.
    #[must_use]
    pub const fn of(&self, kind: QuotaKind) -> u64 {
        match kind {
            QuotaKind::Request => self.requests_per_day,
            QuotaKind::Download => self.downloads_per_day,
        }
    }
}

/// So long before midnight no call is admitted any more: it would reach Google after midnight and count there against the
/// new day, which our ledger knows nothing of.
pub const HOLD_BEFORE_MIDNIGHT: TimeDelta = TimeDelta::seconds(2);
/// So long after midnight none is admitted yet: Google's clock may be behind ours, and there it is still the old day.
pub const HOLD_AFTER_MIDNIGHT: TimeDelta = TimeDelta::seconds(1);

/// A calendar day in `America/Los_Angeles`. It lasts 23, 24 or 25 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QuotaDay(NaiveDate);

impl QuotaDay {
    /// The quota day that `now` falls in.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(now.with_timezone(&Los_Angeles).date_naive())
    }

    /// A day read back from a database.
    #[must_use]
    pub const fn from_date(date: NaiveDate) -> Self {
        Self(date)
    }

    /// The calendar date.
    #[must_use]
    pub const fn date(self) -> NaiveDate {
        self.0
    }

    /// The instant this day begins: a midnight in `America/Los_Angeles`.
    #[must_use]
    pub fn begins_at(self) -> DateTime<Utc> {
        midnight(self.0)
    }

    /// The instant this day ends and the next one begins: the next midnight in `America/Los_Angeles`.
    #[must_use]
    pub fn ends_at(self) -> DateTime<Utc> {
        midnight(self.next().0)
    }

    /// The day after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(
            self.0
                .checked_add_days(Days::new(1))
                .unwrap_or(NaiveDate::MAX),
        )
    }

    /// The instants between which calls are admitted on this day, the second one excluded: the day without the moments
    /// around both midnights in which Google may count on another day than we do.
    #[must_use]
    pub fn admits(self) -> (DateTime<Utc>, DateTime<Utc>) {
        let opens = self
            .begins_at()
            .checked_add_signed(HOLD_AFTER_MIDNIGHT)
            .unwrap_or(DateTime::<Utc>::MAX_UTC);
        let closes = self
            .ends_at()
            .checked_sub_signed(HOLD_BEFORE_MIDNIGHT)
            .unwrap_or(DateTime::<Utc>::MIN_UTC);
        (opens, closes)
    }

    /// When calls are admitted again after this day's units are used up: shortly after its end.
    #[must_use]
    pub fn resumes_at(self) -> DateTime<Utc> {
        self.next().admits().0
    }

    /// The day on which a call made at `now` is counted.
    ///
    /// # Errors
    /// In the moments around midnight no day is sure; says when the next call is admitted.
    pub fn admitting(now: DateTime<Utc>) -> Result<Self, DateTime<Utc>> {
        let day = Self::at(now);
        let (opens, closes) = day.admits();
        if now < opens {
            Err(opens)
        } else if now < closes {
            Ok(day)
        } else {
            Err(day.resumes_at())
        }
    }
}

fn midnight(date: NaiveDate) -> DateTime<Utc> {
    // Los Angeles changes its clocks at 02:00, so midnight exists exactly once on every day.
    Los_Angeles
        .from_local_datetime(&date.and_time(NaiveTime::MIN))
        .earliest()
        .map_or(DateTime::<Utc>::MAX_UTC, |local| local.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn hours(day: QuotaDay) -> i64 {
        let before = QuotaDay::from_date(day.date().pred_opt().expect("a day before"));
        (day.ends_at() - before.ends_at()).num_hours()
    }

    #[test]
    fn the_day_turns_at_midnight_in_los_angeles() {
        assert_eq!(
            QuotaDay::at(utc("2026-07-01T06:59:59Z")).date().to_string(),
            "2026-06-30"
        );
        assert_eq!(
            QuotaDay::at(utc("2026-07-01T07:00:00Z")).date().to_string(),
            "2026-07-01"
        );
        assert_eq!(
            QuotaDay::at(utc("2026-07-01T12:00:00Z")).ends_at(),
            utc("2026-07-02T07:00:00Z")
        );
    }

    #[test]
    fn daylight_saving_makes_days_of_23_and_25_hours() {
        let spring = QuotaDay::at(utc("2026-03-08T20:00:00Z"));
        let autumn = QuotaDay::at(utc("2026-11-01T20:00:00Z"));
        assert_eq!(
            (hours(spring), spring.ends_at()),
            (23, utc("2026-03-09T07:00:00Z"))
        );
        assert_eq!(
            (hours(autumn), autumn.ends_at()),
            (25, utc("2026-11-02T08:00:00Z"))
        );
    }

    #[test]
    fn nothing_is_admitted_around_midnight() {
        let yesterday = QuotaDay::at(utc("2026-07-01T06:00:00Z"));
        let resumes_at = utc("2026-07-01T07:00:01Z");
        for (now, expected) in [
            ("2026-07-01T06:59:57.999Z", Ok(yesterday)),
            ("2026-07-01T06:59:58Z", Err(resumes_at)),
            ("2026-07-01T07:00:00.999Z", Err(resumes_at)),
            ("2026-07-01T07:00:01Z", Ok(yesterday.next())),
        ] {
            assert_eq!(QuotaDay::admitting(utc(now)), expected, "at {now}");
        }
        assert_eq!(yesterday.resumes_at(), resumes_at);
        assert_eq!(yesterday.next().begins_at(), yesterday.ends_at());
    }

    #[test]
    fn a_project_is_a_number() {
        assert!("123456789012".parse::<CloudProject>().is_ok());
        for wrong in ["", "12a", "123456789012345678901", "-1"] {
            assert_eq!(wrong.parse::<CloudProject>(), Err(ParseProjectError));
        }
    }
}
