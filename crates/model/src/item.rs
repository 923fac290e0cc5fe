//! An item: one photo or video as the provider knows it, and what we hold of it.

mod provider_id;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{BlobHash, ErrorKind, Fidelity, fidelity::Dimensions};

pub use provider_id::{PICKED, ParseProviderIdError, ProviderId};

/// Photo or video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A still, motion photos included.
    Photo,
    /// A video.
    Video,
}

/// How far Google is with a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VideoStatus {
    /// Not yet downloadable.
    Processing,
    /// Downloadable.
    Ready,
    /// Google could not process it; there are no bytes to be had.
    Failed,
}

/// What the camera recorded, as the provider reports it. Absent fields are `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CameraFacts {
    /// Manufacturer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make: Option<String>,
    /// Model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Focal length in millimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focal_length: Option<f64>,
    /// Aperture as an f-number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aperture: Option<f64>,
    /// ISO speed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iso: Option<u32>,
    /// Exposure time as the provider writes it, for example `0.008s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure_time: Option<String>,
    /// Frames a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fps: Option<f64>,
}

/// An item's metadata, as a listing shows it. File names are metadata, never paths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemMetadata {
    /// The name the person's file had; any text, never used as a path as it is.
    pub filename: String,
    /// MIME type.
    pub mime_type: String,
    /// Photo or video.
    pub kind: MediaKind,
    /// The person's description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// Size in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<Dimensions>,
    /// What the camera recorded.
    #[serde(default)]
    pub camera: CameraFacts,
    /// Only for videos.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video_status: Option<VideoStatus>,
    /// Only for files that are to be uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileFacts>,
}

/// A file that is to be uploaded, as its folder, bucket or archive has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Where it lies below the source, with `/` between folders.
    pub path: String,
    /// Its length in bytes.
    pub size: u64,
    /// Changes when the file does: an entity tag, a time, a content hash.
    pub version: String,
    /// The title of the album it goes into when it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub album: Option<String>,
}

fn fingerprint_of(parts: &[&[u8]]) -> i64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    i64::from_le_bytes(first)
}

impl ItemMetadata {
    /// Changes when something changes that means other bytes: type, kind, size in pixels, a file's length or version.
    #[must_use]
    pub fn content_fingerprint(&self) -> i64 {
        let size = self.dimensions.map_or((0, 0), |it| (it.width, it.height));
        let kind = match self.kind {
            MediaKind::Photo => [0],
            MediaKind::Video => [1],
        };
        let (width, height) = (size.0.to_le_bytes(), size.1.to_le_bytes());
        let mut parts: Vec<&[u8]> = vec![self.mime_type.as_bytes(), &kind, &width, &height];
        let length;
        if let Some(file) = &self.file {
            length = file.size.to_le_bytes();
            parts.extend([&length[..], file.version.as_bytes()]);
        }
        fingerprint_of(&parts)
    }

    /// Changes when anything that a manifest shows changes. A video's processing state is not part of it.
    #[must_use]
    pub fn metadata_fingerprint(&self) -> i64 {
        let created = self.created_at.map_or(0, |at| at.timestamp_micros());
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        fingerprint_of(&[
            &self.content_fingerprint().to_le_bytes(),
            self.filename.as_bytes(),
            text(&self.description).as_bytes(),
            &created.to_le_bytes(),
            text(&self.camera.make).as_bytes(),
            text(&self.camera.model).as_bytes(),
        ])
    }

    /// What tells a photo apart from others whichever way it is seen: name, kind, when it was taken and its size in pixels. `None`
    /// where one of these is not known, for then too much would be alike.
    #[must_use]
    pub fn likeness(&self) -> Option<i64> {
        let (created, size) = (self.created_at?, self.dimensions?);
        if self.filename.is_empty() {
            return None;
        }
        let kind = match self.kind {
            MediaKind::Photo => [0],
            MediaKind::Video => [1],
        };
        // To the second: some ways tell no more.
        let parts: [&[u8]; 5] = [
            self.filename.as_bytes(),
            &kind,
            &created.timestamp().to_le_bytes(),
            &size.width.to_le_bytes(),
            &size.height.to_le_bytes(),
        ];
        Some(fingerprint_of(&parts))
    }

    /// True while Google has no bytes to give yet.
    #[must_use]
    pub fn is_processing(&self) -> bool {
        self.video_status == Some(VideoStatus::Processing)
    }
}

