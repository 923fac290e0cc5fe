//! Behaviour of the emulator over real HTTP.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

mod albums;
mod bytes;
mod faults;
mod helper;
mod listing;
mod oauth;
mod picker;
mod quota;
mod rclone;
mod speed;
mod uploads;
