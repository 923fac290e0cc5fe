//! Whoever keeps the key-encryption keys: a key ring of our own, or a key service outside. Tenants' keys are wrapped and
//! unwrapped here and nowhere else.

mod cache;
mod ring;
mod source;
mod state;
mod transit;

use async_trait::async_trait;
use tintype_ports::VaultError;

pub(crate) use cache::{Keys, TenantKeys};
pub use source::KeySource;
pub use transit::TransitSettings;

use crate::seal::{KeyBytes, Place};

/// Why a keeper does not wrap or unwrap.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeeperError {
    /// The version that wrapped a key is not there (any more).
    #[error("there is no key-encryption key of version {0}; add it to the key ring")]
    Missing(i64),
    /// A wrapped key does not open: it was changed, moved, or wrapped by another key.
    #[error("a wrapped key does not open")]
    Wrong,
    /// The keeper cannot be asked just now; the text says why and what to do.
    #[error("{0}")]
    Away(String),
}

impl From<KeeperError> for VaultError {
    fn from(error: KeeperError) -> Self {
        match error {
            KeeperError::Wrong => Self::Sealed,
            KeeperError::Missing(_) | KeeperError::Away(_) => Self::Locked(error.to_string()),
        }
    }
}

/// A keeper of versioned key-encryption keys. The newest version wraps; the others only unwrap.
#[async_trait]
pub(crate) trait Keeper: Send + Sync {
    /// The version that wraps.
    async fn newest(&self) -> Result<i64, KeeperError>;

    /// Wraps a key for a place with the newest version, and says which that was. The place's own key version is not looked at.
    async fn wrap(&self, place: Place<'_>, key: &KeyBytes) -> Result<(i64, Vec<u8>), KeeperError>;

    /// Unwraps what was wrapped for a place with the version that the place names.
    async fn unwrap(&self, place: Place<'_>, wrapped: &[u8]) -> Result<KeyBytes, KeeperError>;
}

/// A key's 32 bytes, if that is what they are.
fn key_bytes(bytes: &[u8]) -> Result<KeyBytes, KeeperError> {
    <[u8; 32]>::try_from(bytes)
        .map(KeyBytes::new)
        .map_err(|_| KeeperError::Wrong)
}
