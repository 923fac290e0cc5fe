//! The catalogue: the database is the truth. Tenant-scoped traits take the tenant first and never see another one's rows;
//! [`Scheduling`] and [`QuotaLedger`] look across tenants.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tintype_model::{
    ErrorKind, PlanId, RunId, ShardId, SnapshotId, StorageId, TenantId, WorkerId,
    album::Album,
    item::{Item, ItemFault, ItemMetadata, ItemState, ProviderId, StoredContent},
    plan::Plan,
    progress::Progress,
    quota::{CloudProject, QuotaDay, QuotaKind},
    run::{Run, RunState, RunStatus},
    shard::{Lease, Shard},
    snapshot::Snapshot,
    storage::Storage,
    tenant::Tenant,
};

use crate::queue::JobMessage;

/// Why the store cannot do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row like this exists already, or changed underneath; says which.
    #[error("conflict: {0}")]
    Conflict(String),
    /// A row that must exist does not.
    #[error("not found: {0}")]
    NotFound(String),
    /// The lease's epoch is no longer the current one, or it expired: stop at once.
    #[error("the lease is lost")]
    LeaseLost,
    /// A stored value cannot be understood.
    #[error("a stored value cannot be understood: {0}")]
    Corrupt(String),
    /// The database failed or did not answer in time.
    #[error("the database failed")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// The class of the failure.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Conflict(_) => ErrorKind::Conflict,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::LeaseLost => ErrorKind::LeaseLost,
            Self::Corrupt(_) => ErrorKind::Internal,
            Self::Database(_) => ErrorKind::Unavailable,
        }
    }
}

/// What every store method returns.
pub type StoreResult<T> = Result<T, StoreError>;

/// Tenants, storages and plans.
#[async_trait]
pub trait Setup: Send + Sync {
    /// Adds a tenant. [`StoreError::Conflict`] when the id exists.
    async fn add_tenant(&self, tenant: &Tenant) -> StoreResult<()>;
    /// A tenant by id.
    async fn tenant(&self, id: TenantId) -> StoreResult<Option<Tenant>>;
    /// A tenant by name, oldest first where several have it.
    async fn tenant_by_name(&self, name: &str) -> StoreResult<Option<Tenant>>;
    /// Adds a storage. [`StoreError::Conflict`] when the name is taken.
    async fn add_storage(&self, storage: &Storage) -> StoreResult<()>;
    /// Replaces name and settings of a storage.
    async fn update_storage(&self, storage: &Storage) -> StoreResult<()>;
    /// A storage by id.
    async fn storage(&self, tenant: TenantId, id: StorageId) -> StoreResult<Option<Storage>>;
    /// A storage by name.
    async fn storage_by_name(&self, tenant: TenantId, name: &str) -> StoreResult<Option<Storage>>;
    /// All storages of the tenant, by name.
    async fn storages(&self, tenant: TenantId) -> StoreResult<Vec<Storage>>;
    /// Removes a storage that no plan uses; [`StoreError::Conflict`] otherwise.
    async fn remove_storage(&self, tenant: TenantId, id: StorageId) -> StoreResult<()>;
    /// Adds a plan. [`StoreError::Conflict`] when the name is taken; [`StoreError::NotFound`] when a storage is not the tenant's.
    async fn add_plan(&self, plan: &Plan) -> StoreResult<()>;
    /// A plan by id.
    async fn plan(&self, tenant: TenantId, id: PlanId) -> StoreResult<Option<Plan>>;
    /// A plan by name.
    async fn plan_by_name(&self, tenant: TenantId, name: &str) -> StoreResult<Option<Plan>>;
    /// All plans that read from the storage, by name.
    async fn plans_from(&self, tenant: TenantId, source: StorageId) -> StoreResult<Vec<Plan>>;
}

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
    /// The sum of all its shards' counts.
    async fn progress(&self, tenant: TenantId, id: RunId) -> StoreResult<Progress>;
    /// Shards by state: (not done, leased now).
    async fn open_shards(&self, tenant: TenantId, id: RunId) -> StoreResult<OpenShards>;
}

/// How much of a run is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpenShards {
    /// Shards that are not done, leased ones included.
    pub open: u64,
    /// Shards with a live lease.
    pub leased: u64,
}

/// Why no lease was granted.
#[derive(Debug, Clone, PartialEq)]
pub enum LeaseAnswer {
    /// Granted.
    Granted(Box<Lease>),
    /// Somebody holds a live lease; ask again when it may have ended.
    Held,
    /// The shard is done, gone, or its run is not runnable now: the message is stale, forget it.
    Stale,
}

