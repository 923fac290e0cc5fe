//! The event bus and the bell of many processes, through Redis.

mod bell;
mod bus;
mod link;
mod ring;
mod subscriber;
mod watcher;

pub use bell::RedisBell;
pub use bus::RedisEvents;
pub use link::{RedisSettings, RedisUrlError};
