//! What whole files say about themselves.

use std::time::Instant;

use tintype_media::{Container, Inspector, MediaFault};
use tintype_model::{fidelity::Location, item::MediaKind};

use crate::{SAMPLES, inspect, inspect_in_pieces, named};

#[test]
fn whole_files_tell_container_and_size_in_any_pieces() {
    for sample in &SAMPLES {
        let facts = inspect(sample.mime_type, sample.bytes)
            .unwrap_or_else(|fault| panic!("{}: {fault}", sample.name));
        assert!(facts.dimensions.is_some(), "{} has no size", sample.name);
        assert_eq!(facts.surplus, 0, "{}", sample.name);
        assert_eq!(
            facts.motion_photo,
            sample.name == "motion.jpg",
            "{}",
            sample.name
        );
        let expected = match sample.name.rsplit('.').next() {
            Some("jpg") => Container::Jpeg,
            Some("png") => Container::Png,
            Some("heic") => Container::Heif,
            _ => Container::Mp4,
        };
        assert_eq!(facts.container, expected, "{}", sample.name);
        for piece in [1, 7, 511, 512, 4_096] {
            assert_eq!(
                inspect_in_pieces(sample.mime_type, sample.bytes, piece),
                Ok(facts),
                "{} by {piece}",
                sample.name
            );
        }
    }
}

#[test]
fn pages_and_messages_are_no_photos() {
    let cases: [(&[u8], MediaFault); 8] = [
        (b"", MediaFault::Empty),
        (
            b"<!DOCTYPE html><html><body>403. That's an error.",
            MediaFault::Html,
        ),
        (b"\n\n  <html lang=en>", MediaFault::Html),
        (
            b"{\"error\":{\"code\":429,\"message\":\"Quota exceeded\"}}",
            MediaFault::Text,
        ),
        (b"Too many requests, sorry", MediaFault::Text),
        (b"%PDF-1.7\n\x80\x81\0\x01", MediaFault::WrongContainer),
        (&[0; 4_096], MediaFault::WrongContainer),
        (
            b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0",
            MediaFault::WrongContainer,
        ),
    ];
    for (bytes, fault) in cases {
        for mime_type in ["image/jpeg", "image/x-canon-cr2", "video/mp4"] {
            assert_eq!(
                inspect(mime_type, bytes),
                Err(fault),
                "{mime_type}: {bytes:?}"
            );
        }
    }
}

#[test]
fn a_still_in_place_of_a_video_is_refused() {
    assert_eq!(
        inspect("video/mp4", named("lake.jpg").bytes),
        Err(MediaFault::WrongContainer)
    );
}

#[test]
fn a_type_we_do_not_know_passes() {
    let facts = inspect(
        "image/x-sony-arw",
        &[7, 1, 0, 255, 9, 0, 0, 1, 250, 3, 0, 1, 2, 200],
    )
    .expect("passes");
    assert_eq!(facts.container, Container::Unknown);
}

/// A JPEG whose EXIF block holds latitude and longitude, put in front of a sample's own segments.
fn with_position(picture: &[u8]) -> Vec<u8> {
    let rational = |value: u32| [value.to_be_bytes(), 1_u32.to_be_bytes()].concat();
    let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        [
            &tag.to_be_bytes()[..],
            &kind.to_be_bytes(),
            &count.to_be_bytes(),
            &value,
        ]
        .concat()
    };
    let mut tiff = b"MM\0\x2A\0\0\0\x08\0\x01".to_vec();
    tiff.extend(entry(0x8825, 4, 1, 26_u32.to_be_bytes()));
    tiff.extend([0; 4]);
    // The GPS directory, at 26: four entries, which end at 80.
    tiff.extend(4_u16.to_be_bytes());
    tiff.extend(entry(1, 2, 2, *b"N\0\0\0"));
    tiff.extend(entry(2, 5, 3, 80_u32.to_be_bytes()));
    tiff.extend(entry(3, 2, 2, *b"E\0\0\0"));
    tiff.extend(entry(4, 5, 3, 104_u32.to_be_bytes()));
    tiff.extend([0; 4]);
    for value in [46, 57, 3, 7, 26, 9] {
        tiff.extend(rational(value));
    }
    let length = u16::try_from(tiff.len() + 8).expect("short").to_be_bytes();
    [
        &picture[..2],
        b"\xFF\xE1",
        &length,
        b"Exif\0\0",
        &tiff,
        &picture[2..],
    ]
    .concat()
}

fn location(mime_type: &str, bytes: &[u8]) -> Location {
    inspect(mime_type, bytes).expect("a whole file").location
}

#[test]
fn a_position_in_the_exif_block_is_found() {
    let plain = named("base-3.jpg").bytes;
    assert_eq!(location("image/jpeg", plain), Location::Absent);
    assert_eq!(
        location("image/jpeg", &with_position(plain)),
        Location::Present
    );
    assert_eq!(
        location("image/jpeg", named("tower.jpg").bytes),
        Location::Absent
    );
    assert_eq!(
        location("image/jpeg", named("lake.jpg").bytes),
        Location::Present
    );
    assert_eq!(
        location("image/heic", named("garden.heic").bytes),
        Location::Present
    );
}

