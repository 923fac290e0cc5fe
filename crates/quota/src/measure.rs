//! What the quota counters tell the metrics. Cloud projects are few, so they may be labels.

use metrics::{counter, gauge};
use tintype_model::quota::{CloudProject, QuotaKind};

/// Units that were spent.
pub(crate) fn spent(project: &CloudProject, kind: QuotaKind, units: u64) {
    if units > 0 {
        counter!("tintype_quota_spent_total", "project" => project.to_string(), "kind" => kind.as_str())
            .increment(units);
    }
}

/// Units of the day that nobody has leased yet, of how many.
pub(crate) fn left(project: &CloudProject, kind: QuotaKind, units: u64, limit: u64) {
    gauge!("tintype_quota_left", "project" => project.to_string(), "kind" => kind.as_str())
        .set(units as f64);
    gauge!("tintype_quota_limit", "project" => project.to_string(), "kind" => kind.as_str())
        .set(limit as f64);
}

/// A question to Redis.
pub(crate) fn round_trip() {
    counter!("tintype_quota_round_trips_total").increment(1);
}

/// A pool that was lost, or could not be trusted, and was begun anew from the ledger.
pub(crate) fn rebuild() {
    counter!("tintype_quota_rebuilds_total").increment(1);
}