/// What we hold of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// Its bytes are still to be copied.
    Pending,
    /// Its bytes are durable at the destination.
    Stored,
    /// Its bytes could not be had; the fault says why. The next run tries again.
    Failed,
}

/// The bytes we hold for an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredContent {
    /// Content hash.
    pub blob: BlobHash,
    /// Plain length in bytes.
    pub size: u64,
    /// Where it lies below the archive's root; of an upload, the id that the account gave it, or nothing where it told none.
    pub path: String,
    /// What we really got.
    pub fidelity: Fidelity,
}

/// Why an item's bytes could not be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemFault {
    /// The class of the failure.
    pub kind: ErrorKind,
    /// What happened, for a person.
    pub message: String,
}

/// An item with all that the catalogue knows of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Position in the plan's catalogue: dense, from 0, never reused.
    pub seq: u64,
    /// The provider's id.
    pub provider_id: ProviderId,
    /// What the last listing showed.
    pub metadata: ItemMetadata,
    /// What we hold.
    pub state: ItemState,
    /// The bytes, once stored. Stays when the item changes, until the new bytes are stored.
    pub content: Option<StoredContent>,
    /// Why it failed, when it did.
    pub fault: Option<ItemFault>,
    /// True when the last full listing no longer showed it.
    pub gone: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo() -> ItemMetadata {
        ItemMetadata {
            filename: "a.jpg".into(),
            mime_type: "image/jpeg".into(),
            kind: MediaKind::Photo,
            description: None,
            created_at: None,
            dimensions: Some(Dimensions {
                width: 4,
                height: 3,
            }),
            camera: CameraFacts::default(),
            video_status: None,
            file: None,
        }
    }

    #[test]
    fn another_version_of_a_file_is_new_content() {
        let file = |version: &str| ItemMetadata {
            file: Some(FileFacts {
                path: "2024/a.jpg".into(),
                size: 7,
                version: version.into(),
                album: None,
            }),
            ..photo()
        };
        assert_ne!(
            file("1").content_fingerprint(),
            file("2").content_fingerprint()
        );
        assert_ne!(
            file("1").content_fingerprint(),
            photo().content_fingerprint()
        );
        assert!(
            ProviderId::of_path("2024/a.jpg")
                .as_str()
                .parse::<ProviderId>()
                .is_ok()
        );
    }

    #[test]
    fn a_new_description_is_not_new_content() {
        let described = ItemMetadata {
            description: Some("sea".into()),
            ..photo()
        };
        assert_eq!(
            described.content_fingerprint(),
            photo().content_fingerprint()
        );
        assert_ne!(
            described.metadata_fingerprint(),
            photo().metadata_fingerprint()
        );
    }

    #[test]
    fn a_photo_is_like_itself_whatever_else_is_told_of_it_and_like_no_other() {
        let taken = ItemMetadata {
            created_at: DateTime::from_timestamp(1_700_000_000, 123_000_000),
            ..photo()
        };
        let to_the_second = ItemMetadata {
            created_at: DateTime::from_timestamp(1_700_000_000, 0),
            description: Some("sea".into()),
            mime_type: "image/jpg".into(),
            ..photo()
        };
        assert_eq!(taken.likeness(), to_the_second.likeness());
        assert!(taken.likeness().is_some());
        let others = [
            ItemMetadata {
                filename: "b.jpg".into(),
                ..taken.clone()
            },
            ItemMetadata {
                kind: MediaKind::Video,
                ..taken.clone()
            },
            ItemMetadata {
                created_at: DateTime::from_timestamp(1_700_000_001, 0),
                ..taken.clone()
            },
            ItemMetadata {
                dimensions: Some(Dimensions {
                    width: 3,
                    height: 4,
                }),
                ..taken.clone()
            },
        ];
        for other in others {
            assert_ne!(other.likeness(), taken.likeness(), "{other:?}");
        }
        // Of which one of these is not known, nobody can tell.
        assert_eq!(photo().likeness(), None);
    }

    #[test]
    fn other_pixels_are_new_content() {
        let cropped = ItemMetadata {
            dimensions: Some(Dimensions {
                width: 3,
                height: 3,
            }),
            ..photo()
        };
        assert_ne!(cropped.content_fingerprint(), photo().content_fingerprint());
    }

    #[test]
    fn a_path_is_not_a_provider_id() {
        for wrong in ["", "../x", "a/b", "a b", "é"] {
            assert_eq!(wrong.parse::<ProviderId>(), Err(ParseProviderIdError));
        }
    }
}