#[test]
fn a_position_in_a_video_is_found() {
    assert_eq!(
        location("video/mp4", named("clip.mp4").bytes),
        Location::Present
    );
    let clip = named("base.mp4").bytes;
    assert_eq!(location("video/mp4", clip), Location::Absent);
    // ftyp (32 bytes) and then moov, which gets one more box.
    let moov = u32::from_be_bytes(clip[32..36].try_into().expect("a length"));
    let end = 32 + moov as usize;
    let position = b"\0\0\0\x26udta\0\0\0\x1E\xA9xyz\0\x12\x15\xC7+46.9500+007.4400/";
    let moved = [
        &clip[..32],
        &(moov + u32::try_from(position.len()).expect("short")).to_be_bytes(),
        &clip[36..end],
        position,
        &clip[end..],
    ];
    assert_eq!(location("video/mp4", &moved.concat()), Location::Present);
}

#[test]
fn a_flipped_bit_in_a_png_is_found_by_its_checksum() {
    let png = named("chart.png").bytes;
    for at in (8..png.len()).step_by(13) {
        let mut flipped = png.to_vec();
        flipped[at] ^= 4;
        assert!(inspect("image/png", &flipped).is_err(), "byte {at}");
    }
}

#[test]
fn inspection_is_faster_than_any_network() {
    // A large picture: the image data of a small one, over and over.
    let lake = named("lake.jpg").bytes;
    let scan = lake
        .windows(2)
        .position(|it| it == [0xFF, 0xDA])
        .expect("a scan")
        + 14;
    let data = lake[scan..lake.len() - 2].repeat(4_000);
    let mut picture = lake[..scan].to_vec();
    picture.extend_from_slice(&data);
    picture.extend_from_slice(&[0xFF, 0xD9]);
    let start = Instant::now();
    inspect_in_pieces("image/jpeg", &picture, 64 * 1_024).expect("a picture");
    let seconds = start.elapsed().as_secs_f64();
    let rate = picture.len() as f64 / seconds / 1e6;
    eprintln!("{rate:.0} MB/s over {} bytes", picture.len());
    // Unoptimised builds on a busy machine; a release build does gigabytes.
    assert!(rate > 20.0, "{rate:.0} MB/s");
}

#[test]
fn what_is_certainly_a_photo_or_a_video_is_known_by_its_beginning_whatever_was_promised() {
    let begun = |mime_type: &str, bytes: &[u8]| {
        let mut inspector = Inspector::new(mime_type);
        inspector.feed(&bytes[..bytes.len().min(600)]);
        inspector
    };
    for sample in &SAMPLES {
        // As if Google told of another type than the original has.
        let inspector = begun("image/heif", sample.bytes);
        let is_video = sample.mime_type.starts_with("video/");
        let certain = [MediaKind::Photo, MediaKind::Video].map(|it| inspector.is_certainly(it));
        assert_eq!(certain, [!is_video, is_video], "{}", sample.name);
        assert_eq!(begun(sample.mime_type, sample.bytes).begins_well(), Ok(()));
    }
    let behind = |head: &[u8]| [head, &[0xA7; 600]].concat();
    for raw in [
        &b"II\x2A\0"[..],
        b"FUJIFILMCCD-RAW 0201",
        b"IIU\0\x18\0\0\0",
        b"IIRO\x08\0\0\0",
        b"\0\0\0\x18ftypcrx ",
        b"II\x1A\0\0\0HEAPCCDR",
    ] {
        let inspector = begun("image/heif", &behind(raw));
        assert!(inspector.is_certainly(MediaKind::Photo), "{raw:?}");
        assert!(!inspector.is_certainly(MediaKind::Video), "{raw:?}");
    }
    for video in [
        &b"\x30\x26\xB2\x75\x8E\x66\xCF\x11"[..],
        b"\0\0\x01\xBA\x44",
        b"\x47\x40\0\x10",
        b"\0\0\0\0\x47\x40",
        b"RIFF\0\0\0\0AVI LIST",
        b"\x1A\x45\xDF\xA3",
    ] {
        let inspector = begun("video/mp4", &behind(video));
        assert!(inspector.is_certainly(MediaKind::Video), "{video:?}");
    }
    for nothing in [&b"PK\x03\x04"[..], b"\xA7", b"<html>", b""] {
        let inspector = begun("image/heif", &behind(nothing));
        for kind in [MediaKind::Photo, MediaKind::Video] {
            assert!(!inspector.is_certainly(kind), "{nothing:?}");
        }
    }
    assert_eq!(
        begun("image/heif", b"").begins_well(),
        Err(MediaFault::Empty)
    );
    assert_eq!(
        begun("image/heif", b"<!doctype html><title>x</title>").begins_well(),
        Err(MediaFault::Html)
    );
}
