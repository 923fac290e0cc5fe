//! The adapters keep the promises of their ports, whatever happens to Redis.

mod bell;
mod faults;
mod memory;
mod redis;
// The tests of the quota counters need the same server to be killed.
#[path = "../../../quota/tests/it/server.rs"]
mod server;
mod support;
