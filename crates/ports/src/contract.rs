//! Contract suites: each takes a port and proves what its documentation promises, on every adapter.

pub mod vault;
