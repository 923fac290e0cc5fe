//! When a run will be done, by what is left of it, of the quota, and by how fast it went so far.

use std::collections::{HashMap, HashSet};

use tintype_model::{
    RunId, TenantId,
    forecast::{Budget, Forecast, Share, Work, forecast},
    plan::PlanKind,
    progress::Progress,
    quota::{CloudProject, QuotaKind, QuotaLimits},
    run::{Run, RunState},
    storage::{Storage, StorageSettings},
};

use tintype_ports::store::RunFilter;

use crate::{App, AppResult};

/// Items whose addresses one call fetches.
const ITEMS_A_CALL: u64 = 50;

/// Below this there is no speed to speak of, in seconds.
const SHORTEST: f64 = 1.0;

/// Runs of a tenant that a forecast looks at, at most; a plan has one that is not over.
const MOST_RUNS: u32 = 1_000;

/// Items whose bytes are still to be had.
const fn left_of(progress: &Progress) -> u64 {
    progress
        .queued
        .saturating_sub(progress.stored + progress.failed)
}

const fn work(kind: PlanKind, items: u64) -> Work {
    let calls = items.div_ceil(ITEMS_A_CALL);
    match kind {
        PlanKind::Backup => Work {
            items,
            requests: calls,
        },
        PlanKind::Upload | PlanKind::Transfer => Work {
            items: 0,
            requests: items + calls,
        },
    }
}

impl App {
    /// The forecast for what the run has found so far; while its listing goes on there may be more. `None` when the run is over,
    /// waits for a person, or is never done with this quota.
    ///
    /// # Errors
    /// The run is not there, or store or quota cannot be asked.
    pub async fn foresee(&self, tenant: TenantId, run: RunId) -> AppResult<Option<Forecast>> {
        let run = self.run(tenant, run).await?;
        if !run.status.state.is_runnable() && run.status.state != RunState::WaitingQuota {
            return Ok(None);
        }
        let plan = self.plan(tenant, run.plan).await?;
        let account = self.storage(tenant, plan.account()).await?;
        let StorageSettings::GooglePhotos(account) = account.settings else {
            return Ok(None);
        };
        let progress = self.ports.store.progress(tenant, run.id).await?;
        let work = work(plan.kind, left_of(&progress));
        let budget = self.budget(&account.project).await?;
        let share = self.share(tenant).await?;
        let pace = self.pace(&run, progress.stored);
        let now = self.ports.clock.now();
        Ok(forecast(now, work, budget, share, pace))
    }

    /// The forecast for all runs of the tenant that spend the cloud project's quota and go on by themselves, for what they have
    /// found so far. `None` when they are never done with this quota.
    ///
    /// # Errors
    /// Store or quota cannot be asked.
    pub async fn foresee_project(
        &self,
        tenant: TenantId,
        project: &CloudProject,
    ) -> AppResult<Option<Forecast>> {
        let store = &self.ports.store;
        let storages = store.storages(tenant).await?;
        let spends = |storage: &Storage| matches!(&storage.settings, StorageSettings::GooglePhotos(it) if it.project == *project);
        let accounts: HashSet<_> = storages
            .iter()
            .filter(|it| spends(it))
            .map(|it| it.id)
            .collect();
        let plans = store.plans(tenant).await?.into_iter();
        let spending = plans.filter(|plan| accounts.contains(&plan.account()));
        let plans: HashMap<_, _> = spending.map(|plan| (plan.id, plan.kind)).collect();
        let going_on = RunFilter {
            plan: None,
            states: vec![RunState::Queued, RunState::Running, RunState::WaitingQuota],
        };
        let runs = store.runs_of_tenant(tenant, &going_on, None, MOST_RUNS);
        let mut left = Work {
            items: 0,
            requests: 0,
        };
        for run in runs.await? {
            if let Some(kind) = plans.get(&run.plan) {
                let more = work(*kind, left_of(&store.progress(tenant, run.id).await?));
                left.items += more.items;
                left.requests += more.requests;
            }
        }
        let budget = self.budget(project).await?;
        let share = self.share(tenant).await?;
        let now = self.ports.clock.now();
        Ok(forecast(now, left, budget, share, None))
    }

    pub(super) async fn budget(&self, project: &CloudProject) -> AppResult<Budget> {
        let quota = &self.ports.quota;
        let requests = quota.standing(project, QuotaKind::Request).await?;
        let downloads = quota.standing(project, QuotaKind::Download).await?;
        Ok(Budget {
            left_today: QuotaLimits {
                requests_per_day: requests.limit.saturating_sub(requests.leased),
                downloads_per_day: downloads.limit.saturating_sub(downloads.leased),
            },
            per_day: QuotaLimits {
                requests_per_day: requests.limit,
                downloads_per_day: downloads.limit,
            },
        })
    }

    /// Items a second since the run began; nothing is known while it waits, because the wait is no pace.
    fn pace(&self, run: &Run, stored: u64) -> Option<f64> {
        let seconds = (self.ports.clock.now() - run.created_at).as_seconds_f64();
        let is_at_work = run.status.state == RunState::Running;
        (is_at_work && seconds >= SHORTEST).then(|| stored as f64 / seconds)
    }

    /// The tenant's part, beside all others that have work now.
    pub(super) async fn share(&self, tenant: TenantId) -> AppResult<Share> {
        let weight = self.tenant(tenant).await?.weight;
        let backlog = self.ports.store.backlog().await?;
        let others = backlog.iter().filter(|it| it.tenant != tenant);
        let of = others.map(|it| u64::from(it.weight)).sum::<u64>() + u64::from(weight);
        Ok(Share { weight, of })
    }
}
