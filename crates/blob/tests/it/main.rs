//! The archive on real folders, in memory and on a real S3 server.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, and helpers of tests are tests"
)]

mod by_hand;
mod contract;
mod damage;
mod files;
mod folder;
mod local_files;
mod location;
mod owners;
mod restore;
mod store;
mod support;
