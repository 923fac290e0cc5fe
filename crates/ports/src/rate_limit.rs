//! Limits on how often something may be asked, shared by all processes of an install.

use std::time::Duration;

use async_trait::async_trait;

/// How often: `burst` at once, and one more each `interval` (generic cell rate algorithm).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At once, after a time of silence; at least 1.
    pub burst: u32,
    /// The time in which one more is earned; more than zero.
    pub interval: Duration,
}

/// What a limiter answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Go on; so many more are allowed at once.
    Allowed {
        /// Left of the burst.
        left: u32,
    },
    /// Not now; nothing was counted.
    Wait(Duration),
}

/// The limiter cannot be asked.
#[derive(Debug, thiserror::Error)]
#[error("the rate limiter is unavailable")]
pub struct RateLimitError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Counts for each key separately.
#[async_trait]
pub trait RateLimiter: Send + Sync {
    /// Counts one use of `key`, unless that would exceed `rate`. A key is used with one rate only.
    async fn check(&self, key: &str, rate: Rate) -> Result<Verdict, RateLimitError>;
}
