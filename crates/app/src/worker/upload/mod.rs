//! The work of a plan that writes to a Google Photos account: bytes are sent, many at a time; items are made of them in batches,
//! one batch of an account at a time; each step is in the journal before the next one (crates/ports/src/store/uploads.rs).

mod albums;
mod batches;
mod begin;
mod conclude;
mod make;
mod memory;
mod origin;
mod prepaid;
mod read;
mod send;
mod shard;
mod sort;
mod supply;
mod twins;
mod verdicts;

use chrono::{DateTime, Utc};
use tintype_model::{BlobHash, item::ProviderId};
use tintype_ports::{photos::UploadToken, store::PendingItem};

pub(crate) use memory::Memory;

/// An item whose bytes Google has, or had before.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) item: PendingItem,
    pub(super) content: BlobHash,
    pub(super) size: u64,
    pub(super) how: How,
}

/// What an item can be made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum How {
    /// Of bytes that were sent just now.
    New(Voucher),
    /// Of bytes that were sent before: perhaps it was made then, and nobody heard of it.
    Again(Voucher),
    /// By the journal there is one.
    Known,
}

/// What Google makes an item for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Voucher {
    pub(super) token: UploadToken,
    pub(super) expires_at: DateTime<Utc>,
}

/// From here on bytes are not held but read piece by piece, and an interruption costs only what was under way. It takes three calls
/// to send them, below one.
pub(crate) const LARGE: u64 = 8 << 20;

/// Google's limit for the title of an album, in characters.
pub(crate) const LONGEST_TITLE: usize = 500;

/// What a snapshot says of an item's bytes: their hash and length.
pub(super) fn archived(item: &PendingItem) -> Option<(BlobHash, u64)> {
    let file = item.metadata.file.as_ref()?;
    Some((file.version.parse().ok()?, file.size))
}

/// What a person looks for.
pub(super) fn place_of(item: &PendingItem) -> &str {
    let path = item.metadata.file.as_ref().map(|file| file.path.as_str());
    path.unwrap_or(&item.metadata.filename)
}

/// The title of the album that an item is made in.
pub(super) fn album_of(item: &PendingItem) -> Option<&str> {
    item.metadata.file.as_ref()?.album.as_deref()
}

/// Google's limits, in characters: a name may have 255, a description stays below 1,000.
const LONGEST_NAME: usize = 255;
const LONGEST_DESCRIPTION: usize = 999;

/// The name that an item gets: what is too long loses its beginning, not its type.
pub(super) fn name_of(item: &PendingItem) -> String {
    let name = &item.metadata.filename;
    let length = name.chars().count();
    name.chars()
        .skip(length.saturating_sub(LONGEST_NAME))
        .collect()
}

/// The description that an item gets.
pub(super) fn description_of(item: &PendingItem) -> Option<String> {
    let text = item.metadata.description.as_deref()?.trim();
    let kept: String = text.chars().take(LONGEST_DESCRIPTION).collect();
    (!kept.is_empty()).then_some(kept)
}

/// The id of the item that was made, as the catalogue keeps it.
pub(super) fn path_of(id: Option<&ProviderId>) -> String {
    id.map_or_else(String::new, |id| id.as_str().to_owned())
}
