//! Plans whose time has come become runs.

use tintype_ports::StoreError;

use crate::{App, AppError, AppResult, runs::RunChoice};

/// Plans looked at in one go.
const BATCH: u32 = 50;

impl App {
    /// Starts a run of every plan that is due. Times that were missed are made up for with one run. A plan whose last run has
    /// not ended is passed over until its next time: two runs of one plan would only do the same twice.
    pub(super) async fn start_due(&self) -> AppResult<u64> {
        let mut started = 0;
        for (plan, due_at) in self.ports.store.due_plans(BATCH).await? {
            let now = self.ports.store.time().await?;
            let next = plan.schedule.as_ref().and_then(|it| it.next_after(now));
            match self
                .start_run(plan.tenant, plan.id, RunChoice::Routine)
                .await
            {
                Ok(run) => {
                    started += 1;
                    tracing::info!(run.id = %run.id, plan.id = %plan.id, "a scheduled run began");
                }
                Err(AppError::Store(StoreError::Conflict(_))) => {
                    tracing::info!(plan.id = %plan.id, "the plan is due, but its last run has not ended");
                }
                Err(error) => return Err(error),
            }
            // After the run: a crash in between finds the run there, and moves on.
            self.ports.store.move_due(&plan, due_at, next).await?;
        }
        Ok(started)
    }
}
