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

/// AMQP URL of a private RabbitMQ broker, for its virtual host `/`: `TINTYPE_TEST_RABBITMQ_URL`. Tests that may meet others
/// use [`crate::rabbitmq::TestVhost`].
///
/// # Panics
/// When the variable is not set.
#[must_use]
pub fn rabbitmq_url() -> String {
    required("TINTYPE_TEST_RABBITMQ_URL")
}

/// URL of that broker's management interface, which `guest` may use: `TINTYPE_TEST_RABBITMQ_MANAGEMENT_URL`.
///
/// # Panics
/// When the variable is not set.
#[must_use]
pub fn rabbitmq_management_url() -> String {
    required("TINTYPE_TEST_RABBITMQ_MANAGEMENT_URL")
}

/// URL of a private Redis server: `TINTYPE_TEST_REDIS_URL`. Tests share it, each under its own
/// [`crate::redis::RedisPrefix`].
///
/// # Panics
/// When the variable is not set.
#[must_use]
pub fn redis_url() -> String {
    required("TINTYPE_TEST_REDIS_URL")
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
        _ => panic!(
            "{name} is not set: run the tests with `cargo xtask test`, which provides it (`cargo xtask services` starts the servers alone)"
        ),
    }
}
