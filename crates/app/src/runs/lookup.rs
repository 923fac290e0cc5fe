//! Finding what belongs to a run, with errors that name it.

use std::sync::Arc;

use tintype_model::{
    PlanId, RunId, SnapshotId, StorageId, TenantId,
    plan::{Plan, UploadFrom},
    run::Run,
    storage::{Storage, StorageSettings},
};
use tintype_ports::{
    Archive, Files,
    archive::ArchiveSpec,
    vault::{BucketKeys, Grant},
};

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

    /// The archive of a backup, with keys from the vault.
    pub(crate) async fn open_archive(
        &self,
        plan: &Plan,
        run: Option<RunId>,
    ) -> AppResult<Arc<dyn Archive>> {
        self.archive_of(plan, run, "write").await
    }

    /// The archive whose snapshot an upload sends.
    pub(crate) async fn open_uploaded_archive(
        &self,
        plan: &Plan,
        run: Option<RunId>,
    ) -> AppResult<Arc<dyn Archive>> {
        let backup = self.plan_uploaded(plan).await?.ok_or_else(sends_files)?;
        self.open_to_read(&backup, run).await
    }

    /// The archive of a backup, for somebody who only reads it.
    pub(crate) async fn open_to_read(
        &self,
        backup: &Plan,
        run: Option<RunId>,
    ) -> AppResult<Arc<dyn Archive>> {
        self.archive_of(backup, run, "read").await
    }

    /// The backup whose snapshot an upload sends; `None` when it sends files.
    pub(crate) async fn plan_uploaded(&self, plan: &Plan) -> AppResult<Option<Plan>> {
        match plan.options.upload.unwrap_or_default().from {
            UploadFrom::Files => Ok(None),
            UploadFrom::Snapshot { plan: backup, .. } => {
                self.plan(plan.tenant, backup).await.map(Some)
            }
        }
    }

    /// The snapshot that an upload sends: the one that it names, else the newest.
    pub(crate) async fn snapshot_to_upload(&self, plan: &Plan) -> AppResult<SnapshotId> {
        match plan.options.upload.unwrap_or_default().from {
            UploadFrom::Files => Err(sends_files()),
            UploadFrom::Snapshot {
                snapshot: Some(id), ..
            } => Ok(id),
            UploadFrom::Snapshot { plan: backup, .. } => {
                let store = &self.ports.store;
                let latest = store.latest_snapshot(plan.tenant, backup).await?;
                let latest = latest.ok_or_else(|| {
                    AppError::Invalid(
                        "upload.snapshot: the backup has none yet; let it run first".into(),
                    )
                })?;
                Ok(latest.id)
            }
        }
    }

    /// The files that an upload sends, with keys from the vault.
    pub(crate) async fn open_files(
        &self,
        plan: &Plan,
        run: Option<RunId>,
    ) -> AppResult<Arc<dyn Files>> {
        let source = self.storage(plan.tenant, plan.source).await?;
        let keys = self.keys_of(&source, run, "read").await?;
        Ok(self.ports.archives.files(source.settings, keys).await?)
    }

    async fn keys_of(
        &self,
        storage: &Storage,
        run: Option<RunId>,
        purpose: &str,
    ) -> AppResult<Option<BucketKeys>> {
        let grant = Grant {
            tenant: storage.tenant,
            storage: storage.id,
            run,
            purpose: purpose.into(),
        };
        Ok(match storage.settings {
            StorageSettings::S3(_) => Some(self.ports.vault.bucket_keys(&grant).await?),
            StorageSettings::LocalFolder { .. } | StorageSettings::GooglePhotos(_) => None,
        })
    }

    async fn archive_of(
        &self,
        plan: &Plan,
        run: Option<RunId>,
        purpose: &str,
    ) -> AppResult<Arc<dyn Archive>> {
        let destination = self.storage(plan.tenant, plan.destination).await?;
        let keys = self.keys_of(&destination, run, purpose).await?;
        let signing_key = self
            .ports
            .vault
            .signing_key(&Grant {
                tenant: plan.tenant,
                storage: destination.id,
                run,
                purpose: "sign".into(),
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

fn sends_files() -> AppError {
    AppError::Invalid("upload.from: the plan sends files, not a snapshot".into())
}
