//! Deadlines and patience, as settings so that tests need not wait.

use std::time::Duration;

use crate::GoogleEndpoints;

const MIB: usize = 1024 * 1024;

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
    /// Longest silence while a body is sent as it is read: of whoever reads it, and of the connection that takes it. A whole
    /// file has no deadline.
    pub upload_idle: Duration,
    /// From the last byte sent to the end of the answer.
    pub upload_answer: Duration,
    /// What bytes sent in one piece may take for each MiB, before `upload_answer` begins.
    pub upload_mib: Duration,
}

impl Deadlines {
    /// For bytes sent in one piece, answer included.
    pub(crate) fn upload(&self, length: usize) -> Duration {
        let mebibytes = u32::try_from(length.div_ceil(MIB)).unwrap_or(u32::MAX);
        self.upload_answer
            .saturating_add(self.upload_mib.saturating_mul(mebibytes))
    }
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(60),
            download_head: Duration::from_secs(60),
            download_idle: Duration::from_secs(30),
            upload_idle: Duration::from_secs(60),
            upload_answer: Duration::from_secs(120),
            upload_mib: Duration::from_secs(30),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_bytes_may_take_longer() {
        let deadlines = Deadlines {
            upload_answer: Duration::from_secs(10),
            upload_mib: Duration::from_secs(3),
            ..Deadlines::default()
        };
        let seconds = [0, 1, MIB, MIB + 1].map(|length| deadlines.upload(length).as_secs());
        assert_eq!(seconds, [10, 13, 13, 16]);
    }
}
