//! The bytes of a body in order, with their SHA-1. They can be read again from any place, and are hashed once all the same.

use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use tintype_ports::photos::{Body, BodyBroke, Pieces};
use tokio::time::timeout;

/// No piece that is given is longer, so that a slow connection is not taken for a silent one.
const LONGEST_PIECE: usize = 64 * 1024;

/// A body that is read from the start, or from where Google stopped.
pub(super) struct Source<'a> {
    body: &'a mut dyn Body,
    size: u64,
    /// Longest wait for the next bytes.
    idle: Duration,
    /// What is being read; `None` before the first.
    pieces: Option<Pieces>,
    /// What was read and has not been given.
    read: Bytes,
    /// Position of the next byte that is given; never beyond `hashed_to`.
    at: u64,
    sha1: Context,
    hashed_to: u64,
}

impl<'a> Source<'a> {
    pub(super) fn new(body: &'a mut dyn Body, size: u64, idle: Duration) -> Self {
        Self {
            body,
            size,
            idle,
            pieces: None,
            read: Bytes::new(),
            at: 0,
            sha1: Context::new(&SHA1_FOR_LEGACY_USE_ONLY),
            hashed_to: 0,
        }
    }

    /// Forgets all that was read.
    pub(super) fn begin_anew(&mut self) {
        self.pieces = None;
        self.read = Bytes::new();
        self.at = 0;
        self.sha1 = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
        self.hashed_to = 0;
    }

    /// Makes the byte at `offset` the next. What lies before it and was never hashed is read for the hash alone.
    pub(super) async fn seek(&mut self, offset: u64) -> Result<(), BodyBroke> {
        if self.pieces.is_some() && self.at == offset {
            return Ok(());
        }
        let start = offset.min(self.hashed_to);
        self.pieces = None;
        self.read = Bytes::new();
        let opened = timeout(self.idle, self.body.read_from(start)).await;
        self.pieces = Some(opened.map_err(|_| too_slow(self.idle))??);
        self.at = start;
        while self.at < offset {
            self.next(offset - self.at).await?.ok_or(BodyBroke)?;
        }
        Ok(())
    }

    /// The next bytes, at most `most` of them. `None` when all have been given and the body ends there as well.
    pub(super) async fn next(&mut self, most: u64) -> Result<Option<Bytes>, BodyBroke> {
        while self.read.is_empty() {
            let pieces = self.pieces.as_mut().ok_or(BodyBroke)?;
            let came = timeout(self.idle, pieces.next()).await;
            match came.map_err(|_| too_slow(self.idle))? {
                Some(piece) => self.read = piece?,
                None if self.at == self.size => return Ok(None),
                None => return Err(BodyBroke),
            }
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let given = self.read.len().min(most).min(LONGEST_PIECE);
        let given = self.read.split_to(given);
        let end = self.at + given.len() as u64;
        if end > self.size {
            return Err(BodyBroke);
        }
        let known = usize::try_from(self.hashed_to - self.at).unwrap_or(usize::MAX);
        self.sha1.update(&given[known.min(given.len())..]);
        self.hashed_to = self.hashed_to.max(end);
        self.at = end;
        Ok(Some(given))
    }

    /// All bytes from `offset` on, which must be few.
    pub(super) async fn rest(&mut self, offset: u64) -> Result<Bytes, BodyBroke> {
        if offset == self.size && self.hashed_to == self.size {
            return Ok(Bytes::new());
        }
        self.seek(offset).await?;
        let length = usize::try_from(self.size - offset).unwrap_or(0);
        let mut rest = BytesMut::with_capacity(length);
        while let Some(piece) = self.next(u64::MAX).await? {
            rest.extend_from_slice(&piece);
        }
        Ok(rest.freeze())
    }

    /// The SHA-1 of all that was hashed, in Base64.
    pub(super) fn sha1(&self) -> String {
        STANDARD.encode(self.sha1.clone().finish())
    }
}

fn too_slow(idle: Duration) -> BodyBroke {
    tracing::debug!(
        wait.ms = idle.as_secs_f64() * 1000.0,
        "the bytes to send do not come"
    );
    BodyBroke
}

#[cfg(test)]
mod tests;
