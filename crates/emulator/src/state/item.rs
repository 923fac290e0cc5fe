//! One media item: what is kept of a stored one, and the facts a listing shows of any.

use std::borrow::Cow;
use std::path::PathBuf;

use bytes::Bytes;

use super::ids::Key;
use crate::library::sample::Sample;
use crate::serving::filler::Filler;

/// What a camera wrote about a photo, as the API shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Camera {
    pub(crate) make: String,
    pub(crate) model: String,
    pub(crate) focal_length: Option<f64>,
    pub(crate) aperture: Option<f64>,
    pub(crate) iso: Option<u32>,
    /// Seconds, as text: `0.008s`.
    pub(crate) exposure: Option<String>,
}

/// Where an item's bytes come from.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// Uploaded, or added with its bytes.
    Memory(Bytes),
    /// One of the committed files.
    Sample(&'static Sample),
    /// Invented.
    Filler(Filler),
    /// A person's own file.
    File { path: PathBuf, len: u64 },
    /// Uploaded under the switch `forget_uploads`.
    Forgotten,
}

/// An item kept in memory: sample, folder, uploaded, added, or a generated one that was changed.
#[derive(Debug, Clone)]
pub(crate) struct StoredItem {
    pub(crate) created_ms: i64,
    /// When it came to Google; the listing lag counts from here.
    pub(crate) added_ms: i64,
    pub(crate) file_name: Box<str>,
    pub(crate) mime: &'static str,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) description: Option<Box<str>>,
    pub(crate) camera: Option<Box<Camera>>,
    pub(crate) archived: bool,
    pub(crate) favorite: bool,
    pub(crate) removed: bool,
    pub(crate) failed: bool,
    /// A video is PROCESSING until then.
    pub(crate) ready_ms: i64,
    pub(crate) content: Content,
}

impl StoredItem {
    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            created_ms: self.created_ms,
            added_ms: self.added_ms,
            file_name: Cow::Borrowed(&self.file_name),
            mime: self.mime,
            width: self.width,
            height: self.height,
            description: self.description.as_deref(),
            camera: self.camera.as_deref(),
            archived: self.archived,
            favorite: self.favorite,
            failed: self.failed,
            ready_ms: self.ready_ms,
        }
    }
}

/// Everything the API shows of an item, borrowed where it is stored, computed where it is generated.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) created_ms: i64,
    pub(crate) added_ms: i64,
    pub(crate) file_name: Cow<'a, str>,
    pub(crate) mime: &'static str,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) description: Option<&'a str>,
    pub(crate) camera: Option<&'a Camera>,
    pub(crate) archived: bool,
    pub(crate) favorite: bool,
    pub(crate) failed: bool,
    pub(crate) ready_ms: i64,
}

impl Facts<'_> {
    pub(crate) fn is_video(&self) -> bool {
        self.mime.starts_with("video/")
    }

    /// The video status at a moment.
    pub(crate) fn status(&self, now_ms: i64) -> &'static str {
        match () {
            () if self.failed => "FAILED",
            () if self.ready_ms > now_ms => "PROCESSING",
            () => "READY",
        }
    }
}

/// An item's place in the listing order: newest first, then by key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) created_ms: i64,
    pub(crate) key: Key,
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other
            .created_ms
            .cmp(&self.created_ms)
            .then(self.key.cmp(&other.key))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
