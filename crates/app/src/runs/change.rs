//! Every change of a run's state goes through its state machine and a compare-and-set.

use tintype_model::{
    RunId, TenantId,
    run::{RunEvent, RunStatus},
};
use tintype_ports::{StoreError, events::Event};

use crate::{App, AppError, AppResult};

/// Somebody else changing the same run at the same moment is rare; more often than this in a row it is a defect.
const ATTEMPTS: u32 = 16;

/// An error with all its causes in one line, for reasons that people read.
#[must_use]
pub fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

impl App {
    /// Applies the event and tells whoever watches.
    pub(crate) async fn change_run(
        &self,
        tenant: TenantId,
        id: RunId,
        event: &RunEvent,
    ) -> AppResult<RunStatus> {
        for _ in 0..ATTEMPTS {
            let run = self.run(tenant, id).await?;
            let next = run.status.after(event.clone())?;
            if next == run.status {
                return Ok(next);
            }
            let now = self.ports.clock.now();
            if self
                .ports
                .store
                .set_run_status(tenant, id, run.status.state, &next, now)
                .await?
            {
                tracing::info!(run.id = %id, run.state = next.state.as_str(), "run changed");
                self.ports
                    .events
                    .publish(
                        tenant,
                        Event::RunChanged {
                            run: id,
                            status: next.clone(),
                        },
                    )
                    .await?;
                self.bell.notify_one();
                return Ok(next);
            }
        }
        Err(AppError::Store(StoreError::Conflict(format!(
            "run {id} keeps changing"
        ))))
    }

    /// Tells whoever watches how far the run is.
    pub(crate) async fn publish_progress(&self, tenant: TenantId, run: RunId) -> AppResult<()> {
        let progress = self.ports.store.progress(tenant, run).await?;
        self.ports
            .events
            .publish(tenant, Event::RunProgressed { run, progress })
            .await?;
        Ok(())
    }
}
