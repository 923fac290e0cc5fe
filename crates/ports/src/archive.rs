//! An archive: the place a plan writes to. Format and layouts are described in `crates/blob/FORMAT.md`.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use tintype_model::{
    ArchiveId, BlobHash, ErrorKind, SnapshotId,
    plan::PlanOptions,
    snapshot::{ManifestAlbum, ManifestHead, ManifestItem},
    storage::StorageSettings,
};

use crate::{Files, vault::BucketKeys};

/// Why the archive cannot do it.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Root, bucket or object does not exist, or the settings do not reach it.
    #[error("it is not there: {0}")]
    Missing(String),
    /// Writes are refused.
    #[error("it refuses writes: {0}")]
    ReadOnly(String),
    /// No room left.
    #[error("it is full: {0}")]
    Full(String),
    /// The place holds something that is not this archive.
    #[error("it belongs to something else: {0}")]
    Foreign(String),
    /// The keys are refused.
    #[error("it refuses the keys: {0}")]
    Denied(String),
    /// Bytes are not what their name or the manifest says.
    #[error("damaged: {0}")]
    Corrupt(String),
    /// An identity (age) is needed to read, or the given one does not fit.
    #[error("the archive is encrypted: {0}")]
    Locked(String),
    /// The settings cannot be used.
    #[error("{0}")]
    Settings(String),
    /// Passing trouble that outlasted the retries.
    #[error("it does not answer as it should: {0}")]
    Unavailable(String),
}

impl ArchiveError {
    /// The class, which decides what the run does next.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Missing(_) => ErrorKind::DestinationMissing,
            Self::ReadOnly(_) | Self::Denied(_) => ErrorKind::DestinationReadOnly,
            Self::Full(_) => ErrorKind::DestinationFull,
            Self::Foreign(_) => ErrorKind::Conflict,
            Self::Corrupt(_) => ErrorKind::Corrupt,
            Self::Locked(_) | Self::Settings(_) => ErrorKind::InvalidInput,
            Self::Unavailable(_) => ErrorKind::Unavailable,
        }
    }
}

/// Where a finished draft goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// By content hash (archive layout).
    ByContent,
    /// At this path below the root (mirror layout), with a sidecar beside it. The path is already safe.
    At {
        /// `by-month/2024/2024-06/NAME.jpg`.
        path: String,
        /// The sidecar's JSON text.
        sidecar: String,
    },
}

/// Bytes on their way into the archive: hashed, encrypted if asked, and kept out of sight until committed.
/// Dropping it removes what was written.
#[async_trait]
pub trait Draft: Send {
    /// Takes the next bytes.
    async fn write(&mut self, bytes: Bytes) -> Result<(), ArchiveError>;

    /// Forgets what was written, so that the item can begin anew.
    async fn restart(&mut self) -> Result<(), ArchiveError>;

    /// Ends the bytes. What comes back is complete but neither durable nor visible yet.
    async fn finish(self: Box<Self>, placement: Placement) -> Result<Staged, ArchiveError>;
}

/// A finished draft, waiting for [`Archive::commit`]. Dropping it removes it.
pub struct Staged {
    /// Hash of the plain bytes.
    pub blob: BlobHash,
    /// Plain length in bytes.
    pub size: u64,
    /// Where it will lie below the root.
    pub path: String,
    /// What the adapter needs to commit it; its `Drop` removes what was staged.
    pub handle: Box<dyn std::any::Any + Send>,
}

impl std::fmt::Debug for Staged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Staged")
            .field("path", &self.path)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Writes a manifest from start to end, holding only a small part in memory.
#[async_trait]
pub trait ManifestWriter: Send {
    /// Adds an item. All items come before the first album.
    async fn item(&mut self, item: &ManifestItem) -> Result<(), ArchiveError>;

    /// Adds an album.
    async fn album(&mut self, album: &ManifestAlbum) -> Result<(), ArchiveError>;

    /// The hash to sign: BLAKE3 of everything before the signature.
    async fn seal(&mut self) -> Result<BlobHash, ArchiveError>;

    /// Writes the signature and makes the manifest durable and visible. An identical one that is already there is fine.
    async fn publish(self: Box<Self>, signature: [u8; 64]) -> Result<(), ArchiveError>;
}

/// One step through a manifest.
#[derive(Debug, Clone, PartialEq)]
pub enum ManifestEntry {
    /// The head: always first.
    Head(ManifestHead),
    /// An item.
    Item(Box<ManifestItem>),
    /// An album.
    Album(ManifestAlbum),
    /// The end, after the signature was checked against the archive's key.
    End {
        /// The hash that was signed.
        hash: BlobHash,
        /// Items passed.
        items: u64,
    },
}

/// The archive a plan writes to and people restore from.
#[async_trait]
pub trait Archive: Send + Sync {
    /// Creates the archive, or checks that what is there is this archive (same id, layout, recipients, signing key).
    async fn open_or_create(&self) -> Result<ArchiveId, ArchiveError>;

    /// Checks that this archive is there. Never creates it: an empty folder in its place, such as the mount point of a disk
    /// that is away, is [`ArchiveError::Missing`].
    async fn open(&self) -> Result<(), ArchiveError>;

    /// A small write, read and delete, to learn whether the destination works.
    async fn probe(&self) -> Result<(), ArchiveError>;

    /// Begins an object.
    async fn draft(&self) -> Result<Box<dyn Draft>, ArchiveError>;

    /// Makes a group durable, then visible. One result for each, in order. An equal object that is already there is fine.
    async fn commit(&self, group: Vec<Staged>) -> Vec<Result<(), ArchiveError>>;

    /// Removes what crashed writers left behind and nobody can be using any more.
    async fn sweep(&self) -> Result<u64, ArchiveError>;

    /// Begins a manifest.
    async fn begin_manifest(
        &self,
        head: &ManifestHead,
    ) -> Result<Box<dyn ManifestWriter>, ArchiveError>;

    /// The snapshots that are there, oldest first.
    async fn snapshots(&self) -> Result<Vec<SnapshotId>, ArchiveError>;

    /// Reads a manifest entry by entry. Fails when it is damaged or its signature does not fit.
    async fn read_manifest(
        &self,
        snapshot: SnapshotId,
    ) -> Result<BoxStream<'static, Result<ManifestEntry, ArchiveError>>, ArchiveError>;

    /// Reads an object's plain bytes. Does not check the hash: the reader does, at the end.
    async fn read(
        &self,
        path: &str,
    ) -> Result<BoxStream<'static, Result<Bytes, ArchiveError>>, ArchiveError>;
}

/// What it takes to reach an archive.
#[derive(Debug, Clone)]
pub struct ArchiveSpec {
    /// Where it lies.
    pub place: StorageSettings,
    /// Keys, for a bucket.
    pub keys: Option<BucketKeys>,
    /// The archive that must be there, or is to be made.
    pub archive: ArchiveId,
    /// Layout and encryption.
    pub options: PlanOptions,
    /// The Ed25519 key that its manifests are signed with.
    pub signing_key: [u8; 32],
}

/// Opens archives, under the operator's policy of what may be reached.
#[async_trait]
pub trait Archives: Send + Sync {
    /// Opens without touching the destination; wrong or forbidden settings are refused here.
    async fn open(&self, spec: ArchiveSpec) -> Result<Arc<dyn Archive>, ArchiveError>;

    /// The files of a place that is no archive. Opens without touching it, as above.
    async fn files(
        &self,
        place: StorageSettings,
        keys: Option<BucketKeys>,
    ) -> Result<Arc<dyn Files>, ArchiveError>;
}
