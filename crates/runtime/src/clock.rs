//! Time: the machine's clock, which only this file asks, and a clock that follows the database's.

mod anchored;

use chrono::{DateTime, TimeDelta, Utc};
use tintype_ports::clock::Clock;

pub use anchored::{AnchoredClock, keep_anchored};

/// The machine's clock. In debug builds `TINTYPE_CLOCK_SKEW=seconds` makes it wrong by that much: tests show that nothing which
/// is shared goes by it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the home of the system clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now() + skew()
    }
}

#[cfg(debug_assertions)]
fn skew() -> TimeDelta {
    use std::sync::OnceLock;
    static SKEW: OnceLock<TimeDelta> = OnceLock::new();
    *SKEW.get_or_init(|| {
        let told = std::env::var("TINTYPE_CLOCK_SKEW").ok();
        let seconds = told.and_then(|text| text.parse().ok());
        seconds.and_then(TimeDelta::try_seconds).unwrap_or_default()
    })
}

#[cfg(not(debug_assertions))]
const fn skew() -> TimeDelta {
    TimeDelta::zero()
}
