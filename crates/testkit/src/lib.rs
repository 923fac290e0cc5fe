//! What tests of several crates share: private servers, child processes, seeds, folder comparison.
//!
//! A helper that lacks what it needs panics and says so; it never skips. `cargo xtask test` brings
//! everything up and tells the tests where it is, see [`provided`].

pub mod certificates;
pub mod chaos;
mod clean_up;
pub mod collector;
pub mod postgres;
pub mod process;
pub mod provided;
pub mod rabbitmq;
pub mod redis;
pub mod s3;
mod seed;
mod sized;
pub mod tree;

pub use seed::seed;
pub use sized::sized;
/// Servers of a test's own, for tests that hurt them.
pub use tintype_servers as servers;
