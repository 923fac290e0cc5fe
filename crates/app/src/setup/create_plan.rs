//! Makes a plan, after what it reads from and writes to was looked at once.

use futures::StreamExt as _;
use tintype_model::{
    ArchiveId, PlanId, StorageId, TenantId,
    plan::{Layout, Plan, PlanKind, PlanOptions, UploadFrom},
    schedule::Schedule,
    storage::{Storage, StorageSettings, checked_name},
};

use crate::{App, AppError, AppResult, steps::Step};

/// A plan to make. What kind it is, its storages decide.
#[derive(Debug, Clone)]
pub struct NewPlan {
    /// Its name: 1 to 100 characters, unique for the tenant.
    pub name: String,
    /// A Google Photos account, or what is uploaded: a folder or bucket.
    pub source: StorageId,
    /// A folder or bucket, or the Google Photos account that is uploaded to.
    pub destination: StorageId,
    /// How it writes.
    pub options: PlanOptions,
    /// When it runs by itself; `None`: only when somebody starts it.
    pub schedule: Option<Schedule>,
    /// The archive that is there already, to go on with it; `None` makes a new one. Only for backups.
    pub archive: Option<ArchiveId>,
}

fn invalid<T>(text: &str) -> AppResult<T> {
    Err(AppError::Invalid(text.to_owned()))
}

/// What a plan between these two does.
fn kind(source: &Storage, destination: &Storage) -> AppResult<PlanKind> {
    let is_google = |it: &Storage| matches!(it.settings, StorageSettings::GooglePhotos(_));
    match (is_google(source), is_google(destination)) {
        (true, false) => Ok(PlanKind::Backup),
        (false, true) => Ok(PlanKind::Upload),
        (true, true) if source.id != destination.id => Ok(PlanKind::Transfer),
        (true, true) => invalid("destination: is the source; choose another account"),
        (false, false) => invalid(
            "source: one of the two is a google photos account; a backup reads from one, an upload writes to one",
        ),
    }
}

impl App {
    /// Makes the plan. A backup's archive is opened or created and proven to be writable; of an upload, what it sends is
    /// looked for.
    ///
    /// # Errors
    /// Settings that do not fit, storages that are not there, or a place that cannot be used. Nothing is stored then.
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
        let source = self.storage(tenant, new.source).await?;
        let destination = self.storage(tenant, new.destination).await?;
        let kind = kind(&source, &destination)?;
        check_options(kind, &new)?;
        let now = self.ports.clock.now();
        // The archive has the destination's own number: if we crash between making the archive and recording the plan, the
        // next attempt finds its own archive there and not a stranger's. That of an upload stands for nothing.
        let own = ArchiveId::from_uuid(new.destination.as_uuid());
        let plan = Plan {
            id: PlanId::new(now, self.ports.entropy.id_bytes()),
            tenant,
            kind,
            name,
            source: new.source,
            destination: new.destination,
            archive: new.archive.unwrap_or(own),
            options: new.options,
            schedule: new.schedule,
            created_at: now,
        };
        match kind {
            PlanKind::Backup => self.prepare_backup(&plan).await?,
            PlanKind::Upload => {
                check_writable(&destination)?;
                self.look_at_source(&plan).await?;
            }
            PlanKind::Transfer => check_writable(&destination)?,
        }
        let next_due = plan.next_due(now);
        self.ports.store.add_plan(&plan, next_due).await?;
        Ok(plan)
    }

    async fn prepare_backup(&self, plan: &Plan) -> AppResult<()> {
        self.refuse_taken_destination(plan.tenant, plan.destination)
            .await?;
        let archive = self.open_archive(plan, None).await?;
        archive.open_or_create().await?;
        archive.probe().await?;
        self.ports.steps.reached(Step::ArchiveMade);
        Ok(())
    }

    /// Whether there is something that the plan can send.
    async fn look_at_source(&self, plan: &Plan) -> AppResult<()> {
        let UploadFrom::Snapshot {
            plan: backup,
            snapshot,
        } = plan.options.upload.unwrap_or_default().from
        else {
            let files = self.open_files(plan, None).await?;
            let mut walk = files.walk().await.map_err(AppError::Source)?;
            let first = walk.next().await.transpose();
            first.map_err(AppError::Source)?;
            return Ok(());
        };
        let backup = self.plan(plan.tenant, backup).await?;
        if backup.kind != PlanKind::Backup || backup.destination != plan.source {
            return invalid(
                "upload.plan: is no backup to this source; choose the plan that writes there",
            );
        }
        if !backup.options.recipients.is_empty() {
            return invalid(
                "upload.plan: its archive is encrypted for a key that only you have; restore it to a folder and upload that",
            );
        }
        let archive = self.open_uploaded_archive(plan, None).await?;
        let there = archive.snapshots().await.map_err(AppError::Source)?;
        match snapshot {
            Some(id) if !there.contains(&id) => Err(AppError::Invalid(format!(
                "upload.snapshot: there is no {id} in the archive; choose one of its {} snapshots",
                there.len()
            ))),
            _ => Ok(()),
        }
    }

    /// One archive has one history of snapshots, so one plan writes to it.
    async fn refuse_taken_destination(
        &self,
        tenant: TenantId,
        destination: StorageId,
    ) -> AppResult<()> {
        let plans = self.ports.store.plans(tenant).await?;
        match plans.iter().find(|plan| plan.destination == destination) {
            Some(plan) => Err(AppError::Invalid(format!(
                "destination: the plan {:?} writes there already; connect another folder or prefix",
                plan.name
            ))),
            None => Ok(()),
        }
    }
}

/// Options that say nothing about a plan of this kind are a misunderstanding.
fn check_options(kind: PlanKind, new: &NewPlan) -> AppResult<()> {
    let options = &new.options;
    if options.layout == Layout::Mirror && !options.recipients.is_empty() {
        return invalid(
            "recipients: the mirror layout is plain files; choose the archive layout to encrypt",
        );
    }
    if kind == PlanKind::Backup {
        return match options.upload {
            Some(_) => {
                invalid("upload: says how a plan writes to google photos; this one reads from it")
            }
            None => Ok(()),
        };
    }
    if options.layout != Layout::default() {
        return invalid("layout: says how an archive is written; google photos has none");
    }
    if !options.recipients.is_empty() {
        return invalid("recipients: say how an archive is encrypted; google photos has none");
    }
    if new.archive.is_some() {
        return invalid(
            "archive: only a backup goes on with one; name the backup and its snapshot instead",
        );
    }
    let from = options.upload.unwrap_or_default().from;
    if kind == PlanKind::Transfer && from != UploadFrom::Files {
        return invalid("upload.from: a transfer sends what is in the account; leave it out");
    }
    Ok(())
}

fn check_writable(destination: &Storage) -> AppResult<()> {
    match &destination.settings {
        StorageSettings::GooglePhotos(settings) if settings.read_only => invalid(
            "destination: the account is read only; switch that off and connect it again, or choose another",
        ),
        _ => Ok(()),
    }
}
