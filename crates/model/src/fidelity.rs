//! Fidelity: what we really got for an item, so that nobody has to guess later.

use serde::{Deserialize, Serialize};

/// The lawful way an item's bytes reached us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The Library API, which shows an app what its own OAuth client created.
    AppCreated,
    /// The person picked it in Google's Picker.
    Picker,
    /// A Takeout archive.
    Takeout,
    /// A full-resolution download proxy.
    Proxy,
}

/// How the bytes we hold relate to the bytes that were once uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Byte for byte what was uploaded.
    Original,
    /// A `=d` download: full size, location removed by Google, possibly recompressed.
    Download,
    /// A `=dv` download: a transcode made by Google.
    Transcoded,
}

/// Pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Dimensions {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// Whether the bytes carry a GPS position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    /// A position was found in the bytes.
    Present,
    /// The metadata was readable and holds no position.
    Absent,
    /// The container or its metadata could not be read.
    Unknown,
}

/// What we got for one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fidelity {
    /// The way the bytes came.
    pub channel: Channel,
    /// Original, download rendition or transcode.
    pub encoding: Encoding,
    /// What Google said the size in pixels is; `None` where it said nothing.
    pub promised: Option<Dimensions>,
    /// The size in pixels read from the bytes; `None` where the container does not tell.
    pub got: Option<Dimensions>,
    /// Whether the bytes carry a position.
    pub location: Location,
}

impl Fidelity {
    /// Orders what we got for one photo, the best last: the original before what Google makes of it, then more pixels, then a
    /// position that was kept.
    #[must_use]
    pub fn rank(&self) -> (bool, u64, bool) {
        let pixels = self
            .got
            .map_or(0, |it| u64::from(it.width) * u64::from(it.height));
        (
            self.encoding == Encoding::Original,
            pixels,
            self.location == Location::Present,
        )
    }

    /// True when both sizes are known and differ. Rotation is not a difference: EXIF orientation swaps the sides.
    #[must_use]
    pub fn dimensions_differ(&self) -> bool {
        let (Some(promised), Some(got)) = (self.promised, self.got) else {
            return false;
        };
        let turned = Dimensions {
            width: got.height,
            height: got.width,
        };
        promised != got && promised != turned
    }

    /// True when both sizes are known and a side is shorter than promised, however the picture is turned. A larger one is fine:
    /// what Google tells of an item may be that of an edited copy.
    #[must_use]
    pub fn is_smaller_than_promised(&self) -> bool {
        let (Some(promised), Some(got)) = (self.promised, self.got) else {
            return false;
        };
        let sides = |it: Dimensions| (it.width.min(it.height), it.width.max(it.height));
        let (promised, got) = (sides(promised), sides(got));
        got.0 < promised.0 || got.1 < promised.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_smaller(promised: (u32, u32), got: Option<(u32, u32)>) -> bool {
        let size = |(width, height)| Dimensions { width, height };
        let fidelity = Fidelity {
            channel: Channel::Proxy,
            encoding: Encoding::Original,
            promised: Some(size(promised)),
            got: got.map(size),
            location: Location::Unknown,
        };
        fidelity.is_smaller_than_promised()
    }

    #[test]
    fn a_shorter_side_is_smaller_and_a_turned_or_larger_picture_is_not() {
        let promised = (4_000, 3_000);
        for fine in [
            (4_000, 3_000),
            (3_000, 4_000),
            (8_000, 6_000),
            (3_000, 5_000),
        ] {
            assert!(!is_smaller(promised, Some(fine)), "{fine:?}");
        }
        for small in [(2_000, 1_500), (4_000, 2_999), (3_000, 3_999)] {
            assert!(is_smaller(promised, Some(small)), "{small:?}");
        }
        assert!(!is_smaller(promised, None));
    }
}
