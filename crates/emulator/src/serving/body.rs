//! The response body: few large shared pieces or a file, with the faults and the pace the switches ask for.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use hyper::body::{Frame, SizeHint};
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncSeekExt as _;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;
use tokio_util::io::ReaderStream;

use super::content::{Served, Source};
use crate::ledger::Ledger;

const FILE_PIECE: usize = 256 * 1024;
type FileStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

enum Feed {
    Parts(VecDeque<Bytes>),
    File(FileStream),
}

/// A response body with a known length.
pub(crate) struct Body {
    feed: Feed,
    declared: u64,
    sent: u64,
    /// The connection breaks after so many bytes.
    cut: Option<u64>,
    /// Runs before it does.
    closing: Option<Pin<Box<Sleep>>>,
    /// The byte at this offset is flipped.
    flip: Option<u64>,
    /// Nothing comes after so many bytes.
    stall: Option<u64>,
    pace: Option<Pace>,
    /// Given back with the last byte.
    seat: Option<OwnedSemaphorePermit>,
    report: Option<(Arc<Ledger>, u64)>,
}

struct Pace {
    bytes_per_second: u64,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Body {
    pub(crate) fn empty() -> Self {
        Self::from_parts(Vec::new())
    }

    pub(crate) fn from_parts(parts: Vec<Bytes>) -> Self {
        let declared = parts.iter().map(|part| part.len() as u64).sum();
        Self {
            feed: Feed::Parts(parts.into()),
            declared,
            sent: 0,
            cut: None,
            closing: None,
            flip: None,
            stall: None,
            pace: None,
            seat: None,
            report: None,
        }
    }

    pub(crate) fn from_text(text: impl Into<Bytes>) -> Self {
        let bytes = text.into();
        if bytes.is_empty() {
            Self::empty()
        } else {
            Self::from_parts(vec![bytes])
        }
    }

    /// A range of served bytes: `start` to `start + len`.
    pub(crate) async fn of(served: Served, start: u64, len: u64) -> io::Result<Self> {
        let path = match served.source {
            Source::Parts(parts) => return Ok(Self::from_parts(slice(parts, start, len))),
            Source::File(path) => path,
        };
        let mut file = tokio::fs::File::open(path).await?;
        file.seek(io::SeekFrom::Start(start)).await?;
        let stream = ReaderStream::with_capacity(file.take(len), FILE_PIECE);
        let mut body = Self::empty();
        body.feed = Feed::File(Box::pin(stream));
        body.declared = len;
        Ok(body)
    }

    pub(crate) fn len(&self) -> u64 {
        self.declared
    }

    /// Breaks the connection after this fraction, whatever Content-Length says.
    pub(crate) fn truncated(mut self, at: f64) -> Self {
        self.cut = Some(part_of(self.declared, at));
        self
    }

    /// Falls silent after this fraction, whatever Content-Length says.
    pub(crate) fn stalling(mut self, at: f64) -> Self {
        self.stall = Some(part_of(self.declared, at));
        self
    }

    /// Holds a seat until the last byte, or until it is dropped.
    pub(crate) fn seated(mut self, seat: OwnedSemaphorePermit) -> Self {
        self.seat = Some(seat).filter(|_| self.declared > 0);
        self
    }

    /// Ends after this fraction, and says so.
    pub(crate) fn shortened(mut self, at: f64) -> Self {
        self.declared = part_of(self.declared, at);
        self
    }

    /// Flips the middle byte.
    pub(crate) fn corrupted(mut self) -> Self {
        self.flip = Some(self.declared / 2);
        self
    }

    /// Adds bytes at the end, and says so.
    pub(crate) fn lengthened(mut self, extra: u64) -> Self {
        let extra = usize::try_from(extra)
            .unwrap_or(usize::MAX)
            .min(64 * 1024 * 1024);
        self.declared += extra as u64;
        let more = Bytes::from(vec![b'x'; extra]);
        match &mut self.feed {
            Feed::Parts(parts) => parts.push_back(more),
            Feed::File(stream) => {
                use futures::StreamExt as _;
                let empty: FileStream = Box::pin(futures::stream::empty());
                let head = std::mem::replace(stream, empty);
                let tail = futures::stream::once(async move { Ok(more) });
                *stream = Box::pin(head.chain(tail));
            }
        }
        self
    }

    pub(crate) fn paced(mut self, bytes_per_second: Option<u64>) -> Self {
        self.pace = bytes_per_second.map(|rate| Pace {
            bytes_per_second: rate.max(1),
            sleep: None,
        });
        self
    }

    /// Tells the ledger how much really went out.
    pub(crate) fn reporting(mut self, ledger: Arc<Ledger>, number: u64) -> Self {
        self.report = Some((ledger, number));
        self
    }

    fn next_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        match &mut self.feed {
            Feed::Parts(parts) => Poll::Ready(parts.pop_front().map(Ok)),
            Feed::File(stream) => stream.as_mut().poll_next(context),
        }
    }

