//! Replaces the credential of a Google Photos storage and lets the runs go on that waited for it.

use secrecy::SecretString;
use tintype_model::{
    StorageId, TenantId,
    plan::Plan,
    run::{RunEvent, RunState},
};
use tintype_ports::vault::Secret;

use super::sign_in::refuse_other_project;
use crate::{App, AppResult};

impl App {
    /// Puts a new credential in place. Runs that waited for it resume where they were.
    ///
    /// # Errors
    /// The storage is not there or no Google Photos account, the client is of another cloud project than the storage's
    /// (Google would count its calls there), or store or vault fail.
    pub async fn reauthorise(
        &self,
        tenant: TenantId,
        storage: StorageId,
        client_id: String,
        client_secret: SecretString,
        refresh_token: SecretString,
    ) -> AppResult<()> {
        let settings = self.account_settings(tenant, storage).await?;
        refuse_other_project(&settings, &client_id)?;
        let secret = Secret::Google {
            client_id,
            client_secret,
            refresh_token,
        };
        self.ports.vault.put(tenant, storage, secret).await?;
        self.wake_waiting(tenant, storage).await
    }

    /// Runs that waited for a credential of this storage go on.
    pub(super) async fn wake_waiting(&self, tenant: TenantId, storage: StorageId) -> AppResult<()> {
        let plans = self.ports.store.plans(tenant).await?;
        let needs = |plan: &&Plan| plan.source == storage || plan.destination == storage;
        for plan in plans.iter().filter(needs) {
            for run in self.ports.store.runs(tenant, plan.id, 1).await? {
                if run.status.state == RunState::WaitingAuth {
                    self.change_run(tenant, run.id, &RunEvent::Resumed).await?;
                }
            }
        }
        self.ports.bell.ring();
        Ok(())
    }
}
