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
                let changed = Event::RunChanged {
                    run: id,
                    status: next.clone(),
                };
                self.tell(tenant, changed).await;
                self.ports.bell.ring();
                return Ok(next);
            }
        }
        Err(AppError::Store(StoreError::Conflict(format!(
            "run {id} keeps changing"
        ))))
    }

    /// Tells whoever watches how far the run is.
    pub(crate) async fn publish_progress(&self, tenant: TenantId, run: RunId) {
        match self.ports.store.progress(tenant, run).await {
            Ok(progress) => {
                self.tell(tenant, Event::RunProgressed { run, progress })
                    .await;
            }
            Err(error) => {
                tracing::debug!(error = %describe(&error), "progress could not be read");
            }
        }
    }

    /// Losing the bus loses nothing but sight, so it never stops the work.
    async fn tell(&self, tenant: TenantId, event: Event) {
        if let Err(error) = self.ports.events.publish(tenant, event).await {
            tracing::debug!(error = %describe(&error), "an event could not be published");
        }
    }
}
