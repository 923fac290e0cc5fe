//! Invented bytes of an exact size: a real small JPEG or MP4 whose comment segments or free boxes carry filler.
//! The filler is cut from one shared pool, so an item costs one small allocation however large it is.

use std::sync::LazyLock;

use bytes::Bytes;

use crate::clock::exif_date;
use crate::library::sample::{CLIP, PICTURES, TINY};
use crate::mix::{below, mix2};

/// Marker, length and data of a comment segment of the largest size.
const SEGMENT: usize = 65_537;
const SEGMENTS: usize = 64;
const POOL: usize = SEGMENT * SEGMENTS;

/// Full comment segments back to back: any run of them can stand in a JPEG, and any slice is filler.
static SHARED: LazyLock<Bytes> = LazyLock::new(|| {
    let mut pool = Vec::with_capacity(POOL + 8);
    let mut word = 0;
    for _ in 0..SEGMENTS {
        let end = pool.len() + SEGMENT;
        pool.extend_from_slice(&[0xff, 0xfe, 0xff, 0xff]);
        while pool.len() < end {
            word += 1;
            pool.extend_from_slice(&mix2(0x706f_6f6c, word).to_le_bytes());
        }
        pool.truncate(end);
    }
    Bytes::from(pool)
});

/// The recipe of a generated item's bytes; equal recipes give equal bytes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filler {
    pub(crate) seed: u64,
    pub(crate) index: u64,
    /// Bytes wanted; small ones are raised to what the picture needs.
    pub(crate) size: u64,
    pub(crate) video: bool,
    /// Written into the EXIF date.
    pub(crate) created_ms: i64,
}

impl Filler {
    fn base(&self) -> &'static (&'static [u8], u32, u32) {
        const ROOM_FOR_A_PICTURE: u64 = 4096;
        if self.video {
            return &CLIP;
        }
        if self.size < ROOM_FOR_A_PICTURE {
            return &TINY;
        }
        let choice = below(self.seed ^ 0x44, self.index, PICTURES.len() as u64);
        &PICTURES[usize::try_from(choice).unwrap_or(0)]
    }

    /// Width and height of the picture, pixels.
    pub(crate) fn dimensions(&self) -> (u32, u32) {
        let (_, width, height) = self.base();
        (*width, *height)
    }

    /// The picture without filler, as a scaled version.
    pub(crate) fn picture(&self) -> &'static [u8] {
        if self.video {
            PICTURES[0].0
        } else {
            self.base().0
        }
    }

    /// The bytes as a few shared pieces, in order.
    pub(crate) fn parts(&self) -> Vec<Bytes> {
        if self.video {
            self.video_parts()
        } else {
            self.photo_parts()
        }
    }

    fn label(&self) -> String {
        format!(
            "tintype-emulator item {:016x}/{:010}",
            self.seed, self.index
        )
    }

    fn photo_parts(&self) -> Vec<Bytes> {
        let picture = self.base().0;
        let label = self.label();
        let exif = exif(self.created_ms);
        let fixed = 2 + 4 + exif.len() + 4 + label.len() + picture.len() - 2;
        let wanted = usize::try_from(self.size).unwrap_or(usize::MAX);
        let filler = wanted.saturating_sub(fixed);
        let (full, rest) = (filler / SEGMENT, filler % SEGMENT);
        // A segment needs four bytes for itself; less is made up by padding the label.
        let (padding, last) = if rest < 4 { (rest, 0) } else { (0, rest) };

        let mut head = Vec::with_capacity(exif.len() + label.len() + 24);
        head.extend_from_slice(&[0xff, 0xd8]);
        push_segment(&mut head, 0xe1, exif.len());
        head.extend_from_slice(&exif);
        push_segment(&mut head, 0xfe, label.len() + padding);
        head.extend_from_slice(label.as_bytes());
        head.resize(head.len() + padding, b' ');
        let mut parts = Vec::with_capacity(4 + full / SEGMENTS + 1);
        if last > 0 {
            push_segment(&mut head, 0xfe, last - 4);
        }
        parts.push(Bytes::from(head));
        if last > 4 {
            parts.push(self.slice(last - 4));
        }
        let first = below(self.seed ^ 0x55, self.index, SEGMENTS as u64);
        let mut segment = usize::try_from(first).unwrap_or(0);
        let mut left = full;
        while left > 0 {
            let run = left.min(SEGMENTS - segment);
            parts.push(SHARED.slice(segment * SEGMENT..(segment + run) * SEGMENT));
            left -= run;
            segment = 0;
        }
        parts.push(Bytes::from_static(&picture[2..]));
        parts
    }

    fn video_parts(&self) -> Vec<Bytes> {
        let clip = self.base().0;
        let label = self.label();
        let fixed = clip.len() + 8 + label.len();
        let wanted = usize::try_from(self.size).unwrap_or(usize::MAX);
        let filler = wanted.saturating_sub(fixed);
        // A box header is 8 bytes, 16 beyond 4 GiB; less is made up by padding the label.
        let header = if filler > u32::MAX as usize { 16 } else { 8 };
        let (padding, body) = if filler < header {
            (filler, 0)
        } else {
            (0, filler - header)
        };
        let mut head = Vec::with_capacity(label.len() + 32);
        push_box(&mut head, 8 + label.len() + padding);
        head.extend_from_slice(label.as_bytes());
        head.resize(head.len() + padding, b' ');
        if padding == 0 && filler > 0 {
            push_box(&mut head, filler);
        }
        let mut parts = vec![Bytes::from_static(clip), Bytes::from(head)];
        let mut left = body;
        while left > 0 {
            let piece = left.min(POOL / 2);
            parts.push(self.slice(piece));
            left -= piece;
        }
        parts
    }

    /// A slice of the pool of at most half its length, at a place that depends on the item.
    fn slice(&self, len: usize) -> Bytes {
        let room = (POOL - len) as u64;
        let start = usize::try_from(below(self.seed ^ 0x66, self.index, room)).unwrap_or(0);
        SHARED.slice(start..start + len)
    }
}

