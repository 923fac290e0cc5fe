//! Adapters of the quota port: fast counters that spend what the durable ledger leased to them. And of the rate limiter.

mod block;
mod memory;
mod memory_rate;
mod purse;
mod redis;
mod redis_rate;

pub use memory::{LimitsOf, MemoryQuota};
pub use memory_rate::MemoryRateLimiter;
pub use redis::RedisQuota;
pub use redis_rate::RedisRateLimiter;
