//! The network side: listeners, TLS, the intercepting proxy, and the way of a call through the emulator.

pub(crate) mod call;
pub(crate) mod connection;
pub(crate) mod proxy;
pub(crate) mod route;
pub(crate) mod serve;
pub(crate) mod tls;
