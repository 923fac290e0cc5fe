//! Adapters of the ports that count: quota counters that spend what the durable ledger leased to them, and rate limiters.

mod block;
mod measure;
mod memory;
mod purse;
mod rate_limit;
mod redis;

pub use memory::{LimitsOf, MemoryQuota};
pub use rate_limit::{MemoryRateLimiter, RedisRateLimiter};
pub use redis::{RedisQuota, RedisSettings, RedisUrlError};
