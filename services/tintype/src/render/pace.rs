//! How fast it goes, over the last seconds, and how long the rest will take.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Rates look back so far.
const WINDOW: Duration = Duration::from_secs(8);
/// Samples closer together than this replace each other.
const GRAIN: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    items: u64,
    bytes: u64,
}

/// Counts with their times.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    samples: VecDeque<Sample>,
}

impl Pace {
    /// Begins to count now.
    pub(crate) fn new(now: Instant) -> Self {
        let start = Sample {
            at: now,
            items: 0,
            bytes: 0,
        };
        Self {
            samples: VecDeque::from([start]),
        }
    }

    /// So many items and bytes are done in all.
    pub(crate) fn note(&mut self, now: Instant, items: u64, bytes: u64) {
        let fresh = Sample {
            at: now,
            items,
            bytes,
        };
        let crowded = self.samples.len() > 1;
        match self.samples.back_mut() {
            Some(last) if crowded && now.duration_since(last.at) < GRAIN => {
                *last = Sample {
                    at: last.at,
                    ..fresh
                };
            }
            _ => self.samples.push_back(fresh),
        }
        while self.samples.len() > 2 && now.duration_since(self.samples[0].at) > WINDOW {
            self.samples.pop_front();
        }
    }

    /// (items, bytes) a second.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate for the eye; the 53rd bit does not matter"
    )]
    pub(crate) fn rates(&self) -> Option<(f64, f64)> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        let seconds = last.at.duration_since(first.at).as_secs_f64();
        if seconds < 0.2 {
            return None;
        }
        let items = last.items.saturating_sub(first.items) as f64;
        let bytes = last.bytes.saturating_sub(first.bytes) as f64;
        Some((items / seconds, bytes / seconds))
    }

    /// How long so many items will take.
    #[expect(
        clippy::cast_precision_loss,
        reason = "an estimate; the 53rd bit does not matter"
    )]
    pub(crate) fn rest(&self, items: u64) -> Option<Duration> {
        let (rate, _) = self.rates()?;
        let seconds = items as f64 / rate;
        // Nothing done yet: the division has no finite answer.
        Duration::try_from_secs_f64(seconds).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert_eq!(pace.rates(), None);
        // A slow start that must be forgotten, then 10 items a second.
        for second in 1_u64..=30 {
            let items = second.saturating_sub(10) * 10;
            pace.note(start + Duration::from_secs(second), items, items * 1000);
        }
        let (items, bytes) = pace.rates().unwrap();
        assert!((items - 10.0).abs() < 0.01 && (bytes - 10_000.0).abs() < 0.01);
        assert_eq!(pace.rest(50).map(|it| it.as_secs()), Some(5));
    }

    #[test]
    fn nothing_done_gives_no_estimate() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.note(start + Duration::from_secs(1), 0, 0);
        assert_eq!(pace.rest(50), None);
    }
}
