//! The vault's door with real sockets, real TLS, real grants, and a real vault behind it.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may panic as the tests themselves do"
)]

mod contract;
mod grants;
mod identities;
mod keeper;
mod observed;
mod resilience;
mod stopping;
mod tls;
mod traces;
mod world;
