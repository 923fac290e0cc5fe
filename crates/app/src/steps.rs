//! The journal steps of a run, in order, and those of looking after accounts. A probe is told of each one, so that tests can end the process right there.

use std::{fmt, str::FromStr};

/// A point at which a crash must lose nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// The archive is at the destination; its plan is not written yet.
    ArchiveMade,
    /// The run and its first shard are written.
    RunStarted,
    /// A shard's message is in the outbox.
    Dispatched,
    /// A shard is leased.
    Leased,
    /// A listing page was received.
    PageListed,
    /// What the listing found is written.
    PageWritten,
    /// An item's bytes have arrived.
    Downloaded,
    /// A group is about to be committed.
    Staged,
    /// A group is durable and visible.
    Committed,
    /// A group is recorded as stored.
    Recorded,
    /// An item's bytes are with Google; no item is made of them yet.
    BytesSent,
    /// An album is noted; it is not made yet.
    AlbumIntended,
    /// An album is made; its id is not noted yet.
    AlbumMade,
    /// A batch is in the journal; it is not asked for yet.
    UploadJournalled,
    /// Google answered a batch; nothing of it is recorded yet.
    ItemsMade,
    /// What became of a batch is recorded.
    UploadRecorded,
    /// Items of a snapshot or of another account are in their albums.
    AlbumsJoined,
    /// A shard is done.
    ShardFinished,
    /// The manifest is published.
    ManifestWritten,
    /// The snapshot is recorded.
    SnapshotRecorded,
    /// A tenant is told that an account's token will die; that it was told is not recorded yet.
    WarningTold,
    /// All accounts were looked after.
    AccountsLookedAfter,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 22] = [
        Self::ArchiveMade,
        Self::RunStarted,
        Self::Dispatched,
        Self::Leased,
        Self::PageListed,
        Self::PageWritten,
        Self::Downloaded,
        Self::Staged,
        Self::Committed,
        Self::Recorded,
        Self::BytesSent,
        Self::AlbumIntended,
        Self::AlbumMade,
        Self::UploadJournalled,
        Self::ItemsMade,
        Self::UploadRecorded,
        Self::AlbumsJoined,
        Self::ShardFinished,
        Self::ManifestWritten,
        Self::SnapshotRecorded,
        Self::WarningTold,
        Self::AccountsLookedAfter,
    ];

    /// The step's name in kebab case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ArchiveMade => "archive-made",
            Self::RunStarted => "run-started",
            Self::Dispatched => "dispatched",
            Self::Leased => "leased",
            Self::PageListed => "page-listed",
            Self::PageWritten => "page-written",
            Self::Downloaded => "downloaded",
            Self::Staged => "staged",
            Self::Committed => "committed",
            Self::Recorded => "recorded",
            Self::BytesSent => "bytes-sent",
            Self::AlbumIntended => "album-intended",
            Self::AlbumMade => "album-made",
            Self::UploadJournalled => "upload-journalled",
            Self::ItemsMade => "items-made",
            Self::UploadRecorded => "upload-recorded",
            Self::AlbumsJoined => "albums-joined",
            Self::ShardFinished => "shard-finished",
            Self::ManifestWritten => "manifest-written",
            Self::SnapshotRecorded => "snapshot-recorded",
            Self::WarningTold => "warning-told",
            Self::AccountsLookedAfter => "accounts-looked-after",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|step| step.name() == text)
            .ok_or_else(|| format!("unknown journal step {text:?}"))
    }
}

/// Is told of each journal step.
pub trait Steps: Send + Sync {
    /// The step was just reached.
    fn reached(&self, step: Step);
}

/// Nobody is told.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSteps;

impl Steps for NoSteps {
    fn reached(&self, _step: Step) {}
}