    fn put_back(&mut self, rest: Bytes) {
        match &mut self.feed {
            Feed::Parts(parts) => parts.push_front(rest),
            Feed::File(stream) => {
                use futures::StreamExt as _;
                let empty: FileStream = Box::pin(futures::stream::empty());
                let tail = std::mem::replace(stream, empty);
                let first = futures::stream::once(async move { Ok(rest) });
                self.feed = Feed::File(Box::pin(first.chain(tail)));
            }
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        if let Some(Pace {
            sleep: Some(sleep), ..
        }) = &mut this.pace
        {
            ready!(sleep.as_mut().poll(context));
        }
        if this.cut.is_some_and(|cut| this.sent >= cut) {
            // What was sent must leave the buffers first, or the client would see nothing of it.
            let pause = || Box::pin(tokio::time::sleep(Duration::from_millis(20)));
            ready!(
                this.closing
                    .get_or_insert_with(pause)
                    .as_mut()
                    .poll(context)
            );
            return Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::ConnectionReset))));
        }
        if this.stall.is_some_and(|stall| this.sent >= stall) {
            // Nobody wakes it: it ends when the client goes away.
            return Poll::Pending;
        }
        if this.sent >= this.declared {
            return Poll::Ready(None);
        }
        let mut piece = match ready!(this.next_piece(context)) {
            Some(Ok(piece)) => piece,
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            None => return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
        };
        let end = this.cut.or(this.stall).unwrap_or(this.declared);
        let mut most = end.min(this.declared) - this.sent;
        if let Some(pace) = &this.pace {
            // A twentieth of a second at a time.
            most = most.min((pace.bytes_per_second / 20).max(1));
        }
        if piece.len() as u64 > most {
            let rest = piece.split_off(usize::try_from(most).unwrap_or(usize::MAX));
            this.put_back(rest);
        }
        let len = piece.len() as u64;
        if let Some(flip) = this.flip.and_then(|flip| flip.checked_sub(this.sent))
            && flip < len
        {
            let mut copy = piece.to_vec();
            copy[usize::try_from(flip).unwrap_or(0)] ^= 0x5a;
            piece = Bytes::from(copy);
        }
        this.sent += len;
        if this.sent >= this.declared {
            this.seat = None;
        }
        if let Some(pace) = &mut this.pace {
            let nanos = u128::from(len) * 1_000_000_000 / u128::from(pace.bytes_per_second);
            let pause = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            pace.sleep = Some(Box::pin(tokio::time::sleep(pause)));
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.sent >= self.declared && self.cut.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.declared - self.sent)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some((ledger, number)) = &self.report
            && self.sent < self.declared
        {
            ledger.sent(*number, self.sent);
        }
    }
}

fn slice(parts: Vec<Bytes>, start: u64, len: u64) -> Vec<Bytes> {
    let (mut skip, mut left) = (start, len);
    let mut out = Vec::with_capacity(parts.len());
    for part in parts {
        let size = part.len() as u64;
        if skip >= size {
            skip -= size;
            continue;
        }
        let take = left.min(size - skip);
        if take == 0 {
            break;
        }
        let from = usize::try_from(skip).unwrap_or(0);
        out.push(part.slice(from..from + usize::try_from(take).unwrap_or(0)));
        skip = 0;
        left -= take;
    }
    out
}

fn part_of(len: u64, fraction: f64) -> u64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a fault cuts at about this fraction; the exact byte does not matter"
    )]
    let part = (len as f64 * fraction.clamp(0.0, 1.0)) as u64;
    part.min(len)
}
