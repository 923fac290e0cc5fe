//! Where the broker is, what our queues in it are called, and how long anything may take.

use std::time::Duration;

use lapin::uri::AMQPUri;
use secrecy::{ExposeSecret as _, SecretString};

/// Seconds between heartbeats: a connection that says nothing for twice this is dead.
const HEARTBEAT: u16 = 10;
/// More queues than this are more than any broker needs, and each worker slot subscribes to all of them.
const MAX_QUEUES: u16 = 256;

/// How to use a broker.
#[derive(Debug, Clone)]
pub struct RabbitSettings {
    /// `amqp://USER:PASSWORD@HOST:PORT/VHOST`, or `amqps://…` for TLS.
    pub url: SecretString,
    /// What the names of exchanges and queues begin with, such as `tintype`: letters, digits, `.`, `_`, `-`.
    pub prefix: String,
    /// Queues that tenants are spread over, at least one. Every process must say the same number; with a smaller one than
    /// before, what waits in the queues beyond stays there.
    pub queues: u16,
    /// Messages that may wait, over all queues.
    pub capacity: usize,
    /// How long a call waits for a connection while there is none.
    pub patience: Duration,
    /// How long connecting may take, with everything declared.
    pub connect_within: Duration,
    /// How long one exchange with the broker may take: a batch published and confirmed, a subscription, an answer.
    pub answer_within: Duration,
    /// How long a slot trusts a subscription through which nothing comes: it then asks all queues and subscribes anew. A
    /// broker may confirm a subscription to a queue that is being deleted, and never say that it ended.
    pub subscription_for: Duration,
    /// The first pause after a connection was lost; it doubles with each failure up to [`Self::longest_pause`].
    pub first_pause: Duration,
    /// The longest pause between two attempts to connect.
    pub longest_pause: Duration,
}

impl RabbitSettings {
    /// Eight queues for 10,000 messages, and deadlines of seconds.
    #[must_use]
    pub fn new(url: SecretString, prefix: impl Into<String>) -> Self {
        Self {
            url,
            prefix: prefix.into(),
            queues: 8,
            capacity: 10_000,
            patience: Duration::from_secs(2),
            connect_within: Duration::from_secs(15),
            answer_within: Duration::from_secs(15),
            subscription_for: Duration::from_secs(30),
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(10),
        }
    }

    /// Checks everything; returns the address in parts.
    pub(super) fn check(&self) -> Result<AMQPUri, SettingsError> {
        // What the parser says of a wrong URL may repeat the password.
        let mut uri: AMQPUri = self
            .url
            .expose_secret()
            .parse()
            .map_err(|_| SettingsError::Url)?;
        uri.query.heartbeat = Some(HEARTBEAT);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if self.prefix.is_empty() || self.prefix.len() > 100 || !self.prefix.chars().all(is_plain) {
            return Err(SettingsError::Prefix(self.prefix.clone()));
        }
        if !(1..=MAX_QUEUES).contains(&self.queues) {
            return Err(SettingsError::Queues(self.queues));
        }
        if self.capacity == 0 {
            return Err(SettingsError::Capacity);
        }
        Ok(uri)
    }
}

/// The settings make no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The URL cannot be read.
    #[error("the broker's URL is not amqp://USER:PASSWORD@HOST:PORT/VHOST or amqps://…")]
    Url,
    /// The prefix cannot be part of a name.
    #[error(
        "{0:?} is no prefix for queues: use 1 to 100 letters, digits, dots, underscores or dashes"
    )]
    Prefix(String),
    /// Too few or too many queues.
    #[error("{0} queues are not between 1 and {MAX_QUEUES}")]
    Queues(u16),
    /// Nothing would ever fit.
    #[error("a queue needs room for at least one message")]
    Capacity,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_in_no_error_and_no_debug_text() {
        let settings = RabbitSettings::new("http://me:hunter2@host".into(), "tintype");
        let error = settings.check().unwrap_err();
        assert!(!format!("{settings:?} {error} {error:?}").contains("hunter2"));
        assert_eq!(error, SettingsError::Url);
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let good = RabbitSettings::new("amqps://me:secret@broker/photos".into(), "tintype");
        assert!(good.check().is_ok());
        let mut wrong = good.clone();
        wrong.queues = 0;
        assert_eq!(wrong.check(), Err(SettingsError::Queues(0)));
        let mut wrong = good.clone();
        wrong.prefix = "a b".into();
        assert_eq!(wrong.check(), Err(SettingsError::Prefix("a b".into())));
        let mut wrong = good;
        wrong.capacity = 0;
        assert_eq!(wrong.check(), Err(SettingsError::Capacity));
    }
}
