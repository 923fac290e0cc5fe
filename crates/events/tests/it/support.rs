//! Buses and bells for the tests, as many processes would have them.

use std::{
    env,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tintype_events::{RedisBell, RedisEvents, RedisSettings};
use tintype_ports::fake::SeededEntropy;

/// URL of the Redis server that the test runner provides.
pub(crate) fn shared_url() -> String {
    env::var("TINTYPE_TEST_REDIS_URL").expect(
        "TINTYPE_TEST_REDIS_URL is not set: run the tests with `cargo xtask test`, which provides it",
    )
}

/// An install that nobody else shares, on the server at `url`; patient, because a busy machine answers late at times.
pub(crate) fn install_at(url: &str) -> RedisSettings {
    RedisSettings {
        url: url.into(),
        prefix: format!("test-{:016x}", RandomState::new().hash_one("prefix")),
        publish_deadline: Duration::from_secs(5),
        watch_deadline: Duration::from_secs(10),
    }
}

fn entropy() -> Arc<SeededEntropy> {
    static PROCESSES: AtomicU64 = AtomicU64::new(1);
    Arc::new(SeededEntropy::new(
        PROCESSES.fetch_add(1, Ordering::Relaxed),
    ))
}

/// The bus of one more process.
pub(crate) fn bus(settings: &RedisSettings, held: usize) -> RedisEvents {
    RedisEvents::bounded(settings, entropy(), held).expect("the address of a server")
}

/// The bell of one more process.
pub(crate) fn bell(settings: &RedisSettings) -> RedisBell {
    RedisBell::new(settings, entropy()).expect("the address of a server")
}
