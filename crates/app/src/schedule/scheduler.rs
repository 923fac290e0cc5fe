//! The scheduler's loop: woken by the bell or by time, the one that leads reconciles, dispatches and relays.

use tintype_model::{WorkerId, fair_share::FairShare};
use tokio_util::sync::CancellationToken;

use super::{health::Rounds, lead::Lead, take_back::Left};
use crate::{App, AppResult, runs::describe};

impl App {
    /// Runs the scheduler until `stop`; of several, one leads and the others wait. Trouble is logged and tried again at the
    /// next tick.
    pub async fn schedule(&self, stop: CancellationToken) {
        let me = WorkerId::new(self.ports.clock.now(), self.ports.entropy.id_bytes());
        let mut lead = Lead::new(me);
        let mut share = FairShare::new(self.settings.fair_burst, self.settings.fair_burst);
        let mut without = Left::default();
        let mut rounds = Rounds::default();
        let mut tick = tokio::time::interval(self.settings.tick);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let timed = tokio::select! {
                () = stop.cancelled() => break,
                () = self.ports.bell.rung() => false,
                _ = tick.tick() => true,
            };
            let look = async {
                if !lead.hold(self).await? {
                    return Ok(());
                }
                if timed {
                    self.reconcile().await?;
                    self.start_due().await?;
                    self.show_standing().await?;
                    rounds.look(self, &stop).await;
                }
                // What a pause of this process made stale is not begun; what was begun is safe, every change is a
                // compare-and-set.
                if lead.is_held() {
                    let sent = self.dispatch(&mut share, &mut without).await?;
                    // What an earlier look could not publish, or an earlier process left behind, goes with time.
                    if timed || sent > 0 {
                        self.relay().await?;
                    }
                }
                AppResult::Ok(())
            };
            if let Err(error) = look.await {
                tracing::warn!(error = %describe(&error), "the scheduler will try again");
            }
        }
        rounds.end().await;
        if let Err(error) = lead.resign(self).await {
            tracing::warn!(error = %describe(&error), "the lead could not be given up; it ends by itself");
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
