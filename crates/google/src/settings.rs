//! Deadlines and patience, as settings so that tests need not wait.

use std::time::Duration;

use crate::GoogleEndpoints;

/// Everything the adapter is told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GoogleSettings {
    /// Where Google is.
    pub endpoints: GoogleEndpoints,
    /// How long one attempt may take.
    pub deadlines: Deadlines,
    /// How often and when a call is repeated.
    pub retry: RetryPolicy,
}

/// How long one attempt may take. Waiting for the gate is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// A whole call of the Library API or the token endpoint, body included.
    pub call: Duration,
    /// From asking for a base URL to the head of its answer.
    pub download_head: Duration,
    /// Longest silence between two pieces of a download. A whole file has no deadline.
    pub download_idle: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(60),
            download_head: Duration::from_secs(60),
            download_idle: Duration::from_secs(30),
        }
    }
}

/// How often and when a call is repeated. Google asks for waits that double from 1 s after 5xx and from 30 s after 429,
/// with jitter; each wait here is lengthened by up to a half at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Repetitions after passing trouble: 5xx, timeouts, broken connections, answers that cannot be read.
    pub retries: u32,
    /// The first wait after passing trouble.
    pub first_wait: Duration,
    /// No wait after passing trouble is longer.
    pub longest_wait: Duration,
    /// Repetitions after a 429 that is not about the day.
    pub throttle_retries: u32,
    /// The first wait after such a 429.
    pub first_throttle_wait: Duration,
    /// No wait after such a 429 is longer.
    pub longest_throttle_wait: Duration,
    /// A `Retry-After` takes the place of the wait, but counts as at most so long.
    pub longest_retry_after: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries: 5,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(32),
            throttle_retries: 5,
            first_throttle_wait: Duration::from_secs(30),
            longest_throttle_wait: Duration::from_secs(240),
            longest_retry_after: Duration::from_secs(300),
        }
    }
}
