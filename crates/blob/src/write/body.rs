//! A finished body: all its bytes as they will lie at the destination.

use bytes::Bytes;
use tempfile::NamedTempFile;
use tokio::sync::OwnedSemaphorePermit;

use super::room::Rented;

/// Where the bytes wait.
pub(crate) enum Content {
    /// Small: in memory.
    Memory(Vec<Bytes>),
    /// In a staged file, which goes when this is dropped.
    File(NamedTempFile),
}

/// Bytes that are complete.
pub(crate) struct Body {
    pub(super) content: Content,
    /// Bytes as stored, after sealing.
    pub(super) stored: u64,
    /// Holds room in the spool.
    pub(super) _rented: Option<Rented>,
    /// Holds room among bodies that wait in memory.
    pub(super) _memory: Option<OwnedSemaphorePermit>,
}

impl Body {
    /// A body that is at hand.
    pub(crate) fn of(bytes: Bytes) -> Self {
        let stored = bytes.len() as u64;
        Self {
            content: Content::Memory(vec![bytes]),
            stored,
            _rented: None,
            _memory: None,
        }
    }
}
