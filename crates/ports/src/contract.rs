//! Contract suites: each takes a port and proves what its documentation promises, on every adapter.

pub mod archive;
pub mod bell;
pub mod events;
pub mod files;
pub mod queue;
pub mod quota;
pub mod rate_limit;
pub mod store;
pub mod vault;
