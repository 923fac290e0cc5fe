//! From database errors to the port's errors, and why a vault does not open.

use std::{io, path::PathBuf, time::Duration};

use tintype_ports::VaultError;

use crate::{keeper::KeeperError, keyring::KeyRingError};

/// Why a vault cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database file cannot be made.
    #[error("the vault's database {path} cannot be made")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The database does not open or answer.
    #[error("the vault's database cannot be opened")]
    Database(#[from] sqlx::Error),
    /// The schema cannot be brought up to date.
    #[error("the vault's schema cannot be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The schema was not brought up to date in time.
    #[error("the vault's schema was not brought up to date within {} s", .0.as_secs())]
    Slow(Duration),
    /// Tenants' keys are wrapped with a key that the ring lacks.
    #[error(
        "the key ring lacks version {0}, which the database still needs; add it or restore the key file"
    )]
    KeyMissing(i64),
    /// The key of that version is not the one the database was made with.
    #[error(
        "version {0} of the key-encryption key is not the one this database was made with; restore the key file"
    )]
    KeyWrong(i64),
    /// There is no usable key ring.
    #[error("there is no key ring")]
    KeyRing(#[from] KeyRingError),
    /// The keeper of the keys cannot be asked; the text says why.
    #[error("the key-encryption keys are not to be had: {0}")]
    KeysAway(String),
    /// No client for an outside key service can be built.
    #[error("the key service's settings do not fit")]
    Http(#[from] tintype_runtime::HttpError),
    /// The settings of an outside key service do not fit; the text says how.
    #[error("the key service's settings do not fit: {0}")]
    Settings(&'static str),
    /// No key for this process's memory could be made.
    #[error("the vault cannot make a key for its memory")]
    MemoryKey(#[source] VaultError),
}

impl From<KeeperError> for OpenError {
    fn from(error: KeeperError) -> Self {
        Self::KeysAway(error.to_string())
    }
}

/// A failed statement outside the audit log.
pub(crate) fn database(error: sqlx::Error) -> VaultError {
    VaultError::Database(Box::new(error))
}

/// A failure that keeps an entry out of the audit log.
pub(crate) fn audit(error: impl std::error::Error + Send + Sync + 'static) -> VaultError {
    VaultError::Audit(Box::new(error))
}
