//! Rate limits of a single process: the generic cell rate algorithm on a bounded table.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tintype_ports::{
    Clock, RateLimiter,
    rate_limit::{Rate, RateLimitError, Verdict},
};

/// Keys that are kept, at most. A key is forgotten once it has its whole burst again; when all are in use, the one that is
/// nearest to that goes first.
const MAX_KEYS: usize = 65_536;

/// The rate limiter port in memory.
pub struct MemoryRateLimiter {
    clock: Arc<dyn Clock>,
    /// When the burst of each key is whole again.
    arrivals: Mutex<HashMap<String, DateTime<Utc>>>,
}

impl fmt::Debug for MemoryRateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRateLimiter").finish_non_exhaustive()
    }
}

impl MemoryRateLimiter {
    /// A limiter that has counted nothing.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            arrivals: Mutex::default(),
        }
    }
}

fn make_room(arrivals: &mut HashMap<String, DateTime<Utc>>, now: DateTime<Utc>) {
    if arrivals.len() < MAX_KEYS {
        return;
    }
    arrivals.retain(|_, whole_at| *whole_at > now);
    if arrivals.len() >= MAX_KEYS {
        let nearest = arrivals.iter().min_by_key(|(_, at)| **at);
        if let Some(key) = nearest.map(|(key, _)| key.clone()) {
            arrivals.remove(&key);
        }
    }
}

#[async_trait]
impl RateLimiter for MemoryRateLimiter {
    async fn check(&self, key: &str, rate: Rate) -> Result<Verdict, RateLimitError> {
        let now = self.clock.now();
        let interval = TimeDelta::from_std(rate.interval).unwrap_or(TimeDelta::MAX);
        let burst = i32::try_from(rate.burst.max(1)).unwrap_or(i32::MAX);
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        let arrival = arrivals.get(key).map_or(now, |at| (*at).max(now));
        let next = arrival + interval;
        let earliest = next - interval * burst;
        if now < earliest {
            let wait = (earliest - now).to_std().unwrap_or(Duration::ZERO);
            return Ok(Verdict::Wait(wait));
        }
        make_room(&mut arrivals, now);
        arrivals.insert(key.to_owned(), next);
        let spare = (now - earliest).num_microseconds().unwrap_or(i64::MAX);
        let unit = interval.num_microseconds().unwrap_or(i64::MAX).max(1);
        Ok(Verdict::Allowed {
            left: u32::try_from(spare / unit).unwrap_or(u32::MAX),
        })
    }
}
