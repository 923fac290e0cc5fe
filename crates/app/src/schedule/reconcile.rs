//! The reconciler: puts back what got lost, wakes what has waited long enough, settles pauses.

use tintype_model::run::RunEvent;

use crate::{App, AppResult};

const BATCH: u32 = 100;

impl App {
    /// One look. Each part is harmless when repeated.
    pub(crate) async fn reconcile(&self) -> AppResult<()> {
        let lost = self.ports.store.requeue_lost().await?;
        if lost > 0 {
            tracing::warn!(
                shards.lost = lost,
                "shards without a live lease went back into the backlog"
            );
        }
        let now = self.ports.clock.now();
        for (tenant, run) in self.ports.store.due(now, BATCH).await? {
            self.change_run(tenant, run, &RunEvent::Resumed).await?;
        }
        for (tenant, run) in self.ports.store.drained(BATCH).await? {
            self.change_run(tenant, run, &RunEvent::Drained).await?;
        }
        Ok(())
    }
}
