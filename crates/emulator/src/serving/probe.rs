//! Reads from bytes what Google would know of them: kind, dimensions, date and camera.

use chrono::NaiveDateTime;

use super::exif::{self, Tags};
use crate::state::item::Camera;

/// What could be read; everything is optional.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Probe {
    pub(crate) mime: Option<&'static str>,
    /// Width and height in pixels.
    pub(crate) dimensions: Option<(u32, u32)>,
    pub(crate) taken_ms: Option<i64>,
    pub(crate) camera: Option<Camera>,
}

/// Looks at the head of a file (a few hundred KiB suffice).
pub(crate) fn probe(bytes: &[u8]) -> Probe {
    let (mime, dimensions) = match bytes {
        [0xff, 0xd8, 0xff, ..] => (Some("image/jpeg"), jpeg_dimensions(bytes)),
        [0x89, b'P', b'N', b'G', ..] => (Some("image/png"), be32(bytes, 16).zip(be32(bytes, 20))),
        [b'G', b'I', b'F', b'8', ..] => (Some("image/gif"), le16(bytes, 6).zip(le16(bytes, 8))),
        _ if bytes.get(4..8) == Some(b"ftyp") => match bytes.get(8..12) {
            Some(b"heic" | b"heix" | b"mif1" | b"msf1") => (Some("image/heif"), ispe(bytes)),
            Some(b"avif") => (Some("image/avif"), ispe(bytes)),
            Some(b"qt  ") => (Some("video/quicktime"), tkhd(bytes)),
            _ => (Some("video/mp4"), tkhd(bytes)),
        },
        _ => (None, None),
    };
    let tags = exif::read(bytes).unwrap_or_default();
    Probe {
        mime,
        dimensions,
        taken_ms: tags.taken.as_deref().and_then(date),
        camera: camera(&tags),
    }
}

/// The MIME type of a file name that Google accepts; `None` for others.
pub(crate) fn mime_of_name(name: &str) -> Option<&'static str> {
    let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
    Some(match extension.as_str() {
        "jpg" | "jpeg" | "jpe" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "heic" | "heif" => "image/heif",
        "avif" => "image/avif",
        "bmp" => "image/bmp",
        "ico" => "image/x-icon",
        "tif" | "tiff" => "image/tiff",
        "dng" => "image/x-adobe-dng",
        "cr2" => "image/x-canon-cr2",
        "cr3" => "image/x-canon-cr3",
        "nef" => "image/x-nikon-nef",
        "arw" => "image/x-sony-arw",
        "raf" => "image/x-fuji-raf",
        "orf" => "image/x-olympus-orf",
        "rw2" => "image/x-panasonic-rw2",
        "mp4" | "m4v" | "mp" => "video/mp4",
        "mov" | "qt" => "video/quicktime",
        "3gp" => "video/3gpp",
        "3g2" => "video/3gpp2",
        "avi" => "video/x-msvideo",
        "asf" => "video/x-ms-asf",
        "wmv" => "video/x-ms-wmv",
        "mkv" => "video/x-matroska",
        "mpg" | "mpeg" | "mmv" | "mod" | "tod" => "video/mpeg",
        "mts" | "m2t" | "m2ts" => "video/mp2t",
        "divx" => "video/divx",
        _ => return None,
    })
}

fn date(text: &str) -> Option<i64> {
    let naive = NaiveDateTime::parse_from_str(text, "%Y:%m:%d %H:%M:%S").ok()?;
    Some(naive.and_utc().timestamp_millis())
}

fn camera(tags: &Tags) -> Option<Camera> {
    let exposure = tags.exposure.filter(|seconds| *seconds > 0.0);
    Some(Camera {
        make: tags.make.clone()?,
        model: tags.model.clone().unwrap_or_default(),
        focal_length: tags.focal_length,
        aperture: tags.aperture,
        iso: tags.iso,
        exposure: exposure.map(|seconds| format!("{}s", (seconds * 1e9).round() / 1e9)),
    })
}

fn jpeg_dimensions(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let (&[0xff, marker], rest) = bytes.get(at..)?.split_first_chunk::<2>()? else {
            return None;
        };
        let is_frame = (0xc0..=0xcf).contains(&marker) && ![0xc4, 0xc8, 0xcc].contains(&marker);
        if is_frame {
            return be16(rest, 5).zip(be16(rest, 3));
        }
        at += 2 + usize::try_from(be16(rest, 0)?).ok()?;
    }
}

/// The largest image extent of a HEIF file.
fn ispe(bytes: &[u8]) -> Option<(u32, u32)> {
    let head = &bytes[..bytes.len().min(64 * 1024)];
    let mut largest = None;
    for at in find_all(head, b"ispe") {
        let extent = be32(head, at + 8).zip(be32(head, at + 12));
        largest = largest.max(extent);
    }
    largest
}

/// The size in the first track header that has one.
fn tkhd(bytes: &[u8]) -> Option<(u32, u32)> {
    for at in find_all(bytes, b"tkhd") {
        let long = bytes.get(at + 4) == Some(&1);
        let size = at + if long { 92 } else { 80 };
        let extent = be32(bytes, size)?
            .checked_shr(16)
            .zip(be32(bytes, size + 4)?.checked_shr(16));
        if extent.is_some_and(|(width, height)| width > 0 && height > 0) {
            return extent;
        }
    }
    None
}

pub(super) fn find_all<'a>(bytes: &'a [u8], name: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    bytes
        .windows(name.len())
        .enumerate()
        .filter(move |(_, window)| *window == name)
        .map(|(at, _)| at)
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?).into())
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?).into())
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
