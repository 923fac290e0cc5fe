//! Manifests: one line an item, compressed, signed. Written and read in one pass with flat memory.

mod index;
mod read;
mod write;

use serde::{Deserialize, Serialize};
use tintype_model::{BlobHash, snapshot::ManifestHead};
use tintype_ports::ArchiveError;

pub(crate) use index::Index;
pub(crate) use read::{BAD_SIGNATURE, Wanted, read};
pub(crate) use write::Writer;

const FORMAT: &str = "tintype-snapshot";
const VERSION: u32 = 1;
/// What the signed hash begins with, so that a signature on something else never fits.
const DOMAIN: &[u8] = b"tintype snapshot v1\n";
const ITEMS: &str = "\"items\":[";
const ALBUMS: &str = "],\"albums\":[";
const CLOSE: &str = "],";
/// An album of 20,000 items with the longest ids takes 10 MB.
const LONGEST_LINE: usize = 16 * 1024 * 1024;

/// After the compressed bytes: a frame that zstd skips, with the BLAKE3 of all bytes before it.
const TRAILER_MAGIC: [u8; 8] = [0x5E, 0x2A, 0x4D, 0x18, 32, 0, 0, 0];
const TRAILER_LENGTH: usize = TRAILER_MAGIC.len() + 32;

#[derive(Serialize, Deserialize)]
struct HeadLine {
    format: String,
    version: u32,
    head: ManifestHead,
}

fn head_line(head: &ManifestHead) -> Result<String, ArchiveError> {
    let line = HeadLine {
        format: FORMAT.to_owned(),
        version: VERSION,
        head: head.clone(),
    };
    let json = to_json(&line)?;
    // The object stays open: items, albums and signature follow.
    Ok(format!(
        "{},\n{ITEMS}",
        json.trim_end_matches('}').to_owned() + "}"
    ))
}

fn signature_line(hash: &BlobHash, signature: &[u8; 64]) -> String {
    let signature = hex::encode(signature);
    format!("\"signature\":{{\"blake3\":\"{hash}\",\"ed25519\":\"{signature}\"}}}}\n")
}

fn signed_hasher() -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    hasher.update(DOMAIN);
    hasher
}

fn to_json(value: &impl Serialize) -> Result<String, ArchiveError> {
    serde_json::to_string(value)
        .map_err(|error| ArchiveError::Settings(format!("a manifest line is not JSON: {error}")))
}

fn trailer(hasher: &blake3::Hasher) -> Vec<u8> {
    [
        TRAILER_MAGIC.as_slice(),
        hasher.finalize().as_bytes().as_slice(),
    ]
    .concat()
}
