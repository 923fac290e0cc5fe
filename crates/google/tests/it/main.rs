//! The adapter against the emulator, over real HTTP.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they help"
)]

mod bytes;
mod errors;
mod listing;
mod oauth;
mod odd_answers;
mod proxy;
mod size;
mod upload;
mod world;
