//! Doing the work: a worker takes a lease and runs its shard: enumerate → transfer → finalize.

mod albums;
pub(crate) mod committer;
mod diff;
mod download;
mod enumerate;
mod feed;
mod finalize;
pub(crate) mod gate;
mod gone;
mod heartbeat;
mod listing;
mod mirror;
mod pages;
pub(crate) mod permits;
mod presence;
mod rest;
mod slot;
mod transfer;
mod trouble;
pub(crate) mod urls;
mod waits;
