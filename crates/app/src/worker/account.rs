//! The Google account that a shard works on.

use std::sync::Arc;

use tintype_model::{
    StorageId,
    plan::Plan,
    shard::Lease,
    storage::{GooglePhotosSettings, StorageSettings},
};
use tintype_ports::vault::Grant;

use super::gate::Gate;
use crate::{App, AppError, AppResult};

/// What a shard's work needs of the plan around it.
pub(crate) struct Account {
    pub(crate) plan: Plan,
    pub(crate) storage: StorageId,
    pub(crate) settings: GooglePhotosSettings,
    pub(crate) gate: Arc<Gate>,
}

impl App {
    /// A Google account of the plan, behind a gate of this shard's own.
    pub(crate) async fn account(
        &self,
        lease: &Lease,
        plan: Plan,
        storage: StorageId,
        purpose: &str,
    ) -> AppResult<Account> {
        let tenant = lease.shard.tenant;
        let found = self.storage(tenant, storage).await?;
        let StorageSettings::GooglePhotos(settings) = found.settings else {
            return Err(AppError::Invalid(format!(
                "storage {storage} is no google photos account; make a new plan"
            )));
        };
        let grant = Grant {
            tenant,
            storage,
            run: Some(lease.shard.run),
            purpose: purpose.into(),
        };
        let gate = Arc::new(Gate::new(self, grant, settings.project.clone()));
        Ok(Account {
            plan,
            storage,
            settings,
            gate,
        })
    }
}
