//! A storage: a connected place, and the settings a person chose for it. Secrets live in the vault.

mod batch;
mod google_photos;
mod proxy;

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{StorageId, TenantId};

pub use batch::{BatchError, BatchMode, BatchOptions, LARGEST_BATCH};
pub use google_photos::{GooglePhotosSettings, GoogleScope, OptionError, YearError};
pub use proxy::{ProxyUrl, ProxyUrlError};

/// What of storages only a trusted operator may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoragePolicy {
    /// Archives in folders of the machine that works.
    pub local_folders: bool,
    /// Buckets and download proxies at addresses of this machine or of a private network.
    pub private_addresses: bool,
}

impl StoragePolicy {
    /// For a person on their own machine.
    pub const OWN_MACHINE: Self = Self {
        local_folders: true,
        private_addresses: true,
    };

    /// For tenants that are strangers to the machine.
    pub const STRANGERS: Self = Self {
        local_folders: false,
        private_addresses: false,
    };
}

/// An S3 bucket, or a prefix in one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct S3Settings {
    /// The bucket.
    pub bucket: String,
    /// What every key begins with; empty for the whole bucket.
    pub prefix: String,
    /// `https://…` of the service.
    pub endpoint: String,
    /// Region name as the service knows it.
    pub region: String,
}

/// What kind of place a storage is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StorageSettings {
    /// A Google Photos account.
    GooglePhotos(GooglePhotosSettings),
    /// A folder on this machine. Only where the operator's policy allows it.
    LocalFolder {
        /// Absolute path.
        path: PathBuf,
    },
    /// Object storage with the S3 API.
    S3(S3Settings),
}

/// A connected place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storage {
    /// Its id.
    pub id: StorageId,
    /// Whose it is.
    pub tenant: TenantId,
    /// At most 100 characters, unique per tenant.
    pub name: String,
    /// What it is.
    pub settings: StorageSettings,
    /// When it was connected.
    pub created_at: DateTime<Utc>,
}

/// Why a name cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing but white space.
    #[error("name: must not be empty; choose a name of 1 to 100 characters")]
    Empty,
    /// Longer than a name may be.
    #[error("name: {0} characters are too many; choose a name of 1 to 100 characters")]
    TooLong(usize),
    /// Line breaks, escapes and the like.
    #[error("name: must not hold control characters")]
    Control,
}

/// Checks the name of a storage or plan and trims white space around it.
///
/// # Errors
/// When it is empty, longer than 100 characters, or holds control characters.
pub fn checked_name(text: &str) -> Result<String, NameError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(NameError::Empty);
    }
    let length = trimmed.chars().count();
    if length > 100 {
        return Err(NameError::TooLong(length));
    }
    if trimmed.chars().any(char::is_control) {
        return Err(NameError::Control);
    }
    Ok(trimmed.to_owned())
}
