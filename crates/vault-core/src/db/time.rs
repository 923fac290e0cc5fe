//! The server's time without a question each time: asked for now and then, and carried on by this machine's steady clock.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};

/// How long an answer is carried on. Two machines' clocks drift apart by well under a millisecond in this time.
const CARRIED_ON: Duration = Duration::from_secs(5);

/// What is known of the server's time.
#[derive(Debug, Default)]
pub(super) struct ServerTime(Mutex<Option<(Instant, DateTime<Utc>)>>);

impl ServerTime {
    /// The server's time, if it was asked for lately.
    pub(super) fn known(&self) -> Option<DateTime<Utc>> {
        let (asked_at, then) = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let since = asked_at.elapsed();
        (since < CARRIED_ON).then(|| then + since)
    }

    /// Keeps an answer.
    pub(super) fn learn(&self, now: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), now));
    }
}
