//! One writer for each account: Google refuses a second write of a user while one is under way, so whoever writes to an account
//! holds its lease, which counts for all processes.

use std::time::{Duration, Instant};

use tintype_model::{StorageId, WorkerId};
use tintype_ports::StoreError;
use tokio_util::sync::CancellationToken;

use crate::{App, AppResult, runs::describe};

/// Between two looks at a lease that somebody else holds.
const LOOK: Duration = Duration::from_millis(500);

impl App {
    /// Does `work` as the account's only writer, after waiting for its turn; `None` when `stop` came first.
    ///
    /// # Errors
    /// Those of `work`, and [`StoreError::LeaseLost`] when this process was away for so long that somebody else may write: the
    /// work was dropped where it stood.
    pub async fn as_only_writer<T>(
        &self,
        account: StorageId,
        stop: &CancellationToken,
        work: impl Future<Output = AppResult<T>>,
    ) -> AppResult<Option<T>> {
        let name = format!("writer/{account}");
        let me = WorkerId::new(self.ports.clock.now(), self.ports.entropy.id_bytes());
        let store = &self.ports.store;
        let held_at = loop {
            let asked_at = Instant::now();
            let ttl = self.settings.lease;
            if store.take_lease(&name, me, ttl).await?.is_some() {
                break asked_at;
            }
            let pause = LOOK.mul_f64(0.75 + 0.5 * self.ports.entropy.unit());
            tokio::select! {
                () = stop.cancelled() => return Ok(None),
                () = tokio::time::sleep(pause) => {}
            }
        };
        let end = tokio::select! {
            end = work => end.map(Some),
            () = self.until_lost(&name, me, held_at) => return Err(StoreError::LeaseLost.into()),
        };
        if let Err(error) = store.drop_lease(&name, me).await {
            tracing::warn!(error = %describe(&error), "an account's lease could not be given up; it ends by itself");
        }
        end
    }

    /// Extends the lease for as long as it is ours beyond doubt.
    async fn until_lost(&self, name: &str, me: WorkerId, held_at: Instant) {
        let ttl = self.settings.lease;
        // A little early: a call that begins now should still be covered.
        let mut ends_at = held_at + ttl.mul_f64(0.8);
        loop {
            tokio::time::sleep(ttl / 4).await;
            let asked_at = Instant::now();
            let asked = self.ports.store.take_lease(name, me, ttl);
            match tokio::time::timeout_at(ends_at.into(), asked).await {
                Ok(Ok(Some(_))) => ends_at = asked_at + ttl.mul_f64(0.8),
                Ok(Ok(None)) | Err(_) => return,
                Ok(Err(error)) => {
                    tracing::warn!(error = %describe(&error), "an account's lease could not be extended");
                }
            }
        }
    }
}
