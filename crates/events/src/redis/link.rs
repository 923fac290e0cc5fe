//! The connection to Redis for what is asked and published: one for the whole process, with a deadline on every question.
//! After a failure it rests for a growing time, in which questions fail at once instead of waiting one after the other.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Client, FromRedisValue, RedisError, ScriptInvocation,
    aio::MultiplexedConnection,
};
use secrecy::{ExposeSecret, SecretString};
use tintype_ports::Entropy;
use tokio::time::{Instant, timeout};

/// The rest after the first failure; it doubles with each that follows.
const FIRST_REST: Duration = Duration::from_millis(100);
/// No rest is longer.
const LONGEST_REST: Duration = Duration::from_secs(2);

/// How Redis is reached.
#[derive(Debug, Clone)]
pub struct RedisSettings {
    /// `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`. A secret, as it may hold a password.
    pub url: SecretString,
    /// What all keys begin with, so that several installs can share a server.
    pub prefix: String,
    /// Within this something must be published, connecting included. Short, because work goes on without it: what cannot be
    /// published is lost, and losing it loses nothing but sight.
    pub publish_deadline: Duration,
    /// Within this a watcher's first question must be answered.
    pub watch_deadline: Duration,
}

impl RedisSettings {
    /// The server at `url`, keys that begin with `tintype`, 200 ms to publish and 2 s to begin watching.
    #[must_use]
    pub fn at(url: SecretString) -> Self {
        Self {
            url,
            prefix: "tintype".to_owned(),
            publish_deadline: Duration::from_millis(200),
            watch_deadline: Duration::from_secs(2),
        }
    }
}

/// The address of Redis cannot be understood. Does not repeat it: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address of Redis is not of the form redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]")]
pub struct RedisUrlError;

/// Why Redis did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("redis failed a moment ago and is left alone for now")]
    Resting,
    #[error("redis did not answer within {} ms", .0.as_millis())]
    TooLate(Duration),
    #[error("redis failed")]
    Redis(#[source] RedisError),
}

/// How long to leave Redis alone after so many failures in a row and one more. Between half and all of it, so that the
/// processes of an install do not come back all at once.
pub(crate) fn pause(failures: u32, entropy: &dyn Entropy) -> Duration {
    let doubled = FIRST_REST.saturating_mul(1 << failures.min(10));
    doubled
        .min(LONGEST_REST)
        .mul_f64(0.5 + entropy.unit() / 2.0)
}

/// A connection that is made when it is needed, and made anew after it failed.
pub(crate) struct Link {
    client: Client,
    entropy: Arc<dyn Entropy>,
    connection: tokio::sync::Mutex<Option<MultiplexedConnection>>,
    health: Mutex<Health>,
}

#[derive(Debug, Default)]
struct Health {
    failures: u32,
    rests_until: Option<Instant>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("health", &self.health)
            .finish_non_exhaustive()
    }
}

impl Link {
    /// Connects to nothing yet.
    pub(crate) fn new(
        settings: &RedisSettings,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, RedisUrlError> {
        let client = Client::open(settings.url.expose_secret()).map_err(|_| RedisUrlError)?;
        Ok(Self {
            client,
            entropy,
            connection: tokio::sync::Mutex::default(),
            health: Mutex::default(),
        })
    }

    /// What connections are made with.
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Runs a script. After a failure its outcome is unknown: it may have been run, or may yet be.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
        deadline: Duration,
    ) -> Result<T, LinkError> {
        if self.is_resting() {
            return Err(LinkError::Resting);
        }
        let asked = async {
            let mut connection = self.connection().await?;
            script.invoke_async(&mut connection).await
        };
        let result = match timeout(deadline, asked).await {
            Ok(answer) => answer.map_err(LinkError::Redis),
            Err(_) => Err(LinkError::TooLate(deadline)),
        };
        match &result {
            Ok(_) => self.lock_health().failures = 0,
            Err(_) => self.rest(),
        }
        result
    }

    async fn connection(&self) -> Result<MultiplexedConnection, RedisError> {
        let mut held = self.connection.lock().await;
        if let Some(connection) = &*held {
            return Ok(connection.clone());
        }
        // The deadline around the whole question is the one that counts.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        Ok(held.insert(connection).clone())
    }

    fn is_resting(&self) -> bool {
        self.lock_health()
            .rests_until
            .is_some_and(|until| Instant::now() < until)
    }

    /// Lets go of the connection, even one that may only be slow: a half-open one would never tell.
    fn rest(&self) {
        {
            let mut health = self.lock_health();
            let rest = pause(health.failures, &*self.entropy);
            health.failures = health.failures.saturating_add(1);
            health.rests_until = Some(Instant::now() + rest);
        }
        // Where the lock is held, somebody is connecting, and there is nothing to let go of.
        if let Ok(mut held) = self.connection.try_lock() {
            *held = None;
        }
    }

    fn lock_health(&self) -> std::sync::MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_shows_up_nowhere() {
        let entropy: Arc<dyn Entropy> = Arc::new(tintype_ports::fake::SeededEntropy::new(1));
        let settings = RedisSettings::at("redis://user:hunter2@127.0.0.1:1/".into());
        let link = Link::new(&settings, Arc::clone(&entropy)).expect("a link");
        let wrong = RedisSettings::at("hunter2://127.0.0.1".into());
        let error = Link::new(&wrong, entropy).expect_err("no such scheme");
        let shown = format!("{settings:?} {link:?} {wrong:?} {error:?} {error}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
