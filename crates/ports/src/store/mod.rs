//! The catalogue: the database is the truth. Tenant-scoped traits take the tenant first and never see another one's rows;
//! [`Scheduling`] and [`QuotaLedger`] look across tenants.

mod items;
mod runs;
mod scheduling;
mod setup;
mod snapshots;

use tintype_model::ErrorKind;

pub use items::{
    Checkpoint, ItemUpsert, Items, KnownItem, Outcome, PageWrite, PathClaim, PendingItem,
};
pub use runs::{LeaseAnswer, OpenShards, Release, Runs, Shards};
pub use scheduling::{Backlog, QuotaLedger, Scheduling};
pub use setup::Setup;
pub use snapshots::Snapshots;

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
pub trait Store: Setup + Runs + Shards + Items + Snapshots + Scheduling + QuotaLedger {}

impl<T: Setup + Runs + Shards + Items + Snapshots + Scheduling + QuotaLedger> Store for T {}
