//! `tintype.json`: what an archive says of itself.

use serde::{Deserialize, Serialize};
use tintype_model::{ArchiveId, BlobHash, plan::Layout};
use tintype_ports::ArchiveError;

use crate::paths::DESCRIPTOR;

const FORMAT: &str = "tintype-archive";
const VERSION: u32 = 1;

/// What an archive says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// The archive.
    pub archive: ArchiveId,
    /// How bytes lie in it.
    pub layout: Layout,
    /// age recipients; empty when it is not encrypted.
    pub recipients: Vec<String>,
    /// The Ed25519 key that its manifests are signed with.
    pub signing_key: [u8; 32],
}

#[derive(Serialize, Deserialize)]
struct Text {
    format: String,
    version: u32,
    archive: ArchiveId,
    layout: Layout,
    recipients: Vec<String>,
    signing_key: String,
    /// BLAKE3 of this file with this field empty, so that a flipped bit anywhere is noticed.
    check: String,
}

#[derive(Deserialize)]
struct Kind {
    format: String,
    version: u32,
}

/// Why a file called `tintype.json` cannot be used.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// Nothing of ours.
    Foreign,
    /// Ours, but newer.
    Newer(u32),
    /// Ours, but not as it was written.
    Damaged,
}

impl From<Unreadable> for ArchiveError {
    fn from(reason: Unreadable) -> Self {
        match reason {
            Unreadable::Foreign => Self::Foreign(format!(
                "{DESCRIPTOR} is not the description of a Tintype archive, or it is damaged beyond recognition"
            )),
            Unreadable::Newer(version) => Self::Settings(format!(
                "{DESCRIPTOR} has format version {version}, this program reads up to {VERSION}; use a newer program"
            )),
            Unreadable::Damaged => Self::Corrupt(format!("{DESCRIPTOR} is not as it was written")),
        }
    }
}

impl Descriptor {
    /// Whether objects and manifests are encrypted.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        !self.recipients.is_empty()
    }

    pub(crate) fn to_text(&self) -> Result<String, ArchiveError> {
        let mut text = Text {
            format: FORMAT.to_owned(),
            version: VERSION,
            archive: self.archive,
            layout: self.layout,
            recipients: self.recipients.clone(),
            signing_key: hex::encode(self.signing_key),
            check: String::new(),
        };
        text.check = BlobHash::of(pretty(&text)?.as_bytes()).to_string();
        pretty(&text)
    }

    pub(crate) fn from_text(bytes: &[u8]) -> Result<Self, Unreadable> {
        let kind: Kind = serde_json::from_slice(bytes).map_err(|_| Unreadable::Foreign)?;
        if kind.format != FORMAT {
            return Err(Unreadable::Foreign);
        }
        if kind.version > VERSION {
            return Err(Unreadable::Newer(kind.version));
        }
        let text: Text = serde_json::from_slice(bytes).map_err(|_| Unreadable::Damaged)?;
        let mut signing_key = [0; 32];
        hex::decode_to_slice(&text.signing_key, &mut signing_key)
            .map_err(|_| Unreadable::Damaged)?;
        let descriptor = Self {
            archive: text.archive,
            layout: text.layout,
            recipients: text.recipients,
            signing_key,
        };
        let as_written = descriptor.to_text().map_err(|_| Unreadable::Damaged)?;
        if as_written.as_bytes() != bytes {
            return Err(Unreadable::Damaged);
        }
        Ok(descriptor)
    }
}

fn pretty(text: &Text) -> Result<String, ArchiveError> {
    let json = serde_json::to_string_pretty(text)
        .map_err(|error| ArchiveError::Settings(format!("{DESCRIPTOR}: {error}")))?;
    Ok(json + "\n")
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn every_flipped_bit_is_noticed() {
        let descriptor = Descriptor {
            archive: ArchiveId::new(DateTime::UNIX_EPOCH, [7; 10]),
            layout: Layout::Archive,
            recipients: vec!["age1abc".to_owned()],
            signing_key: [9; 32],
        };
        let text = descriptor.to_text().unwrap().into_bytes();
        assert_eq!(Descriptor::from_text(&text).unwrap(), descriptor);
        for at in 0..text.len() * 8 {
            let mut damaged = text.clone();
            damaged[at / 8] ^= 1 << (at % 8);
            assert!(
                Descriptor::from_text(&damaged).is_err(),
                "bit {at} may not be flipped"
            );
        }
    }
}
