//! The vault's door: gRPC over mutual TLS in front of whatever keeps the secrets.
//!
//! A call passes the [`listener`] (is the caller's certificate ours?), the [`door`] (may this caller call this method?),
//! for secrets the [`grants`] (does a signed grant cover it?), then reaches the keeper through [`api`].

mod access;
mod answer;
mod api;
mod convert;
mod door;
mod grants;
mod health;
mod listener;
mod rewrap;
mod serve;
mod settings;

pub use serve::{ServeError, Surroundings, VaultServer, serve};
pub use settings::{GrantKey, Limits, RewrapPace, Settings};