/// How a holder gives its shard up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Finished.
    Done,
    /// Back into the backlog, not before so long from now.
    Later(Duration),
}

/// Shards and their fenced leases. Lease times are the database's (SQLite: the store's own clock), never the caller's.
#[async_trait]
pub trait Shards: Send + Sync {
    /// Takes the lease of a shard that is ready, dispatched, or whose lease expired, if its run is queued or running.
    /// The epoch grows by one. Items stay as the earlier holder recorded them.
    async fn lease(&self, tenant: TenantId, shard: ShardId, worker: WorkerId, ttl: Duration) -> StoreResult<LeaseAnswer>;
    /// Extends it and tells the run's state, so that a holder learns of pauses. [`StoreError::LeaseLost`] when it is not ours.
    async fn renew(&self, lease: &Lease, ttl: Duration) -> StoreResult<RunState>;
    /// Gives it up, adding `spent` to the shard's counts. Fenced.
    async fn release(&self, lease: &Lease, how: Release, spent: &Progress) -> StoreResult<()>;
    /// Done, and in the same transaction adds `next` (ready) unless an equal id exists, when no other shard of the run is
    /// open. Returns whether `next` was added. Fenced. This is how the last shard of a run queues its finalize shard.
    async fn finish(&self, lease: &Lease, spent: &Progress, next: &Shard) -> StoreResult<bool>;
}

/// What a reconcile needs of a known item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownItem {
    /// Its id at the provider.
    pub provider_id: ProviderId,
    /// Its position.
    pub seq: u64,
    /// [`ItemMetadata::metadata_fingerprint`] of what is stored.
    pub metadata_fingerprint: i64,
    /// [`ItemMetadata::content_fingerprint`] of the bytes that are stored or pending.
    pub content_fingerprint: i64,
    /// What we hold.
    pub state: ItemState,
    /// Whether it counts as gone.
    pub gone: bool,
    /// The shard it waits in; `None` when stored, failed, or not yet in a shard.
    pub shard: Option<ShardId>,
}

/// One item a listing page makes us write.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemUpsert {
    /// Position: the known one, or the next free one for a new item.
    pub seq: u64,
    /// Its id.
    pub provider_id: ProviderId,
    /// What the listing shows.
    pub metadata: ItemMetadata,
    /// `Some`: bytes are to be copied by this shard, state becomes pending. `None`: only metadata changes.
    pub shard: Option<ShardId>,
}

/// Where an enumeration stands, so that another worker can go on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Checkpoint {
    /// What the app wants to find again; opaque to the store (JSON text).
    pub cursor: String,
    /// [`tintype_model::seen::SeenSet`] bytes.
    pub seen: Vec<u8>,
}

/// All that a piece of enumeration changes, in one fenced transaction.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PageWrite {
    /// New and changed items, at most 1,000. A known (plan, provider id) keeps its seq, and `gone` is cleared.
    pub items: Vec<ItemUpsert>,
    /// Items that are there again though they counted as gone.
    pub back: Vec<u64>,
    /// Items that the full listing no longer showed.
    pub gone: Vec<u64>,
    /// New transfer shards, ready at once. Their items are in this write.
    pub shards: Vec<Shard>,
    /// Albums to insert or replace, with their place among the albums.
    pub albums: Vec<(u64, Album)>,
    /// Members of an album from a position on: (album, first position, items). Replaces what stood from there on.
    pub members: Vec<(ProviderId, u64, Vec<ProviderId>)>,
    /// Albums that are no longer there.
    pub albums_gone: Vec<ProviderId>,
    /// The new checkpoint, where there is one.
    pub checkpoint: Option<Checkpoint>,
    /// Added to the shard's counts.
    pub spent: Progress,
}

/// An item that waits in a shard.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingItem {
    /// Its position.
    pub seq: u64,
    /// Its id.
    pub provider_id: ProviderId,
    /// Its metadata.
    pub metadata: ItemMetadata,
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Its position.
    pub seq: u64,
    /// What became of it.
    pub result: Result<StoredContent, ItemFault>,
}

/// A path that a mirrored item wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathClaim {
    /// Its position.
    pub seq: u64,
    /// The path it would like.
    pub wanted: String,
    /// The path it takes if the wanted one is another item's; unique by construction.
    pub otherwise: String,
}

