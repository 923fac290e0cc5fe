//! Files of a folder or bucket, as an upload finds them.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use crate::ArchiveError;

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Where it lies below the root, with `/` between folders. Whatever the source calls it: never a path anywhere else.
    pub path: String,
    /// Its length in bytes.
    pub size: u64,
    /// Changes when the file does: its entity tag where there is one, else the time of its last change.
    pub version: String,
}

/// What a walk comes across.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A file.
    File(FoundFile),
    /// Something that cannot be looked into, with the reason: a folder without permission, a name that is not UTF-8.
    Unreadable {
        /// Where.
        path: String,
        /// Why.
        reason: String,
    },
}

/// The files below a root.
#[async_trait]
pub trait Files: Send + Sync {
    /// All files, one folder after the other. Left out: what begins with a dot, links, and what a system keeps beside photos.
    ///
    /// # Errors
    /// [`ArchiveError::Missing`] when the root is not there, [`ArchiveError::Foreign`] when it is a Tintype archive, whose
    /// objects are no files for people.
    async fn walk(&self) -> Result<BoxStream<'static, Result<Found, ArchiveError>>, ArchiveError>;

    /// A file's bytes from `offset` to its end.
    ///
    /// # Errors
    /// [`ArchiveError::Missing`] when it is no longer there.
    async fn read(
        &self,
        path: &str,
        offset: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, ArchiveError>>, ArchiveError>;
}
