//! What every program of the workspace needs from the machine it runs on: time, randomness, network, logs, signals.
//!
//! Each has exactly one home here, and `clippy.toml` keeps everybody else out of it, so that tests can replace it.

pub mod clock;
pub mod entropy;
pub mod http;
pub mod lifecycle;
pub mod metrics;
pub mod mtls;
pub mod telemetry;
pub mod trace;

pub use clock::{AnchoredClock, SystemClock, keep_anchored};
pub use entropy::SystemEntropy;
pub use http::{CaCert, HttpError, HttpSettings};
pub use lifecycle::Lifecycle;
pub use metrics::{Metrics, MetricsError};
