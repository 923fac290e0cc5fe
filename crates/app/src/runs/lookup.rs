//! Finding what belongs to a run, with errors that name it.

use std::sync::Arc;

use tintype_model::{
    PlanId, RunId, StorageId, TenantId,
    plan::Plan,
    run::Run,
    storage::{Storage, StorageSettings},
};
use tintype_ports::{Archive, archive::ArchiveSpec, vault::Grant};

use crate::{App, AppError, AppResult};

impl App {
    /// The storage, which must be there.
    pub(crate) async fn storage(&self, tenant: TenantId, id: StorageId) -> AppResult<Storage> {
        let found = self.ports.store.storage(tenant, id).await?;
        found.ok_or_else(|| AppError::NotFound(format!("storage {id}")))
    }

    /// The plan, which must be there.
    pub(crate) async fn plan(&self, tenant: TenantId, id: PlanId) -> AppResult<Plan> {
        let found = self.ports.store.plan(tenant, id).await?;
        found.ok_or_else(|| AppError::NotFound(format!("plan {id}")))
    }

    /// The run, which must be there.
    pub(crate) async fn run(&self, tenant: TenantId, id: RunId) -> AppResult<Run> {
        let found = self.ports.store.run(tenant, id).await?;
        found.ok_or_else(|| AppError::NotFound(format!("run {id}")))
    }

    /// The plan's archive, with keys from the vault.
    pub(crate) async fn open_archive(
        &self,
        plan: &Plan,
        run: Option<RunId>,
    ) -> AppResult<Arc<dyn Archive>> {
        let destination = self.storage(plan.tenant, plan.destination).await?;
        let grant = Grant {
            tenant: plan.tenant,
            storage: destination.id,
            run,
            purpose: "write".into(),
        };
        let keys = match destination.settings {
            StorageSettings::S3(_) => Some(self.ports.vault.bucket_keys(&grant).await?),
            StorageSettings::LocalFolder { .. } | StorageSettings::GooglePhotos(_) => None,
        };
        let signing_key = self
            .ports
            .vault
            .signing_key(&Grant {
                purpose: "sign".into(),
                ..grant
            })
            .await?;
        let spec = ArchiveSpec {
            place: destination.settings,
            keys,
            archive: plan.archive,
            options: plan.options.clone(),
            signing_key,
        };
        Ok(self.ports.archives.open(spec).await?)
    }
}
