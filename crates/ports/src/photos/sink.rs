//! A destination of photos: what Google Photos is to an upload.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use tintype_model::{album::Album, item::ProviderId};

use super::PhotoError;

/// What comes of bytes that were sent: Google takes it for them when an item is made, within a day. Nothing is visible before.
#[derive(Clone, PartialEq, Eq)]
pub struct UploadToken(String);

impl UploadToken {
    /// A token as Google handed it out.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The token, for the call that makes an item of it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for UploadToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UploadToken(…)")
    }
}

/// A body could not be read on; whoever gave it knows why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes to send could not be read")]
pub struct BodyBroke;

/// The pieces of a body.
pub type Pieces = BoxStream<'static, Result<Bytes, BodyBroke>>;

/// Bytes to send that are too many to hold. They can be read again from any place, because a connection may break.
#[async_trait]
pub trait Body: Send {
    /// The bytes from `offset` to the end.
    async fn read_from(&mut self, offset: u64) -> Result<Pieces, BodyBroke>;
}

/// Why bytes were not sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Google did not take them.
    #[error(transparent)]
    Google(#[from] PhotoError),
    /// They could not be read.
    #[error(transparent)]
    Body(#[from] BodyBroke),
}

/// An item to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewItem {
    /// What came of its bytes. Answers are matched by it.
    pub token: UploadToken,
    /// The name it gets, at most 255 characters.
    pub filename: String,
    /// Its description, less than 1,000 characters.
    pub description: Option<String>,
}

/// What became of an item to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Creation {
    /// It is there.
    Made(ProviderId),
    /// Something with these bytes is there already; which, Google may or may not tell.
    Exists(Option<ProviderId>),
    /// Google does not know the token any more: the bytes must be sent again.
    TokenLost,
    /// The album holds as much as it can; whether the item was made is not known.
    AlbumFull,
    /// Google cannot make it now, by its words.
    NotNow(String),
    /// Google will not make it, by its words.
    Refused(String),
}

/// The answer to a call that makes items.
#[derive(Debug)]
pub struct Batch {
    /// What became of each item, in the order asked; or why the call as a whole came to nothing.
    pub results: Result<Vec<Creation>, PhotoError>,
    /// Whether an attempt of the call got no clear answer: items may have been made that nobody told us of.
    pub in_doubt: bool,
}

/// A connected Google Photos account, write side. Deadlines and retries as with [`PhotoSource`].
#[async_trait]
pub trait PhotoSink: Send + Sync {
    /// Sends an item's bytes in one go, with their SHA-1, which Google compares. Counts as one request.
    ///
    /// # Errors
    /// [`PhotoError::Rejected`] when Google does not take them, [`PhotoError::Forbidden`] without the scope for it.
    async fn send(&self, mime_type: &str, bytes: Bytes) -> Result<UploadToken, PhotoError>;

    /// Sends `size` bytes as they are read, with their SHA-1 at the end, and goes on where Google stopped when a connection
    /// breaks. Counts as three requests, and two more for each connection that broke.
    ///
    /// # Errors
    /// As [`Self::send`], and [`SendError::Body`] when the bytes could not be read, or were not `size`.
    async fn send_large(
        &self,
        mime_type: &str,
        size: u64,
        body: &mut dyn Body,
    ) -> Result<UploadToken, SendError>;

    /// Makes 1 to 50 items, in an album that this app made or in none. Only one such call may be under way for an account.
    async fn create(&self, album: Option<&ProviderId>, items: &[NewItem]) -> Batch;

    /// Makes an album. Never repeated by itself: after [`PhotoError::Unavailable`] the album may be there.
    async fn create_album(&self, title: &str) -> Result<Album, PhotoError>;

    /// Puts 1 to 50 items that this app made into an album that it made. Those in it already stay where they are. Only one
    /// such call may be under way for an account.
    async fn add_to_album(
        &self,
        album: &ProviderId,
        items: &[ProviderId],
    ) -> Result<(), PhotoError>;
}
