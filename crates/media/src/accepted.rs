//! Which files Google Photos takes: by name and length before they are sent, and by their first bytes as they are.
//!
//! The types and limits are those of Google's pages on the Library API's uploads.

use std::path::Path;

use tintype_model::item::MediaKind;

use crate::sniff::{self, Container, Prose};

/// Largest photo, in bytes. Google says "200 MB" and not which; this is the larger of the two readings. A photo that is sent
/// in vain costs a call and Google's refusal is recorded, but one that is held back in vain is never seen.
pub const LARGEST_PHOTO: u64 = 200 * MIB;
/// Largest video, in bytes: Google's "20 GB", read like [`LARGEST_PHOTO`].
pub const LARGEST_VIDEO: u64 = 20 * GIB;

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

/// Longest ending of a name that is taken for a type.
const LONGEST_EXTENSION: usize = 12;

/// A type that Google Photos takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Its MIME type.
    pub mime_type: &'static str,
    /// Photo or video.
    pub kind: MediaKind,
}

/// Why a file need not be sent. Its text says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There are no bytes.
    #[error("0 bytes: the file is empty; copy it again from where it came")]
    Empty,
    /// Its name ends like that of no type that Google Photos takes. Lower case, without the dot; empty when there is no ending.
    #[error("no photo or video that Google Photos takes ({}): leave it out of the folder", ending(.0))]
    Type(String),
    /// It is larger than its kind may be.
    #[error("{}: Google Photos takes up to {} here; put a smaller copy in its place", human(*.size), human(*.limit))]
    TooLarge {
        /// Its length in bytes.
        size: u64,
        /// The most that is taken.
        limit: u64,
    },
    /// Its first bytes are those of something else; says of what.
    #[error("it holds {0}, no photo or video: copy it again from where it came")]
    Content(&'static str),
}

impl Refusal {
    /// The stable word for the reason.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Type(_) => "type",
            Self::TooLarge { .. } => "too_large",
            Self::Content(_) => "content",
        }
    }
}

/// The type of a file by its name; `None` for what Google Photos does not take.
#[must_use]
pub fn accepted(name: &str) -> Option<Accepted> {
    by_extension(&extension(name))
}

/// Looks at a file's name and length.
///
/// # Errors
/// When it need not be sent.
pub fn check(name: &str, size: u64) -> Result<Accepted, Refusal> {
    let extension = extension(name);
    let Some(accepted) = by_extension(&extension) else {
        return Err(Refusal::Type(extension));
    };
    let limit = match accepted.kind {
        MediaKind::Photo => LARGEST_PHOTO,
        MediaKind::Video => LARGEST_VIDEO,
    };
    match size {
        0 => Err(Refusal::Empty),
        _ if size > limit => Err(Refusal::TooLarge { size, limit }),
        _ => Ok(accepted),
    }
}

/// Looks at a file's first bytes: 512, or all there are. Whether they are the type that its name says is Google's to judge; of
/// RAW formats and old videos nobody knows all beginnings.
///
/// # Errors
/// When the file is certainly no photo or video, such as a text that was saved as a JPEG.
pub fn check_head(accepted: Accepted, head: &[u8]) -> Result<(), Refusal> {
    if let Some(other) = looks_like(head) {
        return Err(Refusal::Content(other));
    }
    let is_known = sniff::container(head) != Container::Unknown;
    if is_known || !sniff::is_well_known(accepted.mime_type) {
        return Ok(());
    }
    Err(Refusal::Content("bytes of no known kind"))
}

/// What a file's first bytes are (512, or all there are), where that is certainly no photo or video.
#[must_use]
pub fn looks_like(head: &[u8]) -> Option<&'static str> {
    if sniff::container(head) != Container::Unknown {
        return None;
    }
    match sniff::prose(head) {
        Some(Prose::Html) => Some("a web page"),
        Some(Prose::Text) => Some("a text"),
        None if !sniff::is_no_media(head) => None,
        None if head.iter().all(|byte| *byte == 0) => Some("nothing but zeros"),
        None => Some("a document, a program or an archive"),
    }
}

