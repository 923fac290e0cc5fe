//! Time: the machine's clock, which only this file asks, and a clock that follows the database's.

mod anchored;

use chrono::{DateTime, Utc};
use tintype_ports::clock::Clock;

pub use anchored::{AnchoredClock, keep_anchored};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the home of the system clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}
