//! Deadlines and patience with a proxy, as settings so that tests need not wait.

use std::time::Duration;

const MIB: u64 = 1024 * 1024;

/// How a proxy is treated. It downloads a whole item before it answers, so that it is quiet for long before the first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxySettings {
    /// From asking for an original to the head of its answer.
    pub head: Duration,
    /// Longest silence between two pieces.
    pub silence: Duration,
    /// What a whole body may take, however short.
    pub body: Duration,
    /// What it may take beyond that, for each MiB.
    pub body_mib: Duration,
    /// Longest wait for a turn.
    pub wait: Duration,
    /// So many may wait at one proxy.
    pub waiting: usize,
    /// For each step of a test, in the place of all of the above.
    pub test: Duration,
    /// Repetitions after trouble that may pass, before the first byte.
    pub retries: u32,
    /// The wait before a repetition; lengthened by up to a half at random.
    pub retry_after: Duration,
    /// Failures in a row after which it rests.
    pub failures: u32,
    /// Its first rest; doubles each time that it fails again.
    pub first_rest: Duration,
    /// No rest is longer.
    pub longest_rest: Duration,
}

impl ProxySettings {
    /// For a body of so many bytes.
    pub(super) fn body_within(&self, length: u64) -> Duration {
        let mebibytes = u32::try_from(length.div_ceil(MIB)).unwrap_or(u32::MAX);
        self.body
            .saturating_add(self.body_mib.saturating_mul(mebibytes))
    }
}

impl Default for ProxySettings {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(150),
            silence: Duration::from_secs(30),
            body: Duration::from_secs(60),
            body_mib: Duration::from_secs(4),
            wait: Duration::from_secs(60),
            waiting: 64,
            test: Duration::from_secs(20),
            retries: 1,
            retry_after: Duration::from_secs(1),
            failures: 3,
            first_rest: Duration::from_secs(30),
            longest_rest: Duration::from_secs(15 * 60),
        }
    }
}
