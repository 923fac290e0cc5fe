//! The adapter against the emulator, over real HTTP.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they help"
)]

mod albums;
mod body;
mod bytes;
mod create;
mod errors;
mod large;
mod large_wire;
mod listing;
mod oauth;
mod odd_answers;
mod originals;
mod picker;
mod proxy;
mod size;
mod upload;
mod wire;
mod world;
