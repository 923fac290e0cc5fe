//! No call waits for ever: not for a connection, a lock, nor a network that went silent.

use std::{future::Future, time::Duration};

use tintype_ports::{StoreError, store::StoreResult};

use crate::failure::Outcome;

/// The work's answer, or [`StoreError::Database`] when it takes longer than `limit`. Whether a write that ran out of time took
/// effect is then unknown, as after any lost answer: read again.
pub(crate) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Outcome<T>>,
) -> StoreResult<T> {
    match tokio::time::timeout(limit, work).await {
        Ok(outcome) => outcome.map_err(StoreError::from),
        Err(elapsed) => Err(StoreError::Database(Box::new(elapsed))),
    }
}
