//! Items and albums of a plan, and what a listing and a transfer write about them.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tintype_model::{
    PlanId, RunId, ShardId, TenantId,
    album::Album,
    item::{Item, ItemFault, ItemMetadata, ItemState, ProviderId, StoredContent},
    progress::Progress,
    shard::{Lease, Shard},
};

use super::{OriginalsWrite, StoreResult};

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
    /// `Some`: bytes are to be copied by this shard, which is new in the same write; state becomes pending. `None`: only
    /// metadata changes.
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
    /// What is to be asked of the account's proxy, where that is decided.
    pub originals: Option<OriginalsWrite>,
    /// Items of this plan that are renditions of others: (position, position of the other). The last word stands.
    pub renditions: Vec<(u64, u64)>,
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
    /// Whether older bytes of it are stored, which earlier snapshots need.
    pub has_content: bool,
}

/// An item that a person picked.
#[derive(Debug, Clone, PartialEq)]
pub struct PickedItem {
    /// Its position.
    pub seq: u64,
    /// Its id.
    pub provider_id: ProviderId,
    /// Its metadata.
    pub metadata: ItemMetadata,
}

/// An item whose bytes could not be had.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedItem {
    /// Its position.
    pub seq: u64,
    /// Its id.
    pub provider_id: ProviderId,
    /// Its metadata.
    pub metadata: ItemMetadata,
    /// Why.
    pub fault: ItemFault,
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
    async fn known(
        &self,
        tenant: TenantId,
        plan: PlanId,
        ids: &[ProviderId],
    ) -> StoreResult<Vec<KnownItem>>;
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
    /// Records what became of items of the lease's shard, and adds `spent` to its counts, in one fenced transaction. What a shard
    /// of originals got takes the place of what is stored, of items that do not wait for other bytes; what it did not get changes
    /// nothing.
    async fn record(
        &self,
        lease: &Lease,
        outcomes: &[Outcome],
        spent: &Progress,
    ) -> StoreResult<()>;
    /// Items of the plan in seq order after `after`, at most `limit`.
    async fn items(
        &self,
        tenant: TenantId,
        plan: PlanId,
        after: Option<u64>,
        limit: u32,
    ) -> StoreResult<Vec<Item>>;
    /// The items at these positions (at most 1,000), as far as there are any, in the order of their positions.
    async fn items_at(
        &self,
        tenant: TenantId,
        plan: PlanId,
        seqs: &[u64],
    ) -> StoreResult<Vec<Item>>;
    /// Items that a person picked ([`ProviderId::as_picked`]), in the order of their ids after `after`, at most `limit`.
    async fn picked(
        &self,
        tenant: TenantId,
        plan: PlanId,
        after: Option<&ProviderId>,
        limit: u32,
    ) -> StoreResult<Vec<PickedItem>>;
    /// All items that are renditions of others, in the order of their positions: (position, position of the other).
    async fn renditions(&self, tenant: TenantId, plan: PlanId) -> StoreResult<Vec<(u64, u64)>>;
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
    /// Items that failed and are not gone, in seq order after `after`, at most `limit`.
    async fn failures(
        &self,
        tenant: TenantId,
        plan: PlanId,
        after: Option<u64>,
        limit: u32,
    ) -> StoreResult<Vec<FailedItem>>;
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
    async fn claim_paths(
        &self,
        tenant: TenantId,
        plan: PlanId,
        claims: &[PathClaim],
    ) -> StoreResult<Vec<String>>;
    /// All albums, in their order.
    async fn albums(&self, tenant: TenantId, plan: PlanId) -> StoreResult<Vec<Album>>;
    /// How many members an album has in the catalogue.
    async fn album_size(
        &self,
        tenant: TenantId,
        plan: PlanId,
        album: &ProviderId,
    ) -> StoreResult<u64>;
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
