//! When a run will be done, by what is left of it, of the quota, and by how fast it went so far.

use tintype_model::{
    RunId, TenantId,
    forecast::{Budget, Forecast, Share, Work, forecast},
    quota::{QuotaKind, QuotaLimits},
    run::{Run, RunState},
    storage::StorageSettings,
};

use crate::{App, AppResult};

/// Items whose addresses one call fetches.
const ITEMS_A_CALL: u64 = 50;

/// Below this there is no speed to speak of, in seconds.
const SHORTEST: f64 = 1.0;

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
        let StorageSettings::GooglePhotos(source) =
            self.storage(tenant, plan.source).await?.settings
        else {
            return Ok(None);
        };
        let progress = self.ports.store.progress(tenant, run.id).await?;
        let items = progress
            .queued
            .saturating_sub(progress.stored + progress.failed);
        let quota = &self.ports.quota;
        let requests = quota.standing(&source.project, QuotaKind::Request).await?;
        let downloads = quota.standing(&source.project, QuotaKind::Download).await?;
        let budget = Budget {
            left_today: QuotaLimits {
                requests_per_day: requests.limit.saturating_sub(requests.leased),
                downloads_per_day: downloads.limit.saturating_sub(downloads.leased),
            },
            per_day: QuotaLimits {
                requests_per_day: requests.limit,
                downloads_per_day: downloads.limit,
            },
        };
        let work = Work {
            items,
            requests: items.div_ceil(ITEMS_A_CALL),
        };
        let now = self.ports.clock.now();
        let share = self.share(tenant).await?;
        Ok(forecast(
            now,
            work,
            budget,
            share,
            self.pace(&run, progress.stored),
        ))
    }

    /// Items a second since the run began; nothing is known while it waits, because the wait is no pace.
    fn pace(&self, run: &Run, stored: u64) -> Option<f64> {
        let seconds = (self.ports.clock.now() - run.created_at).as_seconds_f64();
        let is_at_work = run.status.state == RunState::Running;
        (is_at_work && seconds >= SHORTEST).then(|| stored as f64 / seconds)
    }

    /// The tenant's part, beside all others that have work now.
    async fn share(&self, tenant: TenantId) -> AppResult<Share> {
        let weight = self.tenant(tenant).await?.weight;
        let backlog = self.ports.store.backlog().await?;
        let others = backlog.iter().filter(|it| it.tenant != tenant);
        let of = others.map(|it| u64::from(it.weight)).sum::<u64>() + u64::from(weight);
        Ok(Share { weight, of })
    }
}
