//! Starts a run of a plan.

use tintype_model::{
    PlanId, RunId, ShardId, TenantId,
    plan::{Plan, PlanKind},
    run::{Run, RunMode, RunState, RunStatus},
    shard::{Shard, ShardKind},
    storage::StorageSettings,
    trace::TraceParent,
};

use tracing::Instrument as _;

use crate::{App, AppError, AppResult, steps::Step};

/// Runs that are looked back at to find the last full one.
const LOOK_BACK: u32 = 50;

/// How much of the library to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunChoice {
    /// Everything.
    Full,
    /// What is new; becomes full when the plan has no full run that ended well among its last runs.
    Routine,
    /// What a person picks.
    Picks,
}

impl App {
    /// Starts a run: writes it and its first shard, and rings the scheduler.
    ///
    /// # Errors
    /// The plan is not there, or has a run that is not over.
    pub async fn start_run(
        &self,
        tenant: TenantId,
        plan: PlanId,
        choice: RunChoice,
    ) -> AppResult<Run> {
        self.start_asked_run(tenant, plan, choice, None).await
    }

    /// The same for somebody who says where in a trace the run belongs. The run keeps that where this process records no trace
    /// of its own.
    ///
    /// # Errors
    /// As [`Self::start_run`].
    pub async fn start_asked_run(
        &self,
        tenant: TenantId,
        plan: PlanId,
        choice: RunChoice,
        asked_in: Option<TraceParent>,
    ) -> AppResult<Run> {
        // Everything that the run does goes on from here, in whatever process and however much later.
        let span = tracing::info_span!(
            "run.start",
            tenant.id = %tenant,
            plan.id = %plan,
            run.id = tracing::field::Empty,
            run.mode = tracing::field::Empty,
        );
        let started = self.begin_run(tenant, plan, choice, asked_in);
        started.instrument(span).await
    }

    async fn begin_run(
        &self,
        tenant: TenantId,
        plan: PlanId,
        choice: RunChoice,
        asked_in: Option<TraceParent>,
    ) -> AppResult<Run> {
        let plan = self.plan(tenant, plan).await?;
        let mode = match choice {
            RunChoice::Full => RunMode::Full,
            RunChoice::Picks if plan.kind == PlanKind::Backup => RunMode::Picks,
            RunChoice::Picks => {
                let text = "mode: only a backup can be made of what a person picks";
                return Err(AppError::Invalid(text.into()));
            }
            // Files have no order by which the newest come first.
            RunChoice::Routine if plan.kind == PlanKind::Upload => RunMode::Full,
            RunChoice::Routine if self.has_full_run(&plan).await? => RunMode::Routine,
            RunChoice::Routine => RunMode::Full,
        };
        let now = self.ports.clock.now();
        let run = Run {
            id: RunId::new(now, self.ports.entropy.id_bytes()),
            tenant,
            plan: plan.id,
            mode,
            status: RunStatus::plain(RunState::Queued),
            snapshot: None,
            trace: self.ports.traces.current().or(asked_in),
            created_at: now,
            ended_at: None,
        };
        let span = tracing::Span::current();
        span.record("run.id", tracing::field::display(run.id));
        span.record("run.mode", tracing::field::debug(mode));
        let listing = Shard {
            id: ShardId::new(now, self.ports.entropy.id_bytes()),
            tenant,
            run: run.id,
            plan: plan.id,
            kind: ShardKind::Enumerate,
            items: 1,
        };
        self.ports.store.start_run(&run, &listing).await?;
        self.ports.steps.reached(Step::RunStarted);
        self.ports.bell.ring();
        Ok(run)
    }

    /// Whether a full run ended well lately, and saw the part of the library that is wanted now.
    async fn has_full_run(&self, plan: &Plan) -> AppResult<bool> {
        let source = self.storage(plan.tenant, plan.source).await?;
        let changed_at = match source.settings {
            StorageSettings::GooglePhotos(settings) => settings.listing_changed_at,
            StorageSettings::LocalFolder { .. } | StorageSettings::S3(_) => None,
        };
        let runs = self
            .ports
            .store
            .runs(plan.tenant, plan.id, LOOK_BACK)
            .await?;
        let ended_well =
            |run: &Run| matches!(run.status.state, RunState::Succeeded | RunState::Partial);
        Ok(runs.iter().any(|run| {
            run.mode == RunMode::Full
                && ended_well(run)
                && changed_at.is_none_or(|changed_at| run.created_at > changed_at)
        }))
    }
}
