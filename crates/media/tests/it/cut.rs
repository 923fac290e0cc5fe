//! Every missing end is noticed, although the length was said to be right.

use tintype_media::{Inspector, MediaFault};

use crate::{SAMPLES, inspect, named};

/// Where the image of a JPEG ends that has something behind it.
fn end_of_image(bytes: &[u8]) -> usize {
    let video = bytes
        .windows(4)
        .position(|it| it == b"ftyp")
        .expect("a video");
    video - 4
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    for sample in &SAMPLES {
        // Nothing in a picture says that a video has to follow; its first box header does.
        let unnoticed = match sample.name {
            "motion.jpg" => end_of_image(sample.bytes)..end_of_image(sample.bytes) + 12,
            _ => 0..0,
        };
        for cut in 0..sample.bytes.len() {
            if unnoticed.contains(&cut) {
                let left_over = &sample.bytes[unnoticed.start..cut];
                let surplus = if left_over.iter().all(|byte| *byte == 0) {
                    0
                } else {
                    left_over.len() as u64
                };
                let facts = inspect(sample.mime_type, &sample.bytes[..cut]).expect("a picture");
                assert_eq!(facts.surplus, surplus, "{} cut at {cut}", sample.name);
                continue;
            }
            let result = inspect(sample.mime_type, &sample.bytes[..cut]);
            assert!(
                result.is_err(),
                "{} cut at {cut} passed: {result:?}",
                sample.name
            );
        }
    }
}

#[test]
fn a_cut_behind_the_first_bytes_is_called_a_cut() {
    for sample in &SAMPLES {
        let cut = sample.bytes.len() - 1;
        assert_eq!(
            inspect(sample.mime_type, &sample.bytes[..cut]),
            Err(MediaFault::CutShort),
            "{}",
            sample.name
        );
    }
}

#[test]
fn fewer_bytes_than_announced_are_a_cut_whatever_the_type() {
    let mut inspector = Inspector::new("image/x-sony-arw");
    inspector.feed(&[1, 2, 3, 0, 255, 7]);
    assert_eq!(inspector.finish(7), Err(MediaFault::CutShort));
}

#[test]
fn a_cut_webp_and_a_cut_gif_are_noticed() {
    let gif = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xFF\xFF\xFF\x2C\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\x3B";
    let webp = b"RIFF\x1A\0\0\0WEBPVP8L\x0D\0\0\0\x2F\0\0\0\x10\x07\x10\x11\x11\x88\x88\xFE\x07\0";
    for (mime_type, bytes) in [("image/gif", &gif[..]), ("image/webp", &webp[..])] {
        let facts = inspect(mime_type, bytes).expect("a whole file");
        let size = facts.dimensions.expect("a size");
        assert_eq!((size.width, size.height), (1, 1), "{mime_type}");
        for cut in 0..bytes.len() {
            assert!(
                inspect(mime_type, &bytes[..cut]).is_err(),
                "{mime_type} cut at {cut} passed"
            );
        }
    }
}

#[test]
fn the_picture_of_a_motion_photo_alone_is_a_picture() {
    let motion = named("motion.jpg");
    let still = &motion.bytes[..end_of_image(motion.bytes)];
    assert!(
        !inspect("image/jpeg", still)
            .expect("a picture")
            .motion_photo
    );
}
