//! Where the key-encryption keys come from.

use std::{env, path::PathBuf, sync::Arc};

use secrecy::SecretString;
use tintype_ports::Entropy;

use super::transit::{Transit, TransitSettings};
use crate::{
    error::OpenError,
    keyring::{KeyRing, KeyRingError},
};

/// Where a vault has its key-encryption keys from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// This ring. A vault whose data it does not fit is not opened.
    Ring(KeyRing),
    /// A key file, read again when it changes. Without it the vault starts sealed, and unseals when it turns up.
    File(PathBuf),
    /// An environment variable with the ring's text form. Without it the vault starts sealed.
    Variable(String),
    /// The Transit engine of HashiCorp Vault or OpenBao. While it does not answer, the vault starts sealed.
    Transit(Box<TransitSettings>),
}

impl From<KeyRing> for KeySource {
    fn from(ring: KeyRing) -> Self {
        Self::Ring(ring)
    }
}

impl From<TransitSettings> for KeySource {
    fn from(settings: TransitSettings) -> Self {
        Self::Transit(Box::new(settings))
    }
}

/// What a look at the source found.
pub(super) enum Found {
    Ring(KeyRing),
    Transit(Box<Transit>),
}

impl KeySource {
    /// Looks.
    pub(super) async fn look(&self, entropy: &Arc<dyn Entropy>) -> Result<Found, OpenError> {
        let ring = match self {
            Self::Ring(ring) => ring.clone(),
            Self::File(path) => {
                let path = path.clone();
                // A file system may take its time.
                let read = tokio::task::spawn_blocking(move || KeyRing::read_file(&path)).await;
                read.map_err(|error| OpenError::KeysAway(error.to_string()))??
            }
            Self::Variable(name) => {
                let text =
                    env::var(name).map_err(|_| KeyRingError::NotSet { name: name.clone() })?;
                KeyRing::parse(&SecretString::from(text))?
            }
            Self::Transit(settings) => {
                let transit = Transit::new(settings.as_ref().clone(), Arc::clone(entropy))?;
                return Ok(Found::Transit(Box::new(transit)));
            }
        };
        Ok(Found::Ring(ring))
    }

    /// Whether a vault without these keys is opened all the same, sealed.
    pub(crate) const fn may_come_later(&self) -> bool {
        !matches!(self, Self::Ring(_))
    }
}
