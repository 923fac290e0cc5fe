//! What is done across tenants: dispatch, outbox, reconciling, and the quota ledger.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tintype_model::{
    RunId, TenantId,
    quota::{CloudProject, QuotaDay, QuotaKind},
    shard::Shard,
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
}

/// What the scheduler does across tenants.
#[async_trait]
pub trait Scheduling: Send + Sync {
    /// Tenants that have ready shards (whose time has come) in runnable runs.
    async fn backlog(&self) -> StoreResult<Vec<Backlog>>;
    /// The tenant's next ready shards: listings and manifests first, then by run age and shard order.
    async fn ready(&self, tenant: TenantId, limit: u32) -> StoreResult<Vec<Shard>>;
    /// Marks ready shards dispatched and writes their messages to the outbox, in one transaction. A dispatch that leads to
    /// no lease within `patience` is undone by [`Scheduling::requeue_lost`]. Returns how many were still ready.
    async fn dispatch(&self, shards: &[Shard], patience: Duration) -> StoreResult<u64>;
    /// The oldest outbox rows.
    async fn outbox(&self, limit: u32) -> StoreResult<Vec<(i64, JobMessage)>>;
    /// Removes outbox rows whose messages the queue confirmed.
    async fn clear_outbox(&self, ids: &[i64]) -> StoreResult<()>;
    /// Puts back into the backlog what was dispatched or leased and is overdue. Returns how many.
    async fn requeue_lost(&self) -> StoreResult<u64>;
    /// At start of a single-process install, where no other process can hold a lease: everything dispatched or leased
    /// becomes ready at once and the outbox is emptied. Returns how many.
    async fn requeue_all(&self) -> StoreResult<u64>;
    /// Runs that wait and whose `resumes_at` is at or before `now`.
    async fn due(&self, now: DateTime<Utc>, limit: u32) -> StoreResult<Vec<(TenantId, RunId)>>;
    /// Runs in state pausing without a live lease.
    async fn drained(&self, limit: u32) -> StoreResult<Vec<(TenantId, RunId)>>;
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
    /// Units leased and not returned that day.
    async fn leased_units(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
        day: QuotaDay,
    ) -> StoreResult<u64>;
}
