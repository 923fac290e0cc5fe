//! A media item as Google writes it.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, de};
use tintype_model::{
    fidelity::Dimensions,
    item::{CameraFacts, ItemMetadata, MediaKind, ProviderId, VideoStatus},
};
use tintype_ports::photos::{BaseUrl, ListedItem};

/// Google omits what is empty. Strings that are kept are read owned at once; nothing is copied twice.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireItem {
    #[serde(default)]
    id: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    base_url: Option<String>,
    #[serde(default)]
    mime_type: String,
    #[serde(default)]
    filename: String,
    #[serde(default)]
    media_metadata: WireMetadata,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct WireMetadata {
    #[serde(default)]
    creation_time: Time,
    #[serde(default)]
    width: Number,
    #[serde(default)]
    height: Number,
    #[serde(default)]
    photo: Option<WireCamera>,
    #[serde(default)]
    video: Option<WireCamera>,
}

/// The facts of a photo and of a video, which never stand together.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct WireCamera {
    camera_make: Option<String>,
    camera_model: Option<String>,
    focal_length: Option<f64>,
    aperture_f_number: Option<f64>,
    iso_equivalent: Option<u32>,
    exposure_time: Option<String>,
    fps: Option<f64>,
    status: Option<WireVideoStatus>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum WireVideoStatus {
    Processing,
    Ready,
    Failed,
    #[serde(other)]
    Unspecified,
}

impl WireVideoStatus {
    /// What is known by it.
    pub(crate) const fn known(self) -> Option<VideoStatus> {
        match self {
            Self::Processing => Some(VideoStatus::Processing),
            Self::Failed => Some(VideoStatus::Failed),
            Self::Ready => Some(VideoStatus::Ready),
            Self::Unspecified => None,
        }
    }
}

/// What the catalogue keeps of an item, or why it cannot be kept.
pub(super) fn listed(wire: WireItem) -> Result<ListedItem, String> {
    let id = ProviderId::try_from(wire.id).map_err(|error| error.to_string())?;
    let WireMetadata {
        creation_time,
        width,
        height,
        photo,
        video,
    } = wire.media_metadata;
    let kind = if video.is_some() || wire.mime_type.starts_with("video/") {
        MediaKind::Video
    } else if photo.is_some() || wire.mime_type.starts_with("image/") {
        MediaKind::Photo
    } else {
        return Err(format!("item {id} is neither photo nor video"));
    };
    let camera = video.or(photo).unwrap_or_default();
    let status = camera.status.filter(|_| kind == MediaKind::Video);
    let video_status = status.and_then(WireVideoStatus::known);
    let metadata = ItemMetadata {
        filename: wire.filename,
        mime_type: wire.mime_type,
        kind,
        description: wire.description.filter(|text| !text.is_empty()),
        created_at: creation_time.0,
        dimensions: dimensions(width, height),
        camera: CameraFacts {
            make: camera.camera_make,
            model: camera.camera_model,
            focal_length: camera.focal_length,
            aperture: camera.aperture_f_number,
            iso: camera.iso_equivalent,
            exposure_time: camera.exposure_time,
            fps: camera.fps,
        },
        video_status,
        file: None,
    };
    let base_url = base_url(wire.base_url.unwrap_or_default(), video_status);
    Ok(ListedItem {
        id,
        metadata,
        base_url,
    })
}

/// Where an item's bytes are. Before a video is READY its base URL gives only a still of it.
pub(crate) fn base_url(url: String, of_video: Option<VideoStatus>) -> Option<BaseUrl> {
    let has_bytes = !matches!(
        of_video,
        Some(VideoStatus::Processing | VideoStatus::Failed)
    );
    (has_bytes && !url.is_empty()).then(|| BaseUrl::new(url))
}

pub(crate) fn dimensions(width: Number, height: Number) -> Option<Dimensions> {
    let side = |number: Number| {
        number
            .0
            .and_then(|it| u32::try_from(it).ok())
            .filter(|it| *it > 0)
    };
    Some(Dimensions {
        width: side(width)?,
        height: side(height)?,
    })
}

/// A whole number that Google writes as text, and here and there as a number. Anything else counts as absent.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) Option<u64>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, as text or as it is")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                Ok(Number(text.parse().ok()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(Some(number)))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(u64::try_from(number).ok()))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Number, E> {
                Ok(Number(None))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A time in RFC 3339. One that cannot be read counts as absent: the photo is worth more than its date.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Option<DateTime<Utc>>);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Time;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time in RFC 3339")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
                let parsed = DateTime::parse_from_rfc3339(text).ok();
                Ok(Time(parsed.map(|time| time.with_timezone(&Utc))))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Time, E> {
                Ok(Time(None))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests;
