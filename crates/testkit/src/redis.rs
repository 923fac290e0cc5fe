//! Keys of a test's own on the shared Redis server.

use std::time::Duration;

use redis::{AsyncCommands as _, Client, RedisError, aio::MultiplexedConnection};
use tokio::time::timeout;

use crate::{clean_up, provided, seed};

/// Removing a test's keys takes milliseconds.
const DEADLINE: Duration = Duration::from_secs(60);
/// Keys that are removed at once.
const BATCH: usize = 500;

/// A prefix that no other test uses. All keys that begin with it are removed with this value.
#[derive(Debug)]
pub struct RedisPrefix {
    text: String,
    url: String,
}

impl RedisPrefix {
    /// A random prefix on the server of [`provided::redis_url`].
    ///
    /// # Panics
    /// When that is not set.
    #[must_use]
    pub fn create() -> Self {
        Self::create_on(&provided::redis_url())
    }

    /// A random prefix on another server.
    #[must_use]
    pub fn create_on(url: &str) -> Self {
        Self {
            text: format!("tintype-test-{:016x}:", seed::entropy()),
            url: url.to_owned(),
        }
    }

    /// The prefix, which ends with a colon.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The server's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for RedisPrefix {
    fn drop(&mut self) {
        let (url, pattern) = (self.url.clone(), format!("{}*", self.text));
        clean_up::now(&format!("the keys {pattern}"), async move {
            match timeout(DEADLINE, remove(&url, &pattern)).await {
                Ok(removed) => removed.map_err(|error| error.to_string()),
                Err(_) => Err(format!("no answer within {} s", DEADLINE.as_secs())),
            }
        });
    }
}

async fn remove(url: &str, pattern: &str) -> Result<(), RedisError> {
    let client = Client::open(url)?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    loop {
        let keys = some_keys(&mut connection, pattern).await?;
        if keys.is_empty() {
            return Ok(());
        }
        let _: u64 = connection.del(keys).await?;
    }
}

/// Up to about [`BATCH`] keys; none when there are none.
async fn some_keys(
    connection: &mut MultiplexedConnection,
    pattern: &str,
) -> Result<Vec<String>, RedisError> {
    let mut cursor = 0_u64;
    loop {
        let (next, keys): (u64, Vec<String>) = redis::cmd("SCAN")
            .arg(cursor)
            .arg("MATCH")
            .arg(pattern)
            .arg("COUNT")
            .arg(BATCH)
            .query_async(connection)
            .await?;
        if !keys.is_empty() || next == 0 {
            return Ok(keys);
        }
        cursor = next;
    }
}
