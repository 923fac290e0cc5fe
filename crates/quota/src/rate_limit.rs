//! Rate limiters: of one process, and of all processes through Redis. Both keep one instant for each key (generic cell rate
//! algorithm): the time at which the key's whole burst is free again.

mod memory;
mod redis;

pub use self::{memory::MemoryRateLimiter, redis::RedisRateLimiter};
