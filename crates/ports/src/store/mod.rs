//! The catalogue: the database is the truth. Tenant-scoped traits take the tenant first and never see another one's rows;
//! [`Scheduling`], [`QuotaLedger`],
//! [`Leases`], [`Fleet`] and [`Warnings`] look across tenants.

mod answers;
mod fleet;
mod items;
mod originals;
mod plans;
mod runs;
mod scheduling;
mod setup;
mod snapshots;
mod uploads;
mod warnings;

use tintype_model::ErrorKind;

pub use answers::{Answers, CallClaim, KeptAnswer, KeyedCall};
pub use fleet::{Fleet, HeldLease, Leases, WorkerReport};
pub use items::{
    Checkpoint, FailedItem, ItemUpsert, Items, KnownItem, Outcome, PageWrite, PathClaim,
    PendingItem, PickedItem,
};
pub use originals::{OriginalsMark, OriginalsMarks, OriginalsWrite};
pub use plans::Plans;
pub use runs::{LeaseAnswer, OpenShards, Release, Renewed, RunFilter, Runs, Shards};
pub use scheduling::{
    Backlog, Holder, Load, Lost, OpenLease, QuotaLedger, QuotaRow, Scheduling, SetAside,
    ShardStanding,
};
pub use setup::Setup;
pub use snapshots::Snapshots;
pub use uploads::{
    AlbumGrowth, AlbumPart, JournalEntry, MadeItem, SentBytes, Twin, UploadRecord, Uploads,
};
pub use warnings::{Warnings, WatchedStorage};

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

/// Everything the catalogue does.
pub trait Store:
    Setup
    + Plans
    + Runs
    + Shards
    + Items
    + OriginalsMarks
    + Snapshots
    + Scheduling
    + QuotaLedger
    + Leases
    + Fleet
    + Answers
    + Uploads
    + Warnings
{
}

impl<T> Store for T where
    T: Setup
        + Plans
        + Runs
        + Shards
        + Items
        + OriginalsMarks
        + Snapshots
        + Scheduling
        + QuotaLedger
        + Leases
        + Fleet
        + Answers
        + Uploads
        + Warnings
{
}
