//! Counters for the tests, as many processes would have them.

use std::{
    env,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex},
    time::Duration,
};

use tintype_ports::{Quota, contract::quota::Parts, fake::SeededEntropy, store::QuotaLedger};
use tintype_quota::{RedisQuota, RedisSettings};

/// Processes that share a Redis server. Those over one ledger are one install, with keys of its own.
pub(crate) struct Install {
    url: String,
    name: String,
    deadline: Duration,
    /// Held, so that no later ledger is taken for one of these.
    ledgers: Mutex<Vec<Arc<dyn QuotaLedger>>>,
}

/// URL of the Redis server that the test runner provides.
pub(crate) fn shared_url() -> String {
    env::var("TINTYPE_TEST_REDIS_URL").expect(
        "TINTYPE_TEST_REDIS_URL is not set: run the tests with `cargo xtask test`, which provides it",
    )
}

/// A prefix that nobody else uses.
pub(crate) fn unique_prefix() -> String {
    format!("test-{:016x}", RandomState::new().hash_one("prefix"))
}

impl Install {
    pub(crate) fn on_the_shared_server() -> Self {
        Self::at(&shared_url())
    }

    pub(crate) fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            name: unique_prefix(),
            // A machine that is busy with other tests answers late at times.
            deadline: Duration::from_secs(5),
            ledgers: Mutex::default(),
        }
    }

    /// As short as in production, for tests in which Redis does not answer.
    pub(crate) fn impatient(mut self) -> Self {
        self.deadline = Duration::from_millis(500);
        self
    }

    /// One more process.
    pub(crate) fn process(&self, parts: Parts) -> RedisQuota {
        let number = {
            let mut ledgers = self.ledgers.lock().expect("the ledgers");
            let known = ledgers.iter().position(|it| Arc::ptr_eq(it, &parts.ledger));
            known.unwrap_or_else(|| {
                ledgers.push(Arc::clone(&parts.ledger));
                ledgers.len() - 1
            })
        };
        let settings = RedisSettings {
            url: self.url.clone().into(),
            prefix: format!("{}-{number}", self.name),
            deadline: self.deadline,
        };
        let limits = parts.limits;
        RedisQuota::new(
            &settings,
            parts.ledger,
            Arc::new(move |_| limits),
            parts.clock,
            Arc::new(SeededEntropy::new(7)),
        )
        .expect("the address of a server")
    }

    pub(crate) async fn quota(&self, parts: Parts) -> Arc<dyn Quota> {
        Arc::new(self.process(parts))
    }
}
