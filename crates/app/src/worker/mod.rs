//! Doing the work: a worker takes a lease and runs its shard: enumerate → transfer → finalize. `upload` is the same for plans that
//! write to a Google Photos account.

mod account;
mod albums;
pub(crate) mod committer;
mod diff;
mod download;
mod downloads;
mod enumerate;
mod feed;
mod file_listing;
mod finalize;
mod findings;
pub(crate) mod gate;
mod gone;
mod heartbeat;
mod intake;
mod likenesses;
mod listing;
mod mirror;
mod originals;
mod pages;
pub(crate) mod permits;
mod picks;
mod presence;
mod proxy;
mod renditions;
mod rest;
mod slot;
mod transfer;
mod trouble;
pub(crate) mod upload;
pub(crate) mod urls;
mod waits;

pub(crate) use enumerate::Cursor;
pub(crate) use file_listing::{from_file, from_manifest};
