//! The machine's clock: the one place that asks it for the time of day.

use chrono::{DateTime, Utc};
use tintype_ports::clock::Clock;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the home of the system clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}
