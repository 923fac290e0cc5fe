//! A finished body: all its bytes as they will lie at the destination.

use bytes::Bytes;

use super::{output::StagedFile, room::Rented};

/// Where the bytes wait.
pub(crate) enum Content {
    /// Small: in memory.
    Memory(Bytes),
    /// In a staged file, which goes when this is dropped.
    File(StagedFile),
}

/// Bytes that are complete.
pub(crate) struct Body {
    pub(super) content: Content,
    /// Bytes as stored, after sealing.
    pub(super) stored: u64,
    /// Holds room in the spool.
    pub(super) _rented: Option<Rented>,
}

impl Body {
    /// A body that is at hand.
    pub(crate) fn of(bytes: Bytes) -> Self {
        let stored = bytes.len() as u64;
        Self {
            content: Content::Memory(bytes),
            stored,
            _rented: None,
        }
    }
}
