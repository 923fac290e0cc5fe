//! Rows as both engines give them, and the model's values that they stand for.

mod dispatch;
mod uploads;

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tintype_model::{
    ArchiveId, BlobHash, PlanId, RunId, ShardId, SnapshotId, StorageId, TenantId,
    item::{Item, ItemState, StoredContent},
    plan::Plan,
    progress::Progress,
    run::{Run, RunMode, RunStatus},
    shard::Shard,
    snapshot::Snapshot,
    storage::Storage,
    tenant::Tenant,
    trace::TraceParent,
};
use tintype_ports::{
    StoreError,
    store::{KnownItem, PendingItem},
};
use uuid::Uuid;

pub(crate) use dispatch::{BacklogRow, OpenLeaseRow, SetAsideRow, ShardStandingRow};
pub(crate) use uploads::{AlbumPartRow, TwinRow, UploadRow};

use crate::codec::{count, from_json, from_name, provider_id, small};

/// All rows as values.
pub(crate) fn all<R, T: TryFrom<R, Error = StoreError>>(
    rows: Vec<R>,
) -> Result<Vec<T>, StoreError> {
    rows.into_iter().map(T::try_from).collect()
}

/// The row as a value, where there is one.
pub(crate) fn one<R, T: TryFrom<R, Error = StoreError>>(
    row: Option<R>,
) -> Result<Option<T>, StoreError> {
    row.map(T::try_from).transpose()
}

#[derive(FromRow)]
pub(crate) struct TenantRow {
    tenant_id: Uuid,
    name: String,
    weight: i64,
    created_at: DateTime<Utc>,
    max_shards: Option<i64>,
}

impl TryFrom<TenantRow> for Tenant {
    type Error = StoreError;

    fn try_from(row: TenantRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: TenantId::from_uuid(row.tenant_id),
            name: row.name,
            weight: small(row.weight)?,
            max_shards: row.max_shards.map(small).transpose()?,
            created_at: row.created_at,
        })
    }
}

#[derive(FromRow)]
pub(crate) struct StorageRow {
    tenant_id: Uuid,
    id: Uuid,
    name: String,
    settings: String,
    created_at: DateTime<Utc>,
}

impl TryFrom<StorageRow> for Storage {
    type Error = StoreError;

    fn try_from(row: StorageRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: StorageId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            name: row.name,
            settings: from_json(&row.settings)?,
            created_at: row.created_at,
        })
    }
}

#[derive(FromRow)]
pub(crate) struct PlanRow {
    tenant_id: Uuid,
    id: Uuid,
    kind: String,
    name: String,
    source_id: Uuid,
    destination_id: Uuid,
    archive_id: Uuid,
    options: String,
    schedule: Option<String>,
    created_at: DateTime<Utc>,
    pub(crate) next_due_at: Option<DateTime<Utc>>,
}

impl TryFrom<PlanRow> for Plan {
    type Error = StoreError;

    fn try_from(row: PlanRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: PlanId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            kind: from_name(&row.kind)?,
            name: row.name,
            source: StorageId::from_uuid(row.source_id),
            destination: StorageId::from_uuid(row.destination_id),
            archive: ArchiveId::from_uuid(row.archive_id),
            options: from_json(&row.options)?,
            schedule: row.schedule.as_deref().map(from_json).transpose()?,
            created_at: row.created_at,
        })
    }
}

#[derive(FromRow)]
pub(crate) struct RunRow {
    tenant_id: Uuid,
    id: Uuid,
    plan_id: Uuid,
    mode: String,
    state: String,
    reason: Option<String>,
    resumes_at: Option<DateTime<Utc>>,
    snapshot_id: Option<Uuid>,
    trace: Option<String>,
    picks: bool,
    created_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl TryFrom<RunRow> for Run {
    type Error = StoreError;

    fn try_from(row: RunRow) -> Result<Self, StoreError> {
        let status = RunStatus {
            state: from_name(&row.state)?,
            reason: row.reason.as_deref().map(from_json).transpose()?,
            resumes_at: row.resumes_at,
        };
        Ok(Self {
            id: RunId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            plan: PlanId::from_uuid(row.plan_id),
            mode: match row.picks {
                true => RunMode::Picks,
                false => from_name(&row.mode)?,
            },
            status,
            snapshot: row.snapshot_id.map(SnapshotId::from_uuid),
            trace: trace(row.trace),
            created_at: row.created_at,
            ended_at: row.ended_at,
        })
    }
}

/// A trace's parent, as a run holds it. A text that is none is no reason to stop a run: it is a run without a trace.
pub(crate) fn trace(text: Option<String>) -> Option<TraceParent> {
    text.and_then(|text| text.parse().ok())
}

#[derive(FromRow)]
pub(crate) struct ShardRow {
    tenant_id: Uuid,
    id: Uuid,
    run_id: Uuid,
    plan_id: Uuid,
    kind: String,
    items: i64,
}

impl TryFrom<ShardRow> for Shard {
    type Error = StoreError;

