//! RIFF (WebP, AVI): the header says how long the file is; WebP's first chunk says how large the picture is.

use tintype_model::fidelity::Dimensions;

use crate::{
    MediaFault,
    bits::{le16, le24, le32, size},
};

/// Refuses a file that is shorter than its header says.
pub(crate) fn check_length(head: &[u8], length: u64) -> Result<(), MediaFault> {
    let announced = u64::from(le32(head, 4).unwrap_or_default());
    if is_unknown(announced) || length >= announced + 8 {
        return Ok(());
    }
    Err(MediaFault::CutShort)
}

/// Bytes beyond the length that the header says.
pub(crate) fn surplus(head: &[u8], length: u64) -> u64 {
    let announced = u64::from(le32(head, 4).unwrap_or_default());
    if is_unknown(announced) {
        return 0;
    }
    // A chunk of odd length is followed by a byte of padding, which some writers do not count.
    length.saturating_sub(announced + 8 + announced % 2)
}

/// Writers that do not know the length in advance leave 0 or the largest number.
const fn is_unknown(announced: u64) -> bool {
    announced == 0 || announced == u32::MAX as u64
}

/// Size in pixels of a WebP picture.
pub(crate) fn webp_dimensions(head: &[u8]) -> Option<Dimensions> {
    let body = head.get(20..)?;
    match head.get(12..16)? {
        b"VP8X" => size(le24(body, 4)? + 1, le24(body, 7)? + 1),
        b"VP8L" => {
            let bits = le32(body, 1)?;
            size((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1)
        }
        b"VP8 " if body.get(3..6)? == [0x9D, 0x01, 0x2A] => size(
            u32::from(le16(body, 6)? & 0x3FFF),
            u32::from(le16(body, 8)? & 0x3FFF),
        ),
        _ => None,
    }
}

/// True when the extended header says that there is EXIF or XMP. Simple files cannot hold any.
pub(crate) fn webp_has_metadata(head: &[u8]) -> bool {
    head.get(12..16) == Some(b"VP8X") && head.get(20).is_some_and(|flags| flags & 0x0C != 0)
}
