//! A body that is read from memory, and what was asked of it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use tintype_ports::photos::{Body, BodyBroke, Pieces};

/// Bytes of a piece.
pub(crate) const PIECE: usize = 100_000;

/// Bytes in memory.
pub(crate) struct Memory {
    bytes: Bytes,
    /// What is read from the second time on, where that differs.
    later: Option<Bytes>,
    /// Breaks after so many bytes of the whole.
    pub(crate) breaks_at: Option<usize>,
    /// From where it was read.
    pub(crate) opened: Vec<u64>,
    /// Bytes of pieces that somebody holds, and the most that were ever held.
    held: Arc<AtomicUsize>,
    pub(crate) most_held: Arc<AtomicUsize>,
}

impl Memory {
    pub(crate) fn of(bytes: impl Into<Bytes>) -> Self {
        Self {
            bytes: bytes.into(),
            later: None,
            breaks_at: None,
            opened: Vec::new(),
            held: Arc::default(),
            most_held: Arc::default(),
        }
    }

    /// Other bytes when it is read again.
    pub(crate) fn then(mut self, later: impl Into<Bytes>) -> Self {
        self.later = Some(later.into());
        self
    }

    fn piece(&self, bytes: &[u8]) -> Bytes {
        let held = self.held.fetch_add(bytes.len(), Ordering::Relaxed) + bytes.len();
        self.most_held.fetch_max(held, Ordering::Relaxed);
        Bytes::from_owner(Piece {
            bytes: bytes.to_vec(),
            held: Arc::clone(&self.held),
        })
    }
}

/// Pseudo-random bytes, the same for each length.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A piece that says when it is let go.
struct Piece {
    bytes: Vec<u8>,
    held: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

#[async_trait]
impl Body for Memory {
    async fn read_from(&mut self, offset: u64) -> Result<Pieces, BodyBroke> {
        let again = !self.opened.is_empty();
        self.opened.push(offset);
        let source = Self {
            bytes: match &self.later {
                Some(later) if again => later.clone(),
                _ => self.bytes.clone(),
            },
            later: None,
            breaks_at: self.breaks_at,
            opened: Vec::new(),
            held: Arc::clone(&self.held),
            most_held: Arc::clone(&self.most_held),
        };
        let at = usize::try_from(offset).unwrap();
        Ok(stream::unfold((source, at), next).boxed())
    }
}

async fn next(
    (source, at): (Memory, usize),
) -> Option<(Result<Bytes, BodyBroke>, (Memory, usize))> {
    if source.breaks_at.is_some_and(|breaks_at| at >= breaks_at) {
        return Some((Err(BodyBroke), (source, at)));
    }
    let end = source.bytes.len().min(at + PIECE);
    if at >= end {
        return None;
    }
    let piece = source.piece(&source.bytes[at..end]);
    Some((Ok(piece), (source, end)))
}
