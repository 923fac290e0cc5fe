//! Doing the work: a worker takes a lease and runs its shard: enumerate → transfer → finalize.

pub(crate) mod committer;
mod diff;
mod download;
mod enumerate;
mod finalize;
pub(crate) mod gate;
mod heartbeat;
mod listing;
pub(crate) mod permits;
mod transfer;
mod trouble;
pub(crate) mod urls;
mod worker;
