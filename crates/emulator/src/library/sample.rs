//! The sample library: six real files, committed under `media/`, and how they were taken.

/// One committed file.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) mime: &'static str,
    pub(crate) bytes: &'static [u8],
    pub(crate) thumbnail: &'static [u8],
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Milliseconds since the epoch; equal to the file's own date where it has one.
    pub(crate) created_ms: i64,
    /// Where an appended video begins (motion photos).
    pub(crate) motion_at: Option<usize>,
}

macro_rules! media {
    ($file:literal) => {
        include_bytes!(concat!("../../media/", $file))
    };
}

/// All samples.
pub(crate) static SAMPLES: [Sample; 6] = [
    Sample {
        name: "lake.jpg",
        mime: "image/jpeg",
        bytes: media!("lake.jpg"),
        thumbnail: media!("lake.thumb.jpg"),
        width: 1024,
        height: 768,
        created_ms: 1_689_357_931_000,
        motion_at: None,
    },
    Sample {
        name: "tower.jpg",
        mime: "image/jpeg",
        bytes: media!("tower.jpg"),
        thumbnail: media!("tower.thumb.jpg"),
        width: 768,
        height: 1024,
        created_ms: 1_554_196_500_000,
        motion_at: None,
    },
    Sample {
        name: "chart.png",
        mime: "image/png",
        bytes: media!("chart.png"),
        thumbnail: media!("chart.thumb.jpg"),
        width: 320,
        height: 240,
        created_ms: 1_622_548_800_000,
        motion_at: None,
    },
    Sample {
        name: "garden.heic",
        mime: "image/heif",
        bytes: media!("garden.heic"),
        thumbnail: media!("garden.thumb.jpg"),
        width: 640,
        height: 480,
        created_ms: 1_716_206_400_000,
        motion_at: None,
    },
    Sample {
        name: "motion.jpg",
        mime: "image/jpeg",
        bytes: media!("motion.jpg"),
        thumbnail: media!("motion.thumb.jpg"),
        width: 640,
        height: 480,
        created_ms: 1_736_441_112_000,
        motion_at: Some(MOTION_AT),
    },
    Sample {
        name: "clip.mp4",
        mime: "video/mp4",
        bytes: media!("clip.mp4"),
        thumbnail: media!("clip.thumb.jpg"),
        width: 320,
        height: 240,
        created_ms: 1_671_901_200_000,
        motion_at: None,
    },
];

/// Where the MP4 of `motion.jpg` begins; a test holds it to the file.
const MOTION_AT: usize = 8_226;

/// The sample of a file name.
pub(crate) fn find(name: &str) -> Option<&'static Sample> {
    SAMPLES.iter().find(|sample| sample.name == name)
}

/// The small pictures that generated items are built around, and that stand in for scaled versions.
pub(crate) static PICTURES: [(&[u8], u32, u32); 8] = [
    (media!("base-0.jpg"), 320, 240),
    (media!("base-1.jpg"), 240, 320),
    (media!("base-2.jpg"), 400, 300),
    (media!("base-3.jpg"), 288, 288),
    (media!("base-4.jpg"), 320, 240),
    (media!("base-5.jpg"), 240, 320),
    (media!("base-6.jpg"), 400, 300),
    (media!("base-7.jpg"), 288, 288),
];
/// The picture of photos too small for the others.
pub(crate) static TINY: (&[u8], u32, u32) = (media!("base-tiny.jpg"), 16, 16);
/// A small whole photo unlike any other, for tests that upload many.
#[must_use]
pub fn small_photo(number: usize) -> Vec<u8> {
    let (start, rest) = TINY.0.split_at(2);
    let note = format!("photo {number:020}");
    // A comment behind the start of the picture; its length counts the two bytes that tell it.
    let mut bytes = start.to_vec();
    bytes.extend([0xff, 0xfe, 0, 28]);
    bytes.extend(note.as_bytes());
    bytes.extend(rest);
    bytes
}

/// The video that generated videos are built around.
pub(crate) static CLIP: (&[u8], u32, u32) = (media!("base.mp4"), 160, 120);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::probe;

    #[test]
    fn a_small_photo_is_whole_and_its_own() {
        let (one, other) = (small_photo(1), small_photo(2));
        assert_ne!(one, other);
        assert_eq!(probe::probe(&one).dimensions, Some((TINY.1, TINY.2)));
    }

    #[test]
    fn the_table_agrees_with_the_files() {
        for sample in &SAMPLES {
            let facts = probe::probe(sample.bytes);
            assert_eq!(
                facts.dimensions,
                Some((sample.width, sample.height)),
                "{}",
                sample.name
            );
            if let Some(at) = sample.motion_at {
                assert_eq!(&sample.bytes[at + 4..at + 8], b"ftyp");
            }
        }
        for (bytes, width, height) in PICTURES.iter().chain([&TINY, &CLIP]) {
            assert_eq!(probe::probe(bytes).dimensions, Some((*width, *height)));
        }
    }
}
