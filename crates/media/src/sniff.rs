//! What the first bytes say: a container, a text, or something that is clearly no photo.

use tintype_model::item::MediaKind;

/// The kind of file that the bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Container {
    /// JPEG, motion photos included.
    Jpeg,
    /// PNG.
    Png,
    /// GIF.
    Gif,
    /// WebP.
    Webp,
    /// AVI.
    Avi,
    /// HEIF and HEIC.
    Heif,
    /// AVIF.
    Avif,
    /// MP4, M4V, 3GP.
    Mp4,
    /// QuickTime.
    Mov,
    /// Matroska and WebM.
    Matroska,
    /// TIFF, and RAW formats that are built like it.
    Tiff,
    /// BMP.
    Bmp,
    /// Something we do not know; not refused for that.
    Unknown,
}

impl Container {
    /// True for containers that hold no photo.
    pub(crate) const fn is_video(self) -> bool {
        matches!(self, Self::Avi | Self::Mp4 | Self::Mov | Self::Matroska)
    }

    /// True for containers that hold no video.
    pub(crate) const fn is_still(self) -> bool {
        matches!(
            self,
            Self::Jpeg | Self::Png | Self::Gif | Self::Webp | Self::Heif | Self::Avif | Self::Bmp
        )
    }
}

/// The beginnings of formats whose structure we do not know: RAW photos that are not built like TIFF, and icons.
const PHOTOS: [(usize, &[u8]); 10] = [
    (0, b"FUJIFILM"),
    (0, b"IIU\0"),
    (0, b"IIRO"),
    (0, b"IIRS"),
    (0, b"MMOR"),
    (0, b"FOVb"),
    (0, b"\0MRM"),
    (6, b"HEAPCCDR"),
    (4, b"ftypcrx "),
    (0, b"\0\0\x01\0"),
];

/// The same of videos: ASF and WMV, MPEG streams, MPEG transport streams (M2TS with four bytes before each packet), FLV, DV.
const VIDEOS: [(usize, &[u8]); 7] = [
    (0, b"\x30\x26\xB2\x75\x8E\x66\xCF\x11"),
    (0, b"\0\0\x01\xBA"),
    (0, b"\0\0\x01\xB3"),
    (0, b"\x47"),
    (4, b"\x47"),
    (0, b"FLV\x01"),
    (0, b"\x1F\x07\0"),
];

/// Whether the head is that of a photo or video whose structure we do not know.
pub(crate) fn begins_as(kind: MediaKind, head: &[u8]) -> bool {
    let known: &[(usize, &[u8])] = match kind {
        MediaKind::Photo => &PHOTOS,
        MediaKind::Video => &VIDEOS,
    };
    known
        .iter()
        .any(|(at, mark)| head.get(*at..).is_some_and(|rest| rest.starts_with(mark)))
}

/// How much of the head the decisions below look at.
pub(crate) const SNIFF_BYTES: usize = 512;

/// The container by its first bytes (12 suffice).
pub(crate) fn container(head: &[u8]) -> Container {
    match head {
        [0xFF, 0xD8, 0xFF, ..] => Container::Jpeg,
        [0x89, b'P', b'N', b'G', ..] => Container::Png,
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Container::Gif,
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Container::Webp,
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'A',
            b'V',
            b'I',
            b' ',
            ..,
        ] => Container::Avi,
        [0x1A, 0x45, 0xDF, 0xA3, ..] => Container::Matroska,
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Container::Tiff,
        [b'B', b'M', ..] if head.get(6..10) == Some(&[0; 4]) => Container::Bmp,
        [_, _, _, _, b'f', b't', b'y', b'p', a, b, c, d, ..] => by_brand([*a, *b, *c, *d]),
        // QuickTime files of old have no `ftyp`.
        [_, _, _, _, kind @ ..] if starts_quicktime(kind) => Container::Mov,
        _ => Container::Unknown,
    }
}

fn starts_quicktime(kind: &[u8]) -> bool {
    [b"moov", b"mdat", b"wide", b"skip", b"pnot"]
        .iter()
        .any(|known| kind.starts_with(*known))
}

const fn by_brand(brand: [u8; 4]) -> Container {
    match &brand {
        b"heic" | b"heix" | b"hevc" | b"heim" | b"heis" | b"hevm" | b"mif1" | b"msf1" => {
            Container::Heif
        }
        b"avif" | b"avis" => Container::Avif,
        b"qt  " => Container::Mov,
        // Canon RAW: boxes whose rules we do not know.
        b"crx " => Container::Unknown,
        _ => Container::Mp4,
    }
}

/// A page or an error message instead of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prose {
    Html,
    Text,
}

/// Whether the head reads as text.
pub(crate) fn prose(head: &[u8]) -> Option<Prose> {
    let head = head
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(head)
        .trim_ascii_start();
    let head = &head[..head.len().min(SNIFF_BYTES)];
    let tag =
        matches!(head, [b'<', next, ..] if next.is_ascii_alphabetic() || b"!?/".contains(next));
    let control = |byte: &u8| *byte < 0x20 && !b"\t\r\n\x0C\x1B".contains(byte);
    if head.iter().any(control) {
        return None;
    }
    let readable = match std::str::from_utf8(head) {
        Ok(text) => !text.is_empty(),
        // Cut within its last character.
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    };
    match (readable, tag) {
        (true, true) => Some(Prose::Html),
        (true, false) => Some(Prose::Text),
        (false, _) => None,
    }
}

/// Files that are certainly neither photo nor video.
pub(crate) fn is_no_media(head: &[u8]) -> bool {
    let known: [&[u8]; 7] = [
        b"%PDF-",
        b"PK\x03\x04",
        b"\x1F\x8B\x08",
        b"\x7FELF",
        b"Rar!\x1A",
        b"7z\xBC\xAF\x27\x1C",
        b"SQLite format 3\0",
    ];
    known.iter().any(|magic| head.starts_with(magic))
        || (head.len() >= SNIFF_BYTES && head[..SNIFF_BYTES].iter().all(|byte| *byte == 0))
}

/// True for types whose files we would recognise: unrecognised bytes are then not of this type.
pub(crate) fn is_well_known(mime_type: &str) -> bool {
    matches!(
        mime_type,
        "image/jpeg" | "image/png" | "image/gif" | "image/webp"
    )
}
