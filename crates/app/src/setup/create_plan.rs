//! Makes a plan, after the destination was opened and written to once.

use tintype_model::{
    ArchiveId, PlanId, StorageId, TenantId,
    plan::{Layout, Plan, PlanOptions},
    schedule::Schedule,
    storage::{StorageSettings, checked_name},
};

use crate::{App, AppError, AppResult, steps::Step};

/// A plan to make.
#[derive(Debug, Clone)]
pub struct NewPlan {
    /// Its name: 1 to 100 characters, unique for the tenant.
    pub name: String,
    /// A Google Photos storage.
    pub source: StorageId,
    /// A folder or bucket.
    pub destination: StorageId,
    /// How it writes.
    pub options: PlanOptions,
    /// When it runs by itself; `None`: only when somebody starts it.
    pub schedule: Option<Schedule>,
    /// The archive that is there already, to go on with it; `None` makes a new one.
    pub archive: Option<ArchiveId>,
}

impl App {
    /// Makes the plan: opens or creates the archive at the destination and proves that it can be written.
    ///
    /// # Errors
    /// Settings that do not fit, storages that are not there, or a destination that cannot be used. Nothing is stored then.
    pub async fn create_plan(&self, tenant: TenantId, new: NewPlan) -> AppResult<Plan> {
        let name = checked_name(&new.name)?;
        if self
            .ports
            .store
            .plan_by_name(tenant, &name)
            .await?
            .is_some()
        {
            return Err(AppError::Invalid(format!(
                "name: there is a plan called {name:?} already; choose another"
            )));
        }
        if new.options.layout == Layout::Mirror && !new.options.recipients.is_empty() {
            return Err(AppError::Invalid(
                "recipients: the mirror layout is plain files; choose the archive layout to encrypt".into(),
            ));
        }
        let source = self.storage(tenant, new.source).await?;
        if !matches!(source.settings, StorageSettings::GooglePhotos(_)) {
            return Err(AppError::Invalid(
                "source: a backup reads from a google photos storage".into(),
            ));
        }
        self.refuse_taken_destination(tenant, new.destination)
            .await?;
        let now = self.ports.clock.now();
        // The archive has the destination's own number: if we crash between making the archive and recording the plan, the
        // next attempt finds its own archive there and not a stranger's.
        let own = ArchiveId::from_uuid(new.destination.as_uuid());
        let plan = Plan {
            id: PlanId::new(now, self.ports.entropy.id_bytes()),
            tenant,
            name,
            source: new.source,
            destination: new.destination,
            archive: new.archive.unwrap_or(own),
            options: new.options,
            schedule: new.schedule,
            created_at: now,
        };
        let archive = self.open_archive(&plan, None).await?;
        archive.open_or_create().await?;
        archive.probe().await?;
        self.ports.steps.reached(Step::ArchiveMade);
        let next_due = plan.next_due(now);
        self.ports.store.add_plan(&plan, next_due).await?;
        Ok(plan)
    }

    /// One archive has one history of snapshots, so one plan writes to it.
    async fn refuse_taken_destination(
        &self,
        tenant: TenantId,
        destination: StorageId,
    ) -> AppResult<()> {
        let store = &self.ports.store;
        for storage in store.storages(tenant).await? {
            for plan in store.plans_from(tenant, storage.id).await? {
                if plan.destination == destination {
                    return Err(AppError::Invalid(format!(
                        "destination: the plan {:?} writes there already; connect another folder or prefix",
                        plan.name
                    )));
                }
            }
        }
        Ok(())
    }
}