/// The ending of the last part of a path, in lower case. Empty when there is none that could be a type.
fn extension(name: &str) -> String {
    let ending = Path::new(name).extension().and_then(|it| it.to_str());
    let is_plain = |it: &&str| {
        it.len() <= LONGEST_EXTENSION && it.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let plain = ending.filter(is_plain).unwrap_or_default();
    plain.to_ascii_lowercase()
}

fn by_extension(extension: &str) -> Option<Accepted> {
    let (photo, video) = (MediaKind::Photo, MediaKind::Video);
    let (mime_type, kind) = match extension {
        "avif" => ("image/avif", photo),
        "bmp" => ("image/bmp", photo),
        "gif" => ("image/gif", photo),
        "heic" => ("image/heic", photo),
        "heif" => ("image/heif", photo),
        "ico" => ("image/x-icon", photo),
        "jpg" | "jpeg" => ("image/jpeg", photo),
        "png" => ("image/png", photo),
        "tif" | "tiff" => ("image/tiff", photo),
        "webp" => ("image/webp", photo),
        // Google takes "some RAW files": those of the makers that sell most cameras.
        "arw" => ("image/x-sony-arw", photo),
        "cr2" => ("image/x-canon-cr2", photo),
        "cr3" => ("image/x-canon-cr3", photo),
        "dng" => ("image/x-adobe-dng", photo),
        "nef" => ("image/x-nikon-nef", photo),
        "nrw" => ("image/x-nikon-nrw", photo),
        "orf" => ("image/x-olympus-orf", photo),
        "pef" => ("image/x-pentax-pef", photo),
        "raf" => ("image/x-fuji-raf", photo),
        "rw2" => ("image/x-panasonic-rw2", photo),
        "srw" => ("image/x-samsung-srw", photo),
        "3g2" => ("video/3gpp2", video),
        "3gp" => ("video/3gpp", video),
        "asf" => ("video/x-ms-asf", video),
        "avi" => ("video/x-msvideo", video),
        "divx" => ("video/divx", video),
        "m2t" | "m2ts" | "mts" => ("video/mp2t", video),
        "m4v" => ("video/x-m4v", video),
        "mkv" => ("video/x-matroska", video),
        "mmv" | "mod" | "mpeg" | "mpg" | "tod" => ("video/mpeg", video),
        "mov" => ("video/quicktime", video),
        "mp4" => ("video/mp4", video),
        "wmv" => ("video/x-ms-wmv", video),
        _ => return None,
    };
    Some(Accepted { mime_type, kind })
}

fn ending(extension: &str) -> String {
    if extension.is_empty() {
        return "its name has no ending".to_owned();
    }
    format!(".{extension}")
}

/// A length in the unit of the limits. Rounded up, so that what is too large never reads as if it were not.
fn human(bytes: u64) -> String {
    let (unit, name) = if bytes >= GIB {
        (GIB, "GB")
    } else {
        (MIB, "MB")
    };
    let tenths = (u128::from(bytes) * 10).div_ceil(unit.into());
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole} {name}"),
        (whole, tenth) => format!("{whole}.{tenth} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHOTOS: &str = "avif bmp gif heic heif ico jpg jpeg png tif tiff webp \
                          arw cr2 cr3 dng nef nrw orf pef raf rw2 srw";
    const VIDEOS: &str =
        "3gp 3g2 asf avi divx m2t m2ts m4v mkv mmv mod mov mp4 mpg mpeg mts tod wmv";

    #[test]
    fn every_type_that_google_names_is_accepted_whatever_its_case() {
        for (kind, prefix, extensions) in [
            (MediaKind::Photo, "image/", PHOTOS),
            (MediaKind::Video, "video/", VIDEOS),
        ] {
            for extension in extensions.split_whitespace() {
                let upper = extension.to_uppercase();
                let found = accepted(&format!("album.txt/a.b.{upper}")).unwrap();
                assert_eq!(found.kind, kind, "{extension}");
                assert!(found.mime_type.starts_with(prefix), "{extension}");
                assert_eq!(accepted(&format!("a.{extension}")), Some(found));
            }
        }
        let jpeg = Accepted {
            mime_type: "image/jpeg",
            kind: MediaKind::Photo,
        };
        assert_eq!(check("Übung 1.JpG", 1), Ok(jpeg));
    }

    #[test]
    fn other_names_are_refused_with_their_ending() {
        for (name, extension) in [
            ("notes.TXT", "txt"),
            ("a.jpg.txt", "txt"),
            ("jpg", ""),
            (".jpg", ""),
            ("album.jpg/README", ""),
            ("a.jpg ", ""),
            ("a.jpg.", ""),
            ("a.\u{202E}gpj", ""),
            ("a.averyverylongending", ""),
            ("", ""),
        ] {
            assert_eq!(
                check(name, 5),
                Err(Refusal::Type(extension.to_owned())),
                "{name:?}"
            );
        }
    }

    #[test]
    fn the_largest_is_taken_and_a_byte_more_is_not() {
        for (name, limit) in [("a.jpg", LARGEST_PHOTO), ("a.mp4", LARGEST_VIDEO)] {
            assert!(check(name, limit).is_ok());
            let size = limit + 1;
            assert_eq!(check(name, size), Err(Refusal::TooLarge { size, limit }));
        }
        assert!(check("a.mp4", LARGEST_PHOTO + 1).is_ok());
        assert!(check("a.dng", LARGEST_PHOTO + 1).is_err());
        assert_eq!(check("a.jpg", 0), Err(Refusal::Empty));
        assert_eq!(check("a.txt", 0), Err(Refusal::Type("txt".to_owned())));
        assert!(check("a.mp4", u64::MAX).is_err());
    }

    #[test]
    fn a_refusal_says_what_is_wrong_and_what_to_do() {
        let text = |name, size| check(name, size).unwrap_err().to_string();
        assert_eq!(
            text("a.txt", 1),
            "no photo or video that Google Photos takes (.txt): leave it out of the folder"
        );
        assert_eq!(
            text("README", 1),
            "no photo or video that Google Photos takes (its name has no ending): leave it out of the folder"
        );
        assert_eq!(
            text("a.jpg", 0),
            "0 bytes: the file is empty; copy it again from where it came"
        );
        assert_eq!(
            text("a.jpg", LARGEST_PHOTO + 1),
            "200.1 MB: Google Photos takes up to 200 MB here; put a smaller copy in its place"
        );
        assert_eq!(
            text("a.mov", 25 * GIB + GIB / 2),
            "25.5 GB: Google Photos takes up to 20 GB here; put a smaller copy in its place"
        );
        assert_eq!(
            Refusal::Content("a web page").to_string(),
            "it holds a web page, no photo or video: copy it again from where it came"
        );
    }

    #[test]
    fn what_is_certainly_no_photo_or_video_is_told_by_its_first_bytes() {
        let zeros = [0; 512];
        let heads: [(&[u8], &str); 6] = [
            (b"<!DOCTYPE html><html>", "a web page"),
            (b"{\"error\":{\"code\":404}}", "a text"),
            (
                b"PK\x03\x04\x14\0\0\0\x08\0",
                "a document, a program or an archive",
            ),
            (
                b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n\0",
                "a document, a program or an archive",
            ),
            (
                b"SQLite format 3\0\x10\0",
                "a document, a program or an archive",
            ),
            (&zeros, "nothing but zeros"),
        ];
        for (head, other) in heads {
            assert_eq!(looks_like(head), Some(other));
            for name in ["a.jpg", "a.dng", "a.mts", "a.heic"] {
                let refused = check_head(accepted(name).unwrap(), head);
                assert_eq!(refused, Err(Refusal::Content(other)), "{name}");
            }
        }
    }

    #[test]
    fn bytes_of_no_known_kind_pass_only_where_not_all_kinds_are_known() {
        let head = b"FOVb\x03\x00\x02\x00\x11\x22\x33\x44\x55\x66\x77\x88";
        assert_eq!(looks_like(head), None);
        for name in ["a.jpg", "a.png", "a.gif", "a.webp"] {
            let refused = check_head(accepted(name).unwrap(), head);
            let kind = "bytes of no known kind";
            assert_eq!(refused, Err(Refusal::Content(kind)), "{name}");
        }
        for name in ["a.raf", "a.cr3", "a.ico", "a.mts", "a.wmv", "a.mod"] {
            assert_eq!(check_head(accepted(name).unwrap(), head), Ok(()), "{name}");
        }
    }

    #[test]
    fn photos_and_videos_pass_whatever_they_are_called() {
        let heads: [&[u8]; 5] = [
            b"\xFF\xD8\xFF\xE1\x00\x10Exif\0\0",
            b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR",
            b"\0\0\0\x18ftypheic\0\0\0\0",
            b"\0\0\0\x18ftypmp42\0\0\0\0",
            b"RIFF\x10\0\0\0AVI LIST",
        ];
        for head in heads {
            for name in ["a.jpg", "a.png", "a.nef", "a.mp4"] {
                assert_eq!(check_head(accepted(name).unwrap(), head), Ok(()), "{name}");
            }
        }
    }
}
