//! What a use case answers when it cannot do what was asked.

use tintype_model::{
    ErrorKind,
    run::Refused,
    storage::{NameError, OptionError},
};
use tintype_ports::{
    ArchiveError, PhotoError, StoreError, VaultError, events::EventsError, queue::QueueError,
    quota::QuotaError,
};

/// Why a use case failed. Each variant keeps its source; [`AppError::kind`] sorts it.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Something a person chose is wrong; says which field and what to do.
    #[error("{0}")]
    Invalid(String),
    /// The named thing does not exist.
    #[error("{0} was not found")]
    NotFound(String),
    /// What is there does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// The run cannot do that now.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The catalogue failed.
    #[error("the catalogue could not be used")]
    Store(#[from] StoreError),
    /// The vault failed.
    #[error("the vault could not be used")]
    Vault(#[from] VaultError),
    /// Google failed.
    #[error("google photos could not be used")]
    Photos(#[from] PhotoError),
    /// The destination failed.
    #[error("the destination could not be used")]
    Archive(#[from] ArchiveError),
    /// What is to be uploaded could not be read.
    #[error("the source could not be read")]
    Source(#[source] ArchiveError),
    /// A person is to pick photos first.
    #[error("pick photos at {uri}")]
    PickAwaited {
        /// Where.
        uri: String,
        /// How long to wait before a look whether they have.
        poll_after: std::time::Duration,
    },
    /// A task of ours ended without a result.
    #[error("the work ended in a defect of the program: {0}")]
    Defect(&'static str),
    /// The job queue failed.
    #[error("the job queue could not be used")]
    Queue(#[from] QueueError),
    /// The quota could not be asked.
    #[error("the quota could not be asked")]
    Quota(#[from] QuotaError),
    /// The event bus failed.
    #[error("the event bus could not be used")]
    Events(#[from] EventsError),
}

/// What use cases return.
pub type AppResult<T> = Result<T, AppError>;

impl AppError {
    /// The class of the failure.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) => ErrorKind::InvalidInput,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Conflict(_) | Self::Refused(_) => ErrorKind::Conflict,
            Self::Defect(_) => ErrorKind::Internal,
            Self::PickAwaited { .. } => ErrorKind::PickAwaited,
            Self::Store(error) => error.kind(),
            Self::Vault(error) => error.kind(),
            Self::Photos(error) => error.kind(),
            Self::Archive(error) | Self::Source(error) => error.kind(),
            Self::Queue(_) | Self::Events(_) => ErrorKind::Unavailable,
            Self::Quota(error) => error.kind(),
        }
    }
}

impl From<NameError> for AppError {
    fn from(error: NameError) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<OptionError> for AppError {
    fn from(error: OptionError) -> Self {
        Self::Invalid(error.to_string())
    }
}
