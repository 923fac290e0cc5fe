//! Time and randomness, which are parameters everywhere.

use chrono::{DateTime, Utc};

/// The time of day.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Now, in UTC.
    fn now(&self) -> DateTime<Utc>;
}

/// Random bytes for ids and jitter. Not for keys: the vault makes those itself.
pub trait Entropy: Send + Sync + std::fmt::Debug {
    /// Ten bytes, enough for the random part of an id.
    fn id_bytes(&self) -> [u8; 10];

    /// A number in `0.0..1.0`, for jitter.
    fn unit(&self) -> f64;
}
