//! What is done across tenants: dispatch, outbox, reconciling, and the quota ledger.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tintype_model::{
    RunId, ShardId, TenantId, WorkerId,
    quota::{CloudProject, QuotaDay, QuotaKind},
    run::RunState,
    shard::{Shard, ShardState},
};

use super::StoreResult;
use crate::queue::JobMessage;

/// A tenant's part of the backlog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// Whose.
    pub tenant: TenantId,
    /// Its weight.
    pub weight: u32,
    /// Items in ready shards of runnable runs.
    pub items: u64,
    /// Messages dispatched and leases held, now.
    pub in_flight: u64,
    /// At most so many may be in flight.
    pub max_shards: Option<u32>,
    /// When the shard that has waited longest became ready.
    pub oldest: DateTime<Utc>,
}

/// A tenant whose transfer shards are being worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Whose.
    pub tenant: TenantId,
    /// Its weight.
    pub weight: u32,
    /// Its transfer shards that are leased and not asked back.
    pub transfers: u64,
    /// Those that are asked back and not there yet.
    pub recalled: u64,
}

/// What the workers can take, and what they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Workers that are there.
    pub workers: u64,
    /// Shards that they work on at the same time, all together.
    pub slots: u64,
    /// Messages dispatched and leases held, of all tenants.
    pub in_flight: u64,
    /// When the message that has been out longest without a worker counts as lost: its dispatch and the patience of it.
    pub first_overdue_at: Option<DateTime<Utc>>,
}

/// What the reconciler put back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lost {
    /// Shards that went back into the backlog.
    pub requeued: u64,
    /// Shards that were set aside, because their workers vanished too often.
    pub set_aside: u64,
}

/// A shard that rests until a person has looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// The shard.
    pub shard: Shard,
    /// Why.
    pub reason: String,
}

/// A shard, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardStanding {
    /// The shard.
    pub shard: Shard,
    /// Where it stands.
    pub state: ShardState,
    /// How often in a row it failed without any of it getting done.
    pub failures: u32,
    /// Why it was set aside, where it was.
    pub reason: Option<String>,
}

/// A shard that somebody works on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenLease {
    /// The shard.
    pub shard: Shard,
    /// Who holds it.
    pub worker: WorkerId,
    /// The lease's epoch.
    pub epoch: i64,
    /// When this holder got it.
    pub leased_at: DateTime<Utc>,
    /// When it ends unless renewed.
    pub expires_at: DateTime<Utc>,
}

/// A line of the quota ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaRow {
    /// Whose.
    pub project: CloudProject,
    /// Of what.
    pub kind: QuotaKind,
    /// Units leased and not returned.
    pub leased: u64,
    /// Whether the provider said that the day is over.
    pub exhausted: bool,
}

/// What the scheduler does across tenants.
#[async_trait]
pub trait Scheduling: Send + Sync {
    /// Tenants that have ready shards (whose time has come) in runnable runs.
    async fn backlog(&self) -> StoreResult<Vec<Backlog>>;
    /// The tenant's next ready shards, with the items that they have left: listings and manifests first, then by run age and shard
    /// order.
    async fn ready(&self, tenant: TenantId, limit: u32) -> StoreResult<Vec<Shard>>;
    /// Marks ready shards dispatched and writes their messages to the outbox, in one transaction. A dispatch that leads to
    /// no lease within `patience` is undone by [`Scheduling::requeue_lost`]. Returns how many were still ready.
    async fn dispatch(&self, shards: &[Shard], patience: Duration) -> StoreResult<u64>;
    /// Tenants whose transfer shards are leased, by any worker.
    async fn holders(&self) -> StoreResult<Vec<Holder>>;
    /// Asks for up to `most` of the tenant's leased transfer shards back, those first that were leased last: their holders learn
    /// of it when they renew. Answers the items that these shards have left.
    async fn recall(&self, tenant: TenantId, most: u64) -> StoreResult<Vec<u64>>;
    /// The oldest outbox rows.
    async fn outbox(&self, limit: u32) -> StoreResult<Vec<(i64, JobMessage)>>;
    /// Removes outbox rows whose messages the queue confirmed.
    async fn clear_outbox(&self, ids: &[i64]) -> StoreResult<()>;
    /// Puts back into the backlog what was dispatched or leased and is overdue. A lease that expired counts as a failure of
    /// its shard; with the `max_failures`-th in a row it is set aside.
    async fn requeue_lost(&self, max_failures: u32) -> StoreResult<Lost>;
    /// At start of a single-process install, where no other process can hold a lease: everything dispatched or leased
    /// becomes ready at once, the outbox is emptied, and workers and named leases are forgotten. Returns how many shards.
    async fn requeue_all(&self) -> StoreResult<u64>;
    /// Runs that wait and whose `resumes_at` is at or before `now`.
    async fn due(&self, now: DateTime<Utc>, limit: u32) -> StoreResult<Vec<(TenantId, RunId)>>;
    /// Runs in state pausing without a live lease.
    async fn drained(&self, limit: u32) -> StoreResult<Vec<(TenantId, RunId)>>;
    /// What the workers can take, and what they have.
    async fn load(&self) -> StoreResult<Load>;
    /// Runs that can go on only when a shard of theirs that was set aside is put back: nothing else of them is left to do.
    async fn stuck(&self, limit: u32) -> StoreResult<Vec<(TenantId, RunId)>>;
    /// The time by the database's clock, which all processes share.
    async fn time(&self) -> StoreResult<DateTime<Utc>>;
    /// The shard of that id, whosever it is; `None` when there is none.
    async fn shard(&self, id: ShardId) -> StoreResult<Option<ShardStanding>>;
    /// Shards that were set aside, at most `limit`.
    async fn shards_set_aside(&self, limit: u32) -> StoreResult<Vec<SetAside>>;
    /// Live leases, the longest held first, at most `limit`.
    async fn open_leases(&self, limit: u32) -> StoreResult<Vec<OpenLease>>;
    /// How many runs are in each state that is not final.
    async fn open_runs(&self) -> StoreResult<Vec<(RunState, u64)>>;
    /// When the next shard becomes ready or the next run resumes, if any does by itself.
    async fn next_event_at(&self) -> StoreResult<Option<DateTime<Utc>>>;
}

/// The durable side of the quota: units are leased to a counter in blocks before it may spend them.
#[async_trait]
pub trait QuotaLedger: Send + Sync {
    /// Leases up to `want` units of the day, never beyond `limit` in sum. Returns how many were granted (0: used up).
    async fn lease_units(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
        day: QuotaDay,
        want: u64,
        limit: u64,
    ) -> StoreResult<u64>;
    /// Gives unspent units of that day back.
    async fn return_units(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
        day: QuotaDay,
        units: u64,
    ) -> StoreResult<()>;
    /// Marks the whole day as leased, because Google says it is over.
    async fn exhaust_day(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
        day: QuotaDay,
        limit: u64,
    ) -> StoreResult<()>;
    /// All that the ledger has of the day, by project and kind.
    async fn quota_rows(&self, day: QuotaDay) -> StoreResult<Vec<QuotaRow>>;
    /// Units leased and not returned that day.
    async fn leased_units(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
        day: QuotaDay,
    ) -> StoreResult<u64>;
}
