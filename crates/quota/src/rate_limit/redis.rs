//! The rate limiter of many processes: one key in Redis for each key of a caller, which Redis forgets by itself when the burst is free
//! again. Follows the clock of Redis. Losing Redis forgets what was counted.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use async_trait::async_trait;
use redis::Script;
use tintype_ports::{
    Entropy,
    rate_limit::{Rate, RateLimitError, RateLimiter, Verdict},
};

use crate::redis::{Link, RedisSettings, RedisUrlError};

static CHECK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("check.lua")));

/// The longest interval: a year. Lua counts microseconds exactly far beyond it.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3_600);
/// More at once are not told apart.
const MAX_BURST: u32 = 1_000_000;

/// The rate limiter port in Redis.
#[derive(Debug)]
pub struct RedisRateLimiter {
    link: Link,
    prefix: String,
}

impl RedisRateLimiter {
    /// A limiter that connects when it is first used.
    ///
    /// # Errors
    /// When the address of Redis cannot be understood.
    pub fn new(settings: &RedisSettings, entropy: Arc<dyn Entropy>) -> Result<Self, RedisUrlError> {
        Ok(Self {
            link: Link::new(settings, entropy)?,
            prefix: settings.prefix.clone(),
        })
    }
}

#[async_trait]
impl RateLimiter for RedisRateLimiter {
    /// Fails when Redis does not answer within the deadline. The caller decides what is safer then: to let go on, or not.
    async fn check(&self, key: &str, rate: Rate) -> Result<Verdict, RateLimitError> {
        // Hashed, so that a key may be long, and what stands in it (an address, a name) is not kept.
        let name = blake3::hash(key.as_bytes()).to_hex();
        let interval = rate.interval.clamp(Duration::from_micros(1), LONGEST);
        let mut call = CHECK.key(format!("{}:rate:{name}", self.prefix));
        call.arg(interval.as_micros().to_string())
            .arg(rate.burst.clamp(1, MAX_BURST));
        let (wait, left): (u64, u32) = self
            .link
            .run(&call)
            .await
            .map_err(|error| RateLimitError(Box::new(error)))?;
        Ok(if wait > 0 {
            Verdict::Wait(Duration::from_micros(wait))
        } else {
            Verdict::Allowed { left }
        })
    }
}
