//! The adapters keep the promises of their ports, whatever happens to Redis.

mod day;
mod faults;
mod memory;
mod rate_limit;
mod redis;
mod server;
mod support;
