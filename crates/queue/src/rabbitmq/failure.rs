//! What can go wrong with a broker.

use std::{sync::Arc, time::Duration};

use lapin::ErrorKind;
use tintype_ports::queue::QueueError;

#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Failure {
    #[error("the broker answered with an error")]
    Broker(#[source] lapin::Error),
    #[error("the broker did not answer within {0:?}")]
    Late(Duration),
    #[error("there is no connection to the broker")]
    NotConnected(#[source] Option<Arc<Failure>>),
    #[error("{0} exists in the broker with other settings: delete it, or choose another prefix")]
    Differs(String, #[source] lapin::Error),
    #[error("the broker could not take a message")]
    Refused,
    #[error("the broker has no queue for a message, although it was declared")]
    Unroutable,
    #[error("the channel of this message is gone, so it will be delivered again")]
    Stale,
    #[error("the broker ended the subscription")]
    Unsubscribed,
    #[error("the queue was closed")]
    Closed,
}

impl From<lapin::Error> for Failure {
    fn from(error: lapin::Error) -> Self {
        Self::Broker(error)
    }
}

impl From<Failure> for QueueError {
    fn from(failure: Failure) -> Self {
        Self::Unavailable(Box::new(failure))
    }
}

impl Failure {
    /// Whether an exchange or a queue is not there.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Unroutable | Self::Unsubscribed) || self.has_code(404)
    }

    /// Whether something is there and is not what we would have made.
    pub(super) fn is_different(&self) -> bool {
        self.has_code(406)
    }

    fn has_code(&self, code: u16) -> bool {
        let Self::Broker(error) = self else {
            return false;
        };
        matches!(error.kind(), ErrorKind::ProtocolError(error) if error.get_id() == code)
    }
}

/// Runs one exchange with the broker under its deadline.
pub(super) async fn within<T, E: Into<Failure>>(
    deadline: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(deadline, work).await {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(Failure::Late(deadline)),
    }
}
