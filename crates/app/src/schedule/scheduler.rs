//! The scheduler's loop: woken by the bell or by time, it reconciles, dispatches and relays.

use tintype_model::fair_share::FairShare;
use tokio_util::sync::CancellationToken;

use crate::{App, AppResult};

impl App {
    /// Runs the scheduler until `stop`. Trouble is logged and tried again at the next tick.
    pub async fn schedule(&self, stop: CancellationToken) {
        let mut share = FairShare::new(self.settings.fair_burst, self.settings.fair_burst);
        let mut tick = tokio::time::interval(self.settings.tick);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let timed = tokio::select! {
                () = stop.cancelled() => return,
                () = self.bell.notified() => false,
                _ = tick.tick() => true,
            };
            let look = async {
                if timed {
                    self.reconcile().await?;
                }
                self.dispatch(&mut share).await?;
                self.relay().await?;
                AppResult::Ok(())
            };
            if let Err(error) = look.await {
                tracing::warn!(error = %crate::runs::describe(&error), "the scheduler will try again");
            }
        }
    }

    /// For an install of a single process: whatever an earlier process held is free again at once.
    ///
    /// # Errors
    /// The store fails.
    pub async fn take_over(&self) -> AppResult<u64> {
        Ok(self.ports.store.requeue_all().await?)
    }
}
