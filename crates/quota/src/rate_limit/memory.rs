//! The rate limiter of a single process.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tintype_ports::rate_limit::{Rate, RateLimitError, RateLimiter, Verdict};
use tokio::time::Instant;

/// Keys that are remembered; see [`MemoryRateLimiter::bounded`].
const MAX_KEYS: usize = 65_536;

/// The rate limiter port in memory. Follows the monotonic clock.
#[derive(Debug)]
pub struct MemoryRateLimiter {
    max_keys: usize,
    /// When each key's burst is free again.
    free_at: Mutex<HashMap<Box<str>, Instant>>,
}

impl Default for MemoryRateLimiter {
    fn default() -> Self {
        Self::bounded(MAX_KEYS)
    }
}

impl MemoryRateLimiter {
    /// A limiter that remembers at most so many keys, at least 2. Beyond that, keys that are free again are forgotten, and
    /// then the half of the others that is free soonest.
    #[must_use]
    pub fn bounded(max_keys: usize) -> Self {
        Self {
            max_keys: max_keys.max(2),
            free_at: Mutex::default(),
        }
    }

    /// How many keys are remembered.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.free_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

fn forget(free_at: &mut HashMap<Box<str>, Instant>, now: Instant, max_keys: usize) {
    free_at.retain(|_, at| *at > now);
    if free_at.len() < max_keys {
        return;
    }
    let mut instants: Vec<Instant> = free_at.values().copied().collect();
    let (_, middle, _) = instants.select_nth_unstable(max_keys / 2);
    let middle = *middle;
    free_at.retain(|_, at| *at > middle);
}

#[async_trait]
impl RateLimiter for MemoryRateLimiter {
    async fn check(&self, key: &str, rate: Rate) -> Result<Verdict, RateLimitError> {
        let interval = rate.interval.max(Duration::from_micros(1));
        let burst = rate.burst.max(1);
        let now = Instant::now();
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let free = free_at.get(key).copied().unwrap_or(now).max(now);
        let next = free + interval;
        let longest = interval.saturating_mul(burst);
        let ahead = next - now;
        if ahead > longest {
            return Ok(Verdict::Wait(ahead - longest));
        }
        if free_at.len() >= self.max_keys && !free_at.contains_key(key) {
            forget(&mut free_at, now, self.max_keys);
        }
        free_at.insert(key.into(), next);
        let left = (longest - ahead).as_nanos() / interval.as_nanos();
        Ok(Verdict::Allowed {
            left: u32::try_from(left).unwrap_or(burst),
        })
    }
}
