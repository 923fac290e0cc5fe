//! A worker reports that it is there, so that the scheduler knows how much it may dispatch.

use tintype_model::WorkerId;
use tintype_ports::store::WorkerReport;
use tokio_util::sync::CancellationToken;

use crate::{App, runs::describe};

impl App {
    /// Reports until `done` is; from `stop` on the worker takes nothing new and no longer counts.
    pub(crate) async fn present(
        &self,
        worker: WorkerId,
        stop: &CancellationToken,
        done: impl Future<Output = ()>,
    ) {
        let reporting = async {
            let report = WorkerReport {
                id: worker,
                name: self.settings.worker_name.clone(),
                slots: u32::try_from(self.settings.slots).unwrap_or(u32::MAX),
            };
            tokio::select! {
                () = self.keep_reporting(&report) => {}
                () = stop.cancelled() => {}
            }
            if let Err(error) = self.ports.store.remove_worker(worker).await {
                tracing::warn!(error = %describe(&error), "a worker could not sign off; it is forgotten by itself");
            }
        };
        tokio::join!(reporting, done);
    }

    async fn keep_reporting(&self, report: &WorkerReport) {
        let ttl = self.settings.lease;
        let mut is_known = false;
        loop {
            match self.ports.store.report_worker(report, ttl).await {
                Ok(()) if !is_known => {
                    is_known = true;
                    self.ports.bell.ring();
                }
                Ok(()) => {}
                Err(error) => {
                    is_known = false;
                    tracing::warn!(error = %describe(&error), "a worker could not report itself");
                }
            }
            tokio::time::sleep(ttl / 4).await;
        }
    }
}
