//! When Google throttles every download of a cloud project, its day may be over although nobody says so: base URLs answer
//! a bare 429. The project then rests, longer each time, instead of asking on.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tintype_model::quota::QuotaDay;
use tintype_ports::photos::AttemptOutcome;

/// A rest grows to this many times the first.
const LONGEST: u32 = 16;

/// Whether a cloud project may ask.
#[derive(Debug)]
pub(crate) struct Rest {
    limit: u32,
    first: Duration,
    in_a_row: u32,
    factor: u32,
    until: Option<DateTime<Utc>>,
}

impl Rest {
    pub(crate) const fn new(limit: u32, first: Duration) -> Self {
        Self {
            limit,
            first,
            in_a_row: 0,
            factor: 1,
            until: None,
        }
    }

    /// Until when it rests; `None` when it may ask.
    pub(crate) fn until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.until.filter(|until| now < *until)
    }

    pub(crate) fn note(&mut self, outcome: AttemptOutcome, now: DateTime<Utc>) {
        match outcome {
            AttemptOutcome::Answered => {
                self.in_a_row = 0;
                self.factor = 1;
            }
            AttemptOutcome::Failed => (),
            AttemptOutcome::Throttled => {
                self.in_a_row += 1;
                if self.in_a_row >= self.limit && self.until(now).is_none() {
                    self.begin(now);
                }
            }
        }
    }

    /// Ends at midnight in Los Angeles at the latest: then there is a new day's quota in any case.
    fn begin(&mut self, now: DateTime<Utc>) {
        let length = TimeDelta::from_std(self.first * self.factor).unwrap_or(TimeDelta::MAX);
        let midnight = QuotaDay::at(now).ends_at();
        self.until = Some(
            now.checked_add_signed(length)
                .map_or(midnight, |end| end.min(midnight)),
        );
        self.factor = (self.factor * 2).min(LONGEST);
        // The first answers after the rest decide; a few suffice.
        self.in_a_row = self.limit - self.limit.min(4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn throttled(rest: &mut Rest, times: u32, now: DateTime<Utc>) {
        for _ in 0..times {
            rest.note(AttemptOutcome::Throttled, now);
        }
    }

    #[test]
    fn one_answer_in_between_keeps_the_project_awake() {
        let mut rest = Rest::new(5, Duration::from_secs(60));
        throttled(&mut rest, 4, at(0));
        rest.note(AttemptOutcome::Answered, at(0));
        throttled(&mut rest, 4, at(0));
        assert_eq!(rest.until(at(0)), None);
    }

    #[test]
    fn rests_grow_while_nothing_is_answered_and_end_at_midnight() {
        let mut rest = Rest::new(5, Duration::from_secs(60));
        throttled(&mut rest, 5, at(0));
        assert_eq!(rest.until(at(0)), Some(at(60)));
        assert_eq!(rest.until(at(60)), None);
        throttled(&mut rest, 4, at(60));
        assert_eq!(rest.until(at(60)), Some(at(180)));
        let before_midnight = at(8 * 3_600 - 30);
        throttled(&mut rest, 4, before_midnight);
        assert_eq!(rest.until(before_midnight), Some(at(8 * 3_600)));
    }
}
