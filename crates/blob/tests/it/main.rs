//! The archive on real folders, in memory and on a real S3 server.

mod by_hand;
mod contract;
mod damage;
mod folder;
mod location;
mod restore;
mod store;
mod support;
