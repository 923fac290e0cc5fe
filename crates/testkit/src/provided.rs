//! What `cargo xtask test` provides, by environment variable.

use std::env;
use std::path::PathBuf;

/// URL of the superuser of a private PostgreSQL server: `TINTYPE_TEST_POSTGRES_URL`.
///
/// # Panics
/// When the variable is not set.
#[must_use]
pub fn postgres_url() -> String {
    required("TINTYPE_TEST_POSTGRES_URL")
}

/// The built `tintype` program: `TINTYPE_BIN`.
///
/// # Panics
/// When the variable is not set.
#[must_use]
pub fn tintype() -> PathBuf {
    required("TINTYPE_BIN").into()
}

/// rclone at the version that the suite pins: `TINTYPE_RCLONE`.
///
/// # Panics
/// When the variable is not set.
#[must_use]
pub fn rclone() -> PathBuf {
    required("TINTYPE_RCLONE").into()
}

/// A program that understands `age -d -i KEYFILE FILE`: `TINTYPE_AGE`.
///
/// # Panics
/// When the variable is not set.
#[must_use]
pub fn age() -> PathBuf {
    required("TINTYPE_AGE").into()
}

fn required(name: &str) -> String {
    match env::var(name) {
        Ok(value) if !value.is_empty() => value,
        _ => panic!("{name} is not set: run the tests with `cargo xtask test`, which provides it"),
    }
}
