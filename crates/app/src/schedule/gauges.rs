//! What the leading scheduler shows of the whole install.

use chrono::{DateTime, Utc};
use metrics::gauge;
use tintype_model::run::RunState;
use tintype_ports::store::{Backlog, Load};

use crate::{App, AppResult};

/// Rows looked at for the age of leases.
const OLDEST: u32 = 1;

/// What waits, and for how long.
#[expect(clippy::cast_precision_loss, reason = "a gauge is approximate")]
pub(super) fn backlog(backlog: &[Backlog], now: DateTime<Utc>) {
    let items: u64 = backlog.iter().map(|it| it.items).sum();
    let oldest = backlog.iter().map(|it| it.oldest).min();
    gauge!("tintype_backlog_items").set(items as f64);
    gauge!("tintype_backlog_oldest_seconds").set(age(oldest, now));
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is approximate")]
fn age(since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> f64 {
    since.map_or(0.0, |at| (now - at).num_milliseconds().max(0) as f64 / 1e3)
}

impl App {
    /// Runs, leases, workers.
    #[expect(clippy::cast_precision_loss, reason = "a gauge is approximate")]
    pub(super) async fn show_standing(&self) -> AppResult<()> {
        let store = &self.ports.store;
        let Load {
            workers,
            slots,
            in_flight,
            first_overdue_at,
        } = store.load().await?;
        gauge!("tintype_workers").set(workers as f64);
        gauge!("tintype_worker_slots").set(slots as f64);
        gauge!("tintype_shards_in_flight").set(in_flight as f64);
        let dispatched_at = first_overdue_at.map(|at| at - self.settings.dispatch_patience);
        let now = self.ports.clock.now();
        gauge!("tintype_dispatched_oldest_seconds").set(age(dispatched_at, now));
        let open = store.open_runs().await?;
        // States without a run too, or what was said of them last would stand for ever.
        for state in RunState::ALL.into_iter().filter(|it| !it.is_final()) {
            let count = open.iter().find(|it| it.0 == state).map_or(0, |it| it.1);
            gauge!("tintype_runs", "state" => state.as_str()).set(count as f64);
        }
        let oldest = store.open_leases(OLDEST).await?;
        let oldest = oldest.first().map(|lease| lease.leased_at);
        gauge!("tintype_lease_oldest_seconds").set(age(oldest, now));
        Ok(())
    }
}
