//! Replaces the credential of a Google Photos storage and lets the runs go on that waited for it.

use secrecy::SecretString;
use tintype_model::{
    StorageId, TenantId,
    credential::ClientId,
    run::{RunEvent, RunState},
    storage::StorageSettings,
};
use tintype_ports::vault::Secret;

use crate::{App, AppError, AppResult};

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
        let found = self.storage(tenant, storage).await?;
        let StorageSettings::GooglePhotos(settings) = found.settings else {
            return Err(AppError::Invalid(
                "storage: only a google photos storage can be authorised again".into(),
            ));
        };
        let client =
            ClientId::parse(&client_id).map_err(|error| AppError::Invalid(error.to_string()))?;
        if settings.project != *client.project() {
            return Err(AppError::Invalid(format!(
                "client_id: belongs to cloud project {}, the storage to {}; connect a new storage for another project",
                client.project(),
                settings.project
            )));
        }
        let secret = Secret::Google {
            client_id,
            client_secret,
            refresh_token,
        };
        self.ports.vault.put(tenant, storage, secret).await?;
        for plan in self.ports.store.plans_from(tenant, storage).await? {
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
