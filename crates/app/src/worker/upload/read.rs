//! An item's bytes on their way from their source: held whole when they are few, else read piece by piece, from any place.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt as _, TryStreamExt as _};
use tintype_media::accepted;
use tintype_model::{BlobHash, BlobHasher, ErrorKind, item::ItemFault};
use tintype_ports::{
    photos::{Body, BodyBroke, Pieces},
    store::PendingItem,
};

use super::{
    super::trouble::ItemTrouble,
    origin::{Opened, Origin, Stream},
};

/// Whether bytes may be what their name says. Google is the judge of a photo that is damaged; what is none at all is not sent.
pub(super) fn check_kind(item: &PendingItem, head: &[u8]) -> Result<(), ItemTrouble> {
    let Some(accepted) = accepted::accepted(&item.metadata.filename) else {
        return Ok(());
    };
    accepted::check_head(accepted, head).map_err(|refusal| {
        ItemTrouble::Item(ItemFault {
            kind: ErrorKind::InvalidInput,
            message: format!("{}: {refusal}", item.metadata.filename),
        })
    })
}

/// A file that is not as it was listed: the next listing will tell how it is now.
fn changed(came: u64, listed: u64) -> ItemTrouble {
    ItemTrouble::Later(ItemFault {
        kind: ErrorKind::Unavailable,
        message: format!(
            "it changed while it was read: {came} bytes came where {listed} were listed; the next run takes it as it is then"
        ),
    })
}

/// All bytes of an item of which there are at most `limit`.
///
/// # Errors
/// When they cannot be read, or are not as many as was said.
pub(super) async fn whole(opened: Opened, limit: u64) -> Result<Bytes, ItemTrouble> {
    let listed = opened.size.unwrap_or(limit);
    let mut bytes = BytesMut::with_capacity(usize::try_from(listed).unwrap_or(0));
    let mut pieces = opened.pieces;
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece?);
        if bytes.len() as u64 > listed {
            return Err(changed(bytes.len() as u64, listed));
        }
    }
    if opened.size.is_some_and(|size| size != bytes.len() as u64) {
        return Err(changed(bytes.len() as u64, listed));
    }
    Ok(bytes.freeze())
}

/// What of a body was read so far.
#[derive(Default)]
struct Passed {
    hasher: BlobHasher,
    /// How many bytes were hashed, from the start.
    length: u64,
    /// Why it could not be read on.
    trouble: Option<ItemTrouble>,
}

impl Passed {
    fn take(&mut self, at: u64, piece: &[u8]) {
        // After an interruption some pieces pass a second time.
        let known = usize::try_from(self.length.saturating_sub(at)).unwrap_or(usize::MAX);
        if let Some(new) = piece.get(known..) {
            self.hasher.update(new);
            self.length += new.len() as u64;
        }
    }
}

/// The bytes of a large item.
pub(super) struct LargeBody {
    origin: Origin,
    item: PendingItem,
    /// From the start, for the first who asks.
    opened: Option<Stream>,
    passed: Arc<Mutex<Passed>>,
}

impl LargeBody {
    pub(super) fn new(origin: Origin, item: PendingItem, opened: Stream) -> Self {
        Self {
            origin,
            item,
            opened: Some(opened),
            passed: Arc::default(),
        }
    }

    /// The hash of all bytes, once they are sent.
    pub(super) fn content(&self) -> BlobHash {
        lock(&self.passed).hasher.finish()
    }

    /// Why they could not be read.
    pub(super) fn trouble(&self, size: u64) -> ItemTrouble {
        let mut passed = lock(&self.passed);
        let came = passed.length;
        passed.trouble.take().unwrap_or_else(|| changed(came, size))
    }
}

fn lock(passed: &Mutex<Passed>) -> std::sync::MutexGuard<'_, Passed> {
    // Whatever panicked while it held the lock has ended the item with it.
    passed.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Body for LargeBody {
    async fn read_from(&mut self, offset: u64) -> Result<Pieces, BodyBroke> {
        let pieces = match self.opened.take().filter(|_| offset == 0) {
            Some(pieces) => pieces,
            None => match self.origin.open(&self.item, None, offset).await {
                Ok(opened) => opened.pieces,
                Err(trouble) => {
                    lock(&self.passed).trouble = Some(trouble);
                    return Err(BodyBroke);
                }
            },
        };
        let (on_piece, on_trouble) = (Arc::clone(&self.passed), Arc::clone(&self.passed));
        let (mut at, item) = (offset, self.item.clone());
        let hashed = pieces
            .and_then(move |piece| {
                let checked = match at {
                    0 => check_kind(&item, &piece),
                    _ => Ok(()),
                };
                lock(&on_piece).take(at, &piece);
                at += piece.len() as u64;
                std::future::ready(checked.map(|()| piece))
            })
            .map_err(move |trouble| {
                lock(&on_trouble).trouble = Some(trouble);
                BodyBroke
            });
        Ok(hashed.boxed())
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn opened(size: Option<u64>, pieces: &'static [&'static [u8]]) -> Opened {
        let pieces = pieces.iter().map(|it| Ok(Bytes::from_static(it)));
        Opened {
            size,
            pieces: stream::iter(pieces).boxed(),
        }
    }

    #[tokio::test]
    async fn a_file_of_another_length_than_listed_waits_for_the_next_listing() {
        let whole_of = |size, pieces| whole(opened(size, pieces), 100);
        assert_eq!(whole_of(Some(3), &[b"a", b"bc"]).await.unwrap(), "abc");
        assert_eq!(whole_of(None, &[b"abc"]).await.unwrap(), "abc");
        for size in [2, 4] {
            let trouble = whole_of(Some(size), &[b"abc"]).await.unwrap_err();
            assert!(matches!(trouble, ItemTrouble::Later(_)), "{trouble:?}");
        }
    }

    #[test]
    fn bytes_that_pass_twice_are_hashed_once() {
        let mut passed = Passed::default();
        for (at, piece) in [(0, &b"abcd"[..]), (2, b"cdef"), (4, b"ef"), (6, b"gh")] {
            passed.take(at, piece);
        }
        assert_eq!(passed.length, 8);
        assert_eq!(passed.hasher.finish(), BlobHash::of(b"abcdefgh"));
    }
}
