//! Runs.

pub(super) mod failures;
pub(super) mod get;
pub(super) mod list;
pub(super) mod start;
pub(super) mod steer;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tintype_model::{
    PlanId, RunId, SnapshotId,
    run::{Run, RunMode, RunState, RunStatus},
};

/// A run as a list shows it.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    pub(crate) id: RunId,
    plan: PlanId,
    mode: RunMode,
    #[serde(flatten)]
    status: Status,
    snapshot: Option<SnapshotId>,
    created_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

/// Where a run stands.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    state: RunState,
    /// Why it waits or failed.
    reason: Option<Reason>,
    /// When it goes on by itself.
    resumes_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize)]
struct Reason {
    code: &'static str,
    message: String,
}

impl From<RunStatus> for Status {
    fn from(it: RunStatus) -> Self {
        Self {
            state: it.state,
            reason: it.reason.map(|reason| Reason {
                code: reason.kind.code(),
                message: reason.message,
            }),
            resumes_at: it.resumes_at,
        }
    }
}

impl From<Run> for View {
    fn from(it: Run) -> Self {
        Self {
            id: it.id,
            plan: it.plan,
            mode: it.mode,
            status: it.status.into(),
            snapshot: it.snapshot,
            created_at: it.created_at,
            ended_at: it.ended_at,
        }
    }
}
