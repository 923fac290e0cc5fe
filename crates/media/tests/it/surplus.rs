//! Bytes behind the end: what belongs there, and what is surplus.

use tintype_media::MediaFacts;

use crate::{inspect, inspect_in_pieces, named};

const GIF: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xFF\xFF\xFF\x2C\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\x3B";
const WEBP: &[u8] =
    b"RIFF\x1A\0\0\0WEBPVP8L\x0D\0\0\0\x2F\0\0\0\x10\x07\x10\x11\x11\x88\x88\xFE\x07\0";

/// The facts of a file with something behind it, the same in pieces of any size.
fn facts(mime_type: &str, file: &[u8], behind: &[u8]) -> MediaFacts {
    let bytes = [file, behind].concat();
    let facts = inspect(mime_type, &bytes).expect("a whole file");
    for piece in [1, 3, 11, 12, 13, 64] {
        assert_eq!(
            inspect_in_pieces(mime_type, &bytes, piece),
            Ok(facts),
            "by {piece}"
        );
    }
    facts
}

fn surplus(mime_type: &str, file: &[u8], behind: &[u8]) -> u64 {
    facts(mime_type, file, behind).surplus
}

fn behind_jpeg(behind: &[u8]) -> u64 {
    surplus("image/jpeg", named("base-3.jpg").bytes, behind)
}

#[test]
fn bytes_that_do_not_belong_to_a_file_are_counted() {
    let files = [
        ("image/jpeg", named("lake.jpg").bytes),
        ("image/jpeg", named("motion.jpg").bytes),
        ("image/png", named("chart.png").bytes),
        ("image/gif", GIF),
        ("image/webp", WEBP),
        ("image/heic", named("garden.heic").bytes),
        ("video/mp4", named("clip.mp4").bytes),
    ];
    for (mime_type, file) in files {
        // No name of a box holds such bytes.
        for count in [8, 12, 1_000] {
            let behind = vec![0xEE; count];
            assert_eq!(
                surplus(mime_type, file, &behind),
                count as u64,
                "{mime_type}"
            );
        }
    }
}

#[test]
fn a_single_byte_too_many_is_counted_where_the_format_has_an_end() {
    let files = [
        ("image/jpeg", named("lake.jpg").bytes),
        ("image/png", named("chart.png").bytes),
        ("image/gif", GIF),
        ("image/webp", WEBP),
    ];
    for (mime_type, file) in files {
        assert_eq!(surplus(mime_type, file, b"x"), 1, "{mime_type}");
    }
}

#[test]
fn zeros_behind_a_jpeg_or_a_gif_are_padding() {
    for count in [1, 11, 12, 13, 4_096] {
        let zeros = vec![0; count];
        assert_eq!(behind_jpeg(&zeros), 0);
        assert_eq!(surplus("image/gif", GIF, &zeros), 0);
        assert_eq!(
            surplus("image/png", named("chart.png").bytes, &zeros),
            count as u64
        );
    }
    assert_eq!(behind_jpeg(b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0x"), 17);
}

#[test]
fn another_picture_behind_a_jpeg_belongs_to_it() {
    let second = named("base-tiny.jpg").bytes;
    assert_eq!(behind_jpeg(second), 0);
    assert_eq!(behind_jpeg(&[second, second].concat()), 0);
    for padding in [1, 3, 4, 9, 30] {
        assert_eq!(behind_jpeg(&[&vec![0; padding], second].concat()), 0);
    }
    assert_eq!(behind_jpeg(&[second, b"and more"].concat()), 8);
}

#[test]
fn a_video_behind_a_jpeg_belongs_to_it_padded_or_not() {
    let video = named("base.mp4").bytes;
    for padding in [0, 1, 3, 8, 13] {
        let behind = [&vec![0; padding], video].concat();
        let facts = facts("image/jpeg", named("base-3.jpg").bytes, &behind);
        assert_eq!((facts.motion_photo, facts.surplus), (true, 0), "{padding}");
    }
}

#[test]
fn the_trailer_of_a_samsung_camera_is_known_by_its_end() {
    let trailer =
        b"\0\0\x01\x0A\x0E\0\0\0Image_UTC_Data1700000000000SEFH\x6B\0\0\0\x01\0\0\0\x24\0\0\0SEFT";
    assert_eq!(behind_jpeg(trailer), 0);
    let with_more = [&trailer[..], b"x"].concat();
    assert_eq!(behind_jpeg(&with_more), with_more.len() as u64);
    let motion = [named("base.mp4").bytes, &[0xEE; 20], b"SEFT"].concat();
    assert_eq!(behind_jpeg(&motion), 0);
}

#[test]
fn a_samsung_motion_photo_is_known_by_its_mark() {
    let mark = b"\0\0\x30\x0A\x10\0\0\0MotionPhoto_Data";
    let behind = [mark, named("base.mp4").bytes, b"SEFH\x6B\0\0\0SEFT"].concat();
    let facts = facts("image/jpeg", named("base-3.jpg").bytes, &behind);
    assert_eq!((facts.motion_photo, facts.surplus), (true, 0));
}

#[test]
fn a_riff_file_of_unknown_length_has_no_surplus() {
    for unknown in [0, u32::MAX] {
        let mut webp = WEBP.to_vec();
        webp[4..8].copy_from_slice(&unknown.to_le_bytes());
        assert_eq!(surplus("image/webp", &webp, &[0xEE; 100]), 0);
    }
}
