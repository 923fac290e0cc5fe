//! The words of the product as types: ids, aggregates, state machines, policies. No I/O, no clock, no randomness.

pub mod address;
pub mod album;
pub mod blob;
pub mod concurrency;
pub mod credential;
pub mod error;
pub mod fair_share;
pub mod fidelity;
pub mod forecast;
pub mod ids;
pub mod item;
pub mod names;
pub mod plan;
pub mod progress;
pub mod quota;
pub mod run;
pub mod schedule;
pub mod seen;
pub mod shard;
pub mod snapshot;
pub mod storage;
pub mod tenant;
pub mod trace;

pub use blob::{BlobHash, BlobHasher};
pub use error::ErrorKind;
pub use fidelity::Fidelity;
pub use ids::*;
