//! What the control API takes and gives for items, over HTTP and in process alike.

use serde::{Deserialize, Serialize};

/// Where the bytes of a new or changed item come from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemBytes {
    /// A committed file by name: `lake.jpg`, `tower.jpg`, `chart.png`, `garden.heic`, `motion.jpg`, `clip.mp4`.
    Sample(String),
    /// An invented photo of so many bytes, unlike any other.
    Photo(u64),
    /// An invented video of so many bytes, unlike any other.
    Video(u64),
    /// These bytes, in base64.
    Base64(String),
}

/// An item that appears at Google, as if an app's client had uploaded it earlier.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewItem {
    /// Shown as it is, hostile or not.
    pub file_name: String,
    /// Its bytes.
    pub bytes: ItemBytes,
    /// Milliseconds since the epoch; the file's own date, else now, when absent.
    #[serde(default)]
    pub created_ms: Option<i64>,
    /// Its description.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether it is archived.
    #[serde(default)]
    pub archived: bool,
    /// Whether it is a favourite.
    #[serde(default)]
    pub favorite: bool,
    /// The album it is put into.
    #[serde(default)]
    pub album: Option<String>,
}

impl NewItem {
    /// An item with a name and bytes, and nothing else.
    #[must_use]
    pub fn new(file_name: impl Into<String>, bytes: ItemBytes) -> Self {
        Self {
            file_name: file_name.into(),
            bytes,
            created_ms: None,
            description: None,
            archived: false,
            favorite: false,
            album: None,
        }
    }
}

/// A change to an item; absent fields stay.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ItemChange {
    /// A new description; empty removes it.
    pub description: Option<String>,
    /// A new file name.
    pub file_name: Option<String>,
    /// New bytes: an edit at Google. Dimensions follow.
    pub bytes: Option<ItemBytes>,
    /// Archives or unarchives.
    pub archived: Option<bool>,
    /// Marks or unmarks as a favourite.
    pub favorite: Option<bool>,
    /// Deletes it, or brings it back.
    pub removed: Option<bool>,
    /// A video's processing failed.
    pub failed: Option<bool>,
    /// A video is PROCESSING for so long from now, milliseconds.
    pub processing_ms: Option<i64>,
}

/// What Google serves for an item and a suffix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// SHA-256 of the bytes, hex.
    pub sha256: String,
    /// Their number.
    pub bytes: u64,
    /// The `Content-Type`.
    pub mime: String,
}

/// One item in a listing of the control API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemSummary {
    /// Media item id.
    pub id: String,
    /// File name.
    pub file_name: String,
    /// MIME type.
    pub mime: String,
    /// Creation time, milliseconds since the epoch.
    pub created_ms: i64,
    /// Whether it is archived.
    pub archived: bool,
}
