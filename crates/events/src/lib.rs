//! Adapters of the ports by which processes hear of each other: the event bus and the bell.

mod bell;
mod memory;
mod redis;

pub use bell::MemoryBell;
pub use memory::MemoryEvents;
pub use redis::{RedisBell, RedisEvents, RedisSettings, RedisUrlError};
