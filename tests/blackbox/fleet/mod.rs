//! An install as processes, over its REST API, while its parts are killed: the services profile with servers that a test may
//! kill, and the embedded one.

mod admin;
mod api;
mod clocks;
mod embedded;
mod fair;
mod frozen;
mod google;
mod health;
mod install;
mod picks;
mod repeated;
mod roles;
mod services;
mod storm;
mod trace;
mod vault;
mod weather;
mod whole;
