//! The key-encryption keys: versioned, 256 bits each, never in the database.
//!
//! Text form, in a file (one key a line) or in an environment variable (separated by commas): the version, white space,
//! the key in base64. Lines that begin with `#` are comments. The highest version wraps; the others only open.

mod file;

use std::{collections::BTreeMap, fmt, io, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};

use crate::seal::{KeyBytes, random_key};

/// Why there is no usable key ring.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// The file cannot be read or written.
    #[error("the key file {path} cannot be used")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others than its owner may read the file.
    #[error("the key file {path} may be read by others (mode {mode:o}); run chmod 600 on it")]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not a regular file.
    #[error("the key file {path} is not a regular file")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A line is not a version and a key.
    #[error("key {position} is not a version from 1 and 32 bytes in base64")]
    Malformed {
        /// Which key, counted from 1.
        position: usize,
    },
    /// Two keys of one version.
    #[error("version {version} stands twice in the key ring")]
    Twice {
        /// The version.
        version: i64,
    },
    /// There is no key at all.
    #[error("the key ring has no key")]
    Empty,
    /// The environment variable that should hold the ring is not set.
    #[error("the environment variable {name}, which should hold the key ring, is not set")]
    NotSet {
        /// The variable.
        name: String,
    },
    /// The version to retire is the newest, or not there.
    #[error("version {version} is the newest or not in the key ring, so it cannot be retired")]
    NotRetirable {
        /// The version.
        version: i64,
    },
    /// The system gives no random bytes.
    #[error("no random bytes for a new key")]
    NoRandomness,
}

/// The key-encryption keys of a vault.
#[derive(Clone)]
pub struct KeyRing {
    keys: BTreeMap<i64, KeyBytes>,
    newest: i64,
}

impl KeyRing {
    /// A ring of one new random key, version 1. For tests and for whoever keeps the text form somewhere safe.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> Result<Self, KeyRingError> {
        let key = random_key().map_err(|_| KeyRingError::NoRandomness)?;
        Ok(Self {
            keys: BTreeMap::from([(1, key)]),
            newest: 1,
        })
    }

    /// Reads the text form, as an environment variable holds it.
    ///
    /// # Errors
    /// When it is empty, malformed, or names a version twice. No error shows key material.
    pub fn parse(text: &SecretString) -> Result<Self, KeyRingError> {
        let mut keys = BTreeMap::new();
        let entries = text
            .expose_secret()
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .flat_map(|line| line.split(','))
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        for (index, line) in entries.enumerate() {
            let position = index + 1;
            let (version, key) = parse_entry(line).ok_or(KeyRingError::Malformed { position })?;
            if keys.insert(version, key).is_some() {
                return Err(KeyRingError::Twice { version });
            }
        }
        let newest = keys
            .keys()
            .next_back()
            .copied()
            .ok_or(KeyRingError::Empty)?;
        Ok(Self { keys, newest })
    }

    /// The text form, to be kept as carefully as the keys.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        let mut text = Zeroizing::new(String::new());
        for (version, key) in &self.keys {
            let encoded = Zeroizing::new(STANDARD.encode(key.as_slice()));
            text.push_str(&version.to_string());
            text.push(' ');
            text.push_str(&encoded);
            text.push('\n');
        }
        SecretString::from(text.as_str())
    }

    /// The same ring with one more random key, which is the newest.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn with_new_key(&self) -> Result<Self, KeyRingError> {
        let key = random_key().map_err(|_| KeyRingError::NoRandomness)?;
        let newest = self.newest + 1;
        let mut keys = self.keys.clone();
        keys.insert(newest, key);
        Ok(Self { keys, newest })
    }

    /// The same ring without an old key. Rewrap first: what is still wrapped with it is lost.
    ///
    /// # Errors
    /// When it is the newest key, or there is no such version.
    pub fn without(&self, version: i64) -> Result<Self, KeyRingError> {
        let mut keys = self.keys.clone();
        if version == self.newest || keys.remove(&version).is_none() {
            return Err(KeyRingError::NotRetirable { version });
        }
        Ok(Self {
            keys,
            newest: self.newest,
        })
    }

    /// The version that wraps.
    #[must_use]
    pub const fn newest(&self) -> i64 {
        self.newest
    }

    /// All versions, oldest first.
    #[must_use]
    pub fn versions(&self) -> Vec<i64> {
        self.keys.keys().copied().collect()
    }

    /// The key of a version.
    pub(crate) fn key(&self, version: i64) -> Option<&KeyBytes> {
        self.keys.get(&version)
    }

    /// Whether both hold the same keys.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.keys == other.keys
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("versions", &self.versions())
            .finish_non_exhaustive()
    }
}

fn parse_entry(line: &str) -> Option<(i64, KeyBytes)> {
    let (version, key) = line.split_once(char::is_whitespace)?;
    let version = version.parse().ok().filter(|version| *version >= 1)?;
    let decoded = Zeroizing::new(STANDARD.decode(key.trim()).ok()?);
    let bytes = <[u8; 32]>::try_from(decoded.as_slice()).ok()?;
    Some((version, KeyBytes::new(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_survives_its_text_form() {
        let ring = KeyRing::generate().unwrap().with_new_key().unwrap();
        let read = KeyRing::parse(&ring.to_text()).unwrap();
        assert_eq!((read.versions(), read.newest()), (vec![1, 2], 2));
        assert_eq!(
            read.to_text().expose_secret(),
            ring.to_text().expose_secret()
        );
        let on_one_line = ring.to_text().expose_secret().trim().replace('\n', ",");
        assert_eq!(
            KeyRing::parse(&on_one_line.into()).unwrap().versions(),
            [1, 2]
        );
    }

    #[test]
    fn a_damaged_ring_is_refused_without_showing_it() {
        let good = KeyRing::generate().unwrap().to_text();
        let good = good.expose_secret();
        let twice = format!("{good}{good}");
        let short = format!("1 {}", STANDARD.encode([7; 16]));
        let cases = [
            "",
            "# only a comment",
            "1",
            "0 AAAA",
            "x y",
            &good[..20],
            &twice,
            &short,
        ];
        for text in cases {
            let error = KeyRing::parse(&SecretString::from(text)).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains(&good[2..20]), "{shown}");
        }
    }

    #[test]
    fn the_newest_key_cannot_be_retired() {
        let ring = KeyRing::generate().unwrap().with_new_key().unwrap();
        assert!(matches!(
            ring.without(2),
            Err(KeyRingError::NotRetirable { version: 2 })
        ));
        assert!(matches!(
            ring.without(7),
            Err(KeyRingError::NotRetirable { version: 7 })
        ));
        assert_eq!(ring.without(1).unwrap().versions(), [2]);
    }

    #[test]
    fn a_ring_shows_its_versions_only() {
        assert_eq!(
            format!("{:?}", KeyRing::generate().unwrap()),
            "KeyRing { versions: [1], .. }"
        );
    }
}