    fn try_from(row: ShardRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: ShardId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            run: RunId::from_uuid(row.run_id),
            plan: PlanId::from_uuid(row.plan_id),
            kind: from_name(&row.kind)?,
            items: small(row.items)?,
        })
    }
}

#[derive(FromRow)]
pub(crate) struct ProgressRow {
    listed: i64,
    added: i64,
    changed: i64,
    gone: i64,
    queued: i64,
    stored: i64,
    failed: i64,
    originals: i64,
    bytes: i64,
    requests: i64,
    downloads: i64,
}

impl TryFrom<ProgressRow> for Progress {
    type Error = StoreError;

    fn try_from(row: ProgressRow) -> Result<Self, StoreError> {
        Ok(Self {
            listed: count(row.listed)?,
            new: count(row.added)?,
            changed: count(row.changed)?,
            gone: count(row.gone)?,
            queued: count(row.queued)?,
            stored: count(row.stored)?,
            failed: count(row.failed)?,
            originals: count(row.originals)?,
            bytes: count(row.bytes)?,
            requests: count(row.requests)?,
            downloads: count(row.downloads)?,
        })
    }
}

#[derive(FromRow)]
pub(crate) struct KnownRow {
    provider_id: String,
    seq: i64,
    metadata_fingerprint: i64,
    content_fingerprint: i64,
    state: String,
    gone: bool,
    shard_id: Option<Uuid>,
}

impl TryFrom<KnownRow> for KnownItem {
    type Error = StoreError;

    fn try_from(row: KnownRow) -> Result<Self, StoreError> {
        Ok(Self {
            provider_id: provider_id(row.provider_id)?,
            seq: count(row.seq)?,
            metadata_fingerprint: row.metadata_fingerprint,
            content_fingerprint: row.content_fingerprint,
            state: from_name(&row.state)?,
            gone: row.gone,
            shard: row.shard_id.map(ShardId::from_uuid),
        })
    }
}

#[derive(FromRow)]
pub(crate) struct PendingRow {
    seq: i64,
    provider_id: String,
    metadata: String,
    has_content: bool,
}

impl TryFrom<PendingRow> for PendingItem {
    type Error = StoreError;

    fn try_from(row: PendingRow) -> Result<Self, StoreError> {
        Ok(Self {
            seq: count(row.seq)?,
            provider_id: provider_id(row.provider_id)?,
            metadata: from_json(&row.metadata)?,
            has_content: row.has_content,
        })
    }
}

#[derive(FromRow)]
pub(crate) struct ItemRow {
    pub(crate) seq: i64,
    provider_id: String,
    metadata: String,
    gone: bool,
}

#[derive(FromRow)]
pub(crate) struct ContentRow {
    pub(crate) seq: i64,
    blob: Vec<u8>,
    size: i64,
    path: String,
    fidelity: String,
}

impl TryFrom<ContentRow> for StoredContent {
    type Error = StoreError;

    fn try_from(row: ContentRow) -> Result<Self, StoreError> {
        Ok(Self {
            blob: hash(&row.blob)?,
            size: count(row.size)?,
            path: row.path,
            fidelity: from_json(&row.fidelity)?,
        })
    }
}

/// The item of three rows. `unstored` is the fault, if any, of an item that is not stored.
pub(crate) fn item(
    row: ItemRow,
    unstored: Option<Option<String>>,
    content: Option<ContentRow>,
) -> Result<Item, StoreError> {
    let state = match (&unstored, &content) {
        (Some(None), _) => ItemState::Pending,
        (Some(Some(_)), _) => ItemState::Failed,
        (None, Some(_)) => ItemState::Stored,
        (None, None) => {
            return Err(StoreError::Corrupt(format!(
                "item {} counts as stored and has no content",
                row.seq
            )));
        }
    };
    Ok(Item {
        seq: count(row.seq)?,
        provider_id: provider_id(row.provider_id)?,
        metadata: from_json(&row.metadata)?,
        state,
        content: one(content)?,
        fault: unstored.flatten().as_deref().map(from_json).transpose()?,
        gone: row.gone,
    })
}

#[derive(FromRow)]
pub(crate) struct SnapshotRow {
    tenant_id: Uuid,
    id: Uuid,
    plan_id: Uuid,
    run_id: Uuid,
    manifest_hash: Vec<u8>,
    items: i64,
    bytes: i64,
    created_at: DateTime<Utc>,
}

impl TryFrom<SnapshotRow> for Snapshot {
    type Error = StoreError;

    fn try_from(row: SnapshotRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: SnapshotId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            plan: PlanId::from_uuid(row.plan_id),
            run: RunId::from_uuid(row.run_id),
            manifest_hash: hash(&row.manifest_hash)?,
            items: count(row.items)?,
            bytes: count(row.bytes)?,
            created_at: row.created_at,
        })
    }
}

fn hash(bytes: &[u8]) -> Result<BlobHash, StoreError> {
    let bytes = bytes
        .try_into()
        .map_err(|_| StoreError::Corrupt("a content hash of the wrong length".into()))?;
    Ok(BlobHash::from_bytes(bytes))
}