/// Items and albums of a plan.
#[async_trait]
pub trait Items: Send + Sync {
    /// Those of `ids` (at most 1,000) that are known, in any order.
    async fn known(&self, tenant: TenantId, plan: PlanId, ids: &[ProviderId]) -> StoreResult<Vec<KnownItem>>;
    /// The next free seq of the plan: one more than the highest.
    async fn next_seq(&self, tenant: TenantId, plan: PlanId) -> StoreResult<u64>;
    /// The checkpoint of a run's enumeration.
    async fn checkpoint(&self, tenant: TenantId, run: RunId) -> StoreResult<Option<Checkpoint>>;
    /// Writes a piece of enumeration. Fenced by the enumerate shard's lease.
    async fn write_page(&self, lease: &Lease, page: &PageWrite) -> StoreResult<()>;
    /// Pending items of a shard in seq order after `after`, at most `limit`.
    async fn pending(
        &self,
        tenant: TenantId,
        shard: ShardId,
        after: Option<u64>,
        limit: u32,
    ) -> StoreResult<Vec<PendingItem>>;
    /// Records what became of items of the lease's shard, and adds `spent` to its counts, in one fenced transaction.
    async fn record(&self, lease: &Lease, outcomes: &[Outcome], spent: &Progress) -> StoreResult<()>;
    /// Items of the plan in seq order after `after`, at most `limit`.
    async fn items(&self, tenant: TenantId, plan: PlanId, after: Option<u64>, limit: u32) -> StoreResult<Vec<Item>>;
    /// (seq, id) of items that are not gone, in seq order after `after`, at most `limit`.
    async fn present(
        &self,
        tenant: TenantId,
        plan: PlanId,
        after: Option<u64>,
        limit: u32,
    ) -> StoreResult<Vec<(u64, ProviderId)>>;
    /// How many items of the plan are pending or failed and not gone.
    async fn unstored(&self, tenant: TenantId, plan: PlanId) -> StoreResult<u64>;
    /// Items that are not gone, that are failed, or pending without an open shard, in seq order after `after`.
    async fn leftovers(
        &self,
        tenant: TenantId,
        plan: PlanId,
        after: Option<u64>,
        limit: u32,
    ) -> StoreResult<Vec<PendingItem>>;
    /// Claims mirror paths (case and NFC twins count as equal); returns the path each item has now, in the order given.
    /// A path that an item claimed before for the same wish stays its own.
    async fn claim_paths(&self, tenant: TenantId, plan: PlanId, claims: &[PathClaim]) -> StoreResult<Vec<String>>;
    /// All albums, in their order.
    async fn albums(&self, tenant: TenantId, plan: PlanId) -> StoreResult<Vec<Album>>;
    /// How many members an album has in the catalogue.
    async fn album_size(&self, tenant: TenantId, plan: PlanId, album: &ProviderId) -> StoreResult<u64>;
    /// Members of an album in order, from position `from`, at most `limit`.
    async fn album_members(
        &self,
        tenant: TenantId,
        plan: PlanId,
        album: &ProviderId,
        from: u64,
        limit: u32,
    ) -> StoreResult<Vec<ProviderId>>;
}

/// Snapshots.
#[async_trait]
pub trait Snapshots: Send + Sync {
    /// Records a snapshot (an equal one is fine) and makes it the run's, in one fenced transaction.
    async fn add_snapshot(&self, lease: &Lease, snapshot: &Snapshot) -> StoreResult<()>;
    /// Makes an older snapshot the run's, because nothing changed. Fenced.
    async fn keep_snapshot(&self, lease: &Lease, snapshot: SnapshotId) -> StoreResult<()>;
    /// The plan's newest snapshot.
    async fn latest_snapshot(&self, tenant: TenantId, plan: PlanId) -> StoreResult<Option<Snapshot>>;
}

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
    async fn return_units(&self, project: &CloudProject, kind: QuotaKind, day: QuotaDay, units: u64) -> StoreResult<()>;
    /// Marks the whole day as leased, because Google says it is over.
    async fn exhaust_day(&self, project: &CloudProject, kind: QuotaKind, day: QuotaDay, limit: u64) -> StoreResult<()>;
    /// Units leased and not returned that day.
    async fn leased_units(&self, project: &CloudProject, kind: QuotaKind, day: QuotaDay) -> StoreResult<u64>;
}

/// Everything the catalogue does.
pub trait Store: Setup + Runs + Shards + Items + Snapshots + Scheduling + QuotaLedger {}

impl<T: Setup + Runs + Shards + Items + Snapshots + Scheduling + QuotaLedger> Store for T {}
