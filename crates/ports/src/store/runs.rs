//! Runs, their shards and the fenced leases on them.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tintype_model::{
    PlanId, RunId, ShardId, TenantId, WorkerId,
    progress::Progress,
    run::{Run, RunState, RunStatus},
    shard::{Lease, Shard},
};

use super::StoreResult;

/// Runs.
#[async_trait]
pub trait Runs: Send + Sync {
    /// Writes a run and its first shard (kind enumerate, ready) in one transaction.
    /// [`StoreError::Conflict`] when the plan has a run that is not final.
    async fn start_run(&self, run: &Run, first: &Shard) -> StoreResult<()>;
    /// A run by id.
    async fn run(&self, tenant: TenantId, id: RunId) -> StoreResult<Option<Run>>;
    /// The plan's runs, newest first, at most `limit`.
    async fn runs(&self, tenant: TenantId, plan: PlanId, limit: u32) -> StoreResult<Vec<Run>>;
    /// Changes the status if the state is still `from`; `false` when it is not. A final state gets `ended_at` = `now`
    /// and ends all shards of the run that are not done (their leases are lost).
    async fn set_run_status(
        &self,
        tenant: TenantId,
        id: RunId,
        from: RunState,
        to: &RunStatus,
        now: DateTime<Utc>,
    ) -> StoreResult<bool>;
    /// Those of the tenant's runs that `which` lets through, newest first, those before `before` only, at most `limit`.
    async fn runs_of_tenant(
        &self,
        tenant: TenantId,
        which: &RunFilter,
        before: Option<RunId>,
        limit: u32,
    ) -> StoreResult<Vec<Run>>;
    /// The sum of all its shards' counts.
    async fn progress(&self, tenant: TenantId, id: RunId) -> StoreResult<Progress>;
    /// Shards by state: (not done, leased now).
    async fn open_shards(&self, tenant: TenantId, id: RunId) -> StoreResult<OpenShards>;
}

/// Which runs are wanted; the default is all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunFilter {
    /// Only those of this plan.
    pub plan: Option<PlanId>,
    /// Only those in one of these states; empty: in any.
    pub states: Vec<RunState>,
}

/// How much of a run is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpenShards {
    /// Shards that are not done, leased ones included.
    pub open: u64,
    /// Shards with a live lease.
    pub leased: u64,
}

/// How things stand around a lease that was renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewed {
    /// The run's state, so that a holder learns of pauses.
    pub state: RunState,
    /// Transfer shards of the tenant that are leased, by any worker.
    pub transfers: u32,
    /// Those of them that are leased by the same worker.
    pub transfers_here: u32,
    /// Whether the shard is asked back, see [`super::Scheduling::recall`].
    pub recalled: bool,
}

/// Why no lease was granted.
#[derive(Debug, Clone, PartialEq)]
pub enum LeaseAnswer {
    /// Granted.
    Granted(Box<Lease>),
    /// Somebody holds a live lease; ask again when it may have ended.
    Held,
    /// The shard is done, gone, not due yet, or its run is not runnable now: the message is stale, forget it.
    Stale,
    /// Its workers vanished too often without getting on: it was set aside just now, for the reason given.
    SetAside(String),
}

/// How a holder gives its shard up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Finished.
    Done,
    /// Back into the backlog, not before so long from now.
    Later(Duration),
    /// The same after work that failed in a way that may come again: counts towards setting the shard aside.
    Failed(Duration),
}

/// Shards and their fenced leases. Lease times are the database's (SQLite: the store's own clock), never the caller's.
#[async_trait]
pub trait Shards: Send + Sync {
    /// Takes the lease of a shard that is ready, dispatched, or whose lease expired, if its run is queued or running.
    /// The epoch grows by one. Items stay as the earlier holder recorded them. A lease that expired counts as a failure;
    /// with the `max_failures`-th in a row the shard is set aside instead.
    async fn lease(
        &self,
        tenant: TenantId,
        shard: ShardId,
        worker: WorkerId,
        ttl: Duration,
        max_failures: u32,
    ) -> StoreResult<LeaseAnswer>;
    /// Extends it, and tells how things stand around it. [`StoreError::LeaseLost`] when it is not ours.
    async fn renew(&self, lease: &Lease, ttl: Duration) -> StoreResult<Renewed>;
    /// Gives it up, adding `spent` to the shard's counts. Fenced.
    async fn release(&self, lease: &Lease, how: Release, spent: &Progress) -> StoreResult<()>;
    /// Gives it up for good until a person has looked; says why. Fenced.
    async fn set_aside(&self, lease: &Lease, reason: &str) -> StoreResult<()>;
    /// Puts a shard that was set aside (or is in any state but done) back into the backlog, its failures forgotten; a live
    /// lease on it is lost. `false` when there is no such shard, or it is done.
    async fn requeue_shard(&self, tenant: TenantId, shard: ShardId) -> StoreResult<bool>;
    /// Done, and in the same transaction adds `next` (ready) unless an equal id exists, when no other shard of the run is
    /// open. Returns whether `next` was added. Fenced. This is how the last shard of a run queues its finalize shard.
    async fn finish(&self, lease: &Lease, spent: &Progress, next: &Shard) -> StoreResult<bool>;
}
