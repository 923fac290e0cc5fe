//! The reconciler: puts back what got lost, wakes what has waited long enough, settles pauses, and tells of runs that only a
//! person can help.

use tintype_model::{
    ErrorKind,
    run::{RunEvent, RunReason},
};

use crate::{App, AppError, AppResult};

const BATCH: u32 = 100;

/// What a run says whose remaining shards were all set aside.
const STUCK: &str = "part of the work failed again and again and was set aside; an operator finds the cause with \
                     `tintype admin dead-letters list` and puts it back with `tintype admin requeue`";

impl App {
    /// One look. Each part is harmless when repeated.
    pub(crate) async fn reconcile(&self) -> AppResult<()> {
        let lost = self
            .ports
            .store
            .requeue_lost(self.settings.max_failures)
            .await?;
        if lost.requeued > 0 {
            metrics::counter!("tintype_shards_lost_total").increment(lost.requeued);
            tracing::warn!(
                shards.lost = lost.requeued,
                "shards without a live lease went back into the backlog"
            );
        }
        if lost.set_aside > 0 {
            metrics::counter!("tintype_shards_set_aside_total").increment(lost.set_aside);
            tracing::error!(
                shards.set_aside = lost.set_aside,
                "shards were set aside: their workers vanished again and again"
            );
        }
        let now = self.ports.clock.now();
        for (tenant, run) in self.ports.store.due(now, BATCH).await? {
            let looked = self.look_for_picks(tenant, run).await;
            if matches!(looked, Ok(false)) {
                settled(self.change_run(tenant, run, &RunEvent::Resumed).await)?;
            } else {
                settled(looked)?;
            }
        }
        for (tenant, run) in self.ports.store.drained(BATCH).await? {
            settled(self.change_run(tenant, run, &RunEvent::Drained).await)?;
        }
        for (tenant, run) in self.ports.store.stuck(BATCH).await? {
            let event = RunEvent::UserNeeded {
                reason: RunReason {
                    kind: ErrorKind::Internal,
                    message: STUCK.into(),
                },
                retry_at: None,
            };
            settled(self.change_run(tenant, run, &event).await)?;
        }
        Ok(())
    }
}

/// A run that somebody else moved on meanwhile needs nothing more.
fn settled<T>(changed: AppResult<T>) -> AppResult<()> {
    match changed {
        Ok(_) | Err(AppError::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
