//! Rate limits shared by all processes: the generic cell rate algorithm in one script, by the server's clock.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use redis::{RedisError, Script, aio::ConnectionManager};
use tintype_ports::{
    RateLimiter,
    rate_limit::{Rate, RateLimitError, Verdict},
};

/// The rate limiter port over Redis.
pub struct RedisRateLimiter {
    connection: ConnectionManager,
    prefix: String,
    script: Script,
}

impl fmt::Debug for RedisRateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisRateLimiter").finish_non_exhaustive()
    }
}

impl RedisRateLimiter {
    /// A limiter that connects when it is needed. `prefix` stands before all its keys.
    ///
    /// # Errors
    /// When the URL is none of a Redis server.
    pub fn new(url: &str, prefix: &str) -> Result<Self, RedisError> {
        Ok(Self {
            connection: crate::redis::connect(url)?,
            prefix: prefix.to_owned(),
            script: Script::new(include_str!("redis/lua/rate.lua")),
        })
    }
}

#[async_trait]
impl RateLimiter for RedisRateLimiter {
    async fn check(&self, key: &str, rate: Rate) -> Result<Verdict, RateLimitError> {
        let interval = u64::try_from(rate.interval.as_micros())
            .unwrap_or(u64::MAX)
            .max(1);
        let answer: Result<(i64, i64), RedisError> = self
            .script
            .key(format!("{}rate:{key}", self.prefix))
            .arg(interval)
            .arg(rate.burst.max(1))
            .invoke_async(&mut self.connection.clone())
            .await;
        let (left, wait) = answer.map_err(|error| RateLimitError(Box::new(error)))?;
        Ok(match u32::try_from(left) {
            Ok(left) => Verdict::Allowed { left },
            Err(_) => Verdict::Wait(Duration::from_micros(wait.unsigned_abs())),
        })
    }
}
