//! Full-resolution proxies: programs, named by a tenant, that fetch an item's original with a browser. They serve one download at
//! a time, may hang or lie, and cost nothing of Google's quota.

use async_trait::async_trait;
use bytes::Bytes;
use tintype_model::{ErrorKind, item::ProviderId, storage::ProxyUrl};

use crate::photos::Persistence;

/// Why a proxy is not asked now. Nothing was sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoTurn {
    /// It failed a few times in a row.
    #[error("the proxy rests, because it failed a few times in a row")]
    Resting,
    /// Others were ahead for too long.
    #[error("the proxy is busy with other downloads")]
    Busy,
}

/// Why a proxy did not give an original.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginalError {
    /// The operator does not allow its address.
    #[error("the operator does not allow the proxy's address: {0}")]
    Forbidden(String),
    /// No connection, or one that broke before the answer.
    #[error("the proxy cannot be reached: {0}")]
    Unreachable(String),
    /// It took too long; says over what.
    #[error("the proxy is too slow: {0}")]
    TooSlow(String),
    /// It does not find the item.
    #[error("the proxy does not find the item")]
    NotFound,
    /// A status that says no.
    #[error("the proxy answers with status {0}")]
    Status(u16),
    /// It sends us elsewhere; that is not followed.
    #[error("the proxy redirects, which is not followed")]
    Redirect,
    /// The answer is no original: empty, a web page, too long, or without an end that can be known.
    #[error("the proxy sends something else: {0}")]
    NotMedia(String),
    /// The bytes ended before their promised end.
    #[error("the proxy breaks off: {0}")]
    CutShort(String),
}

impl OriginalError {
    /// The class.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::NotFound => ErrorKind::NotFound,
            Self::Redirect | Self::NotMedia(_) => ErrorKind::Corrupt,
            Self::Unreachable(_) | Self::TooSlow(_) | Self::Status(_) | Self::CutShort(_) => {
                ErrorKind::Unavailable
            }
        }
    }
}

/// How much of an original is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    /// All of it, up to so many bytes: what is longer is no original.
    Whole {
        /// Longest original, in bytes.
        most: u64,
    },
    /// So many bytes of its beginning.
    Beginning(u64),
}

/// The right to download one original. The proxy serves nobody else of this process until it is dropped.
#[async_trait]
pub trait Turn: Send {
    /// Asks for an original. Returns when the answer's head is there.
    ///
    /// # Errors
    /// After a bounded number of tries; each of them counts against the proxy.
    async fn ask(&mut self, item: &ProviderId, stretch: Stretch) -> Result<(), OriginalError>;

    /// The length of the whole original in bytes, where the answer tells.
    fn total_length(&self) -> Option<u64>;

    /// The next bytes; `None` at the proper end.
    ///
    /// # Errors
    /// Final ones: nothing is asked for again.
    async fn next(&mut self) -> Result<Option<Bytes>, OriginalError>;

    /// Whether what came was the item. What is not counts against the proxy; what is makes up for earlier failures.
    fn judge(&mut self, is_the_item: bool);
}

/// All proxies that this process uses, under the operator's policy of what may be reached.
#[async_trait]
pub trait Originals: Send + Sync {
    /// Waits for a turn at a proxy, within bounds. With [`Persistence::Once`] a proxy that rests is asked all the same, nothing is
    /// repeated, and everything has to happen soon: for a test, whose answer is the trouble.
    ///
    /// # Errors
    /// When it should not be waited for.
    async fn turn(
        &self,
        proxy: &ProxyUrl,
        persistence: Persistence,
    ) -> Result<Box<dyn Turn>, NoTurn>;
}