/// A JPEG marker and its length field for `data` bytes.
fn push_segment(out: &mut Vec<u8>, marker: u8, data: usize) {
    let length = u16::try_from(data + 2).unwrap_or(u16::MAX);
    out.extend_from_slice(&[0xff, marker]);
    out.extend_from_slice(&length.to_be_bytes());
}

/// The header of a `free` box of `size` bytes, header included.
fn push_box(out: &mut Vec<u8>, size: usize) {
    match u32::try_from(size) {
        Ok(short) => {
            out.extend_from_slice(&short.to_be_bytes());
            out.extend_from_slice(b"free");
        }
        Err(_) => {
            out.extend_from_slice(&[0, 0, 0, 1]);
            out.extend_from_slice(b"free");
            out.extend_from_slice(&(size as u64).to_be_bytes());
        }
    }
}

/// A minimal EXIF block: maker, model and DateTimeOriginal.
fn exif(created_ms: i64) -> Vec<u8> {
    let mut out = Vec::with_capacity(112);
    out.extend_from_slice(b"Exif\0\0II*\0\x08\0\0\0");
    out.extend_from_slice(&3_u16.to_le_bytes());
    push_field(&mut out, 0x010f, 2, 8, 50);
    push_field(&mut out, 0x0110, 2, 9, 58);
    push_field(&mut out, 0x8769, 4, 1, 68);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(b"Tintype\0Emulator\0\0");
    out.extend_from_slice(&1_u16.to_le_bytes());
    push_field(&mut out, 0x9003, 2, 20, 86);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(exif_date(created_ms).as_bytes());
    out.push(0);
    out
}

fn push_field(out: &mut Vec<u8>, tag: u16, format: u16, count: u32, value: u32) {
    out.extend_from_slice(&tag.to_le_bytes());
    out.extend_from_slice(&format.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&value.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::probe::probe;

    fn filler(size: u64, video: bool) -> Filler {
        Filler {
            seed: 9,
            index: 4,
            size,
            video,
            created_ms: 1_600_000_000_000,
        }
    }

    #[test]
    fn photos_have_the_exact_size_and_stay_valid_pictures() {
        for size in [
            700, 5000, 65_536, 70_000, 204_800, 204_801, 204_802, 204_803, 9_000_000,
        ] {
            let recipe = filler(size, false);
            let bytes = recipe.parts().concat();
            assert_eq!(bytes.len() as u64, size);
            assert_eq!(&bytes[bytes.len() - 2..], &[0xff, 0xd9]);
            let facts = probe(&bytes);
            assert_eq!(facts.dimensions, Some(recipe.dimensions()));
            assert_eq!(facts.taken_ms, Some(1_600_000_000_000));
        }
    }

    #[test]
    fn videos_have_the_exact_size_and_their_boxes_add_up() {
        for size in [2700, 2701, 2_000_000] {
            let bytes = filler(size, true).parts().concat();
            assert_eq!(bytes.len() as u64, size);
            let mut at = 0;
            while at < bytes.len() {
                at += u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
            }
            assert_eq!(at, bytes.len());
        }
    }

    #[test]
    fn items_differ_and_small_sizes_are_raised() {
        let one = filler(0, false);
        let two = Filler {
            index: 5,
            ..filler(0, false)
        };
        assert_ne!(one.parts().concat(), two.parts().concat());
        assert!(one.parts().concat().len() > 300);
    }
}
