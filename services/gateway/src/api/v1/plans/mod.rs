//! Plans.

pub(super) mod create;
pub(super) mod get;
pub(super) mod list;
pub(super) mod preflight;
pub(super) mod update;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tintype_model::{
    ArchiveId, PlanId, StorageId,
    plan::{Plan, PlanKind, PlanOptions},
    schedule::Schedule,
};

/// Times that are shown ahead.
const AHEAD: usize = 5;

/// A plan as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    id: PlanId,
    kind: PlanKind,
    name: String,
    source: StorageId,
    destination: StorageId,
    archive: ArchiveId,
    #[serde(flatten)]
    options: PlanOptions,
    schedule: Option<Schedule>,
    /// The next times at which it runs by itself.
    next_runs: Vec<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl View {
    pub(crate) fn of(plan: Plan, now: DateTime<Utc>) -> Self {
        let times = std::iter::successors(plan.next_due(now), |last| plan.next_due(*last));
        Self {
            next_runs: times.take(AHEAD).collect(),
            id: plan.id,
            kind: plan.kind,
            name: plan.name,
            source: plan.source,
            destination: plan.destination,
            archive: plan.archive,
            options: plan.options,
            schedule: plan.schedule,
            created_at: plan.created_at,
        }
    }
}
