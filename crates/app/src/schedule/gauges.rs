//! What the leading scheduler shows of the whole install.

use chrono::{DateTime, Utc};
use metrics::gauge;
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
        } = store.load().await?;
        gauge!("tintype_workers").set(workers as f64);
        gauge!("tintype_worker_slots").set(slots as f64);
        gauge!("tintype_shards_in_flight").set(in_flight as f64);
        for (state, count) in store.open_runs().await? {
            gauge!("tintype_runs", "state" => state.as_str()).set(count as f64);
        }
        let oldest = store.open_leases(OLDEST).await?;
        let oldest = oldest.first().map(|lease| lease.leased_at);
        gauge!("tintype_lease_oldest_seconds").set(age(oldest, self.ports.clock.now()));
        Ok(())
    }
}
