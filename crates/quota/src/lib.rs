//! Adapters of the quota port: fast counters that spend what the durable ledger leased to them.

mod block;
mod memory;

pub use memory::{LimitsOf, MemoryQuota};
