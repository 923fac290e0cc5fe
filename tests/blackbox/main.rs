//! The binary as people run it, with Google's stand-in beside it.

mod bad_input;
mod bucket;
mod catalogue;
mod demo;
mod fleet;
mod household;
mod kill;
mod picks;
mod storage;
mod upload;
mod verify;
