//! Pause, resume, cancel: what a person may ask of a run.

use tintype_model::{
    RunId, TenantId,
    run::{RunEvent, RunStatus},
};

use crate::{App, AppResult};

impl App {
    /// Asks the run to rest. Workers finish what they are downloading and hand their shards back.
    ///
    /// # Errors
    /// The run is not there or is over.
    pub async fn pause_run(&self, tenant: TenantId, run: RunId) -> AppResult<RunStatus> {
        self.change_run(tenant, run, &RunEvent::PauseAsked).await
    }

    /// Lets a paused or waiting run go on where it was.
    ///
    /// # Errors
    /// The run is not there or is over.
    pub async fn resume_run(&self, tenant: TenantId, run: RunId) -> AppResult<RunStatus> {
        self.change_run(tenant, run, &RunEvent::Resumed).await
    }

    /// Ends the run now. What it stored stays and is not copied again by the next run.
    ///
    /// # Errors
    /// The run is not there or is over.
    pub async fn cancel_run(&self, tenant: TenantId, run: RunId) -> AppResult<RunStatus> {
        self.change_run(tenant, run, &RunEvent::CancelAsked).await
    }
}
