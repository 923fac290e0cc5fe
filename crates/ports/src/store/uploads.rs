//! The journal of uploads: which bytes an account was sent and what became of them, so that nothing is made twice. It belongs to
//! the account and not to a plan: the same bytes may come by several plans.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tintype_model::{
    BlobHash, PlanId, RunId, StorageId, TenantId, item::ProviderId, progress::Progress,
    shard::Lease,
};

use super::{Outcome, StoreResult};

/// Bytes that an account was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentBytes {
    /// Their hash.
    pub content: BlobHash,
    /// What an item can be made with, until it expires. Worth nothing without an access token of the account.
    pub token: String,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
    /// The name of the item.
    pub filename: String,
}

/// What became of bytes that were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeItem {
    /// Their hash.
    pub content: BlobHash,
    /// The item's id, where the account told it.
    pub id: Option<ProviderId>,
}

/// An entry of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// What was sent.
    pub sent: SentBytes,
    /// Whether an item was made of it.
    pub made: bool,
    /// The item, where it was made and the account told its id.
    pub id: Option<ProviderId>,
}

/// An item that was made although another of the same bytes is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twin {
    /// The item too many.
    pub id: ProviderId,
    /// Its name.
    pub filename: String,
    /// The run that found it.
    pub run: RunId,
    /// When.
    pub found_at: DateTime<Utc>,
}

/// One of the albums at the account that stand for an album of a plan: an album holds a limited number of items, so that a
/// large one has several parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlbumPart {
    /// The album, as the plan calls it.
    pub album: String,
    /// Which part, from 0.
    pub part: u32,
    /// Its id; `None` while it may or may not have been made.
    pub id: Option<ProviderId>,
    /// Items that were put into it.
    pub members: u64,
}

/// Items that were put into a part of an album.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlbumGrowth {
    /// The album, as the plan calls it.
    pub album: String,
    /// Which part.
    pub part: u32,
    /// How many more items it holds.
    pub added: u64,
}

/// What one call to make items came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UploadRecord {
    /// Items that are there.
    pub made: Vec<MadeItem>,
    /// Bytes whose token no longer counts, or whose item is no longer there: the journal forgets them.
    pub forgotten: Vec<BlobHash>,
    /// Bytes of which more than one item may have been made.
    pub doubtful: Vec<BlobHash>,
    /// What became of the plan's items.
    pub outcomes: Vec<Outcome>,
    /// How its albums grew.
    pub albums: Vec<AlbumGrowth>,
    /// Added to the shard's counts.
    pub spent: Progress,
}

/// The journal of uploads. What is written is fenced with the lease of a shard of the plan that uploads.
#[async_trait]
pub trait Uploads: Send + Sync {
    /// What the journal knows of these bytes (at most 1,000), in any order.
    async fn journal(
        &self,
        tenant: TenantId,
        account: StorageId,
        contents: &[BlobHash],
    ) -> StoreResult<Vec<JournalEntry>>;
    /// Notes bytes as sent (at most 1,000), before an item may be made of them. An entry that is not made is replaced; one that
    /// is made stays.
    async fn journal_sent(
        &self,
        lease: &Lease,
        account: StorageId,
        sent: &[SentBytes],
    ) -> StoreResult<()>;
    /// Records what came of a call, in one transaction.
    async fn record_uploads(
        &self,
        lease: &Lease,
        account: StorageId,
        record: &UploadRecord,
    ) -> StoreResult<()>;
    /// Entries of which more than one item may have been made, by content after `after`, at most `limit`.
    async fn doubtful(
        &self,
        tenant: TenantId,
        account: StorageId,
        after: Option<BlobHash>,
        limit: u32,
    ) -> StoreResult<Vec<JournalEntry>>;
    /// Those of `ids` (at most 1,000) that the journal holds as an item's id, or as a twin's.
    async fn journalled_ids(
        &self,
        tenant: TenantId,
        account: StorageId,
        ids: &[ProviderId],
    ) -> StoreResult<Vec<ProviderId>>;
    /// Ends the doubts about `contents` (at most 1,000), and notes the twins that were found. A twin that is known stays as it
    /// is.
    async fn settle_doubts(
        &self,
        lease: &Lease,
        account: StorageId,
        contents: &[BlobHash],
        twins: &[Twin],
    ) -> StoreResult<()>;
    /// The twins of an account in the order of their ids, after `after`, at most `limit`.
    async fn twins(
        &self,
        tenant: TenantId,
        account: StorageId,
        after: Option<&ProviderId>,
        limit: u32,
    ) -> StoreResult<Vec<Twin>>;
    /// For those of a plan's items (at most 1,000) that were uploaded: the id that the account gave them, where it told one.
    async fn given_ids(
        &self,
        tenant: TenantId,
        plan: PlanId,
        items: &[ProviderId],
    ) -> StoreResult<Vec<(ProviderId, ProviderId)>>;
    /// The parts of an album of a plan, in order.
    async fn album_parts(
        &self,
        tenant: TenantId,
        plan: PlanId,
        album: &str,
    ) -> StoreResult<Vec<AlbumPart>>;
    /// Notes a part: with no id before it is made, with its id once it is. The number of its members stays as it is; 0 at first.
    async fn put_album_part(
        &self,
        lease: &Lease,
        album: &str,
        part: u32,
        id: Option<&ProviderId>,
    ) -> StoreResult<()>;
}
