//! The inspector on real files, whole, cut, flipped and mutated.

mod cut;
mod facts;
mod hostile;
mod surplus;

use tintype_media::{Inspector, MediaFacts, MediaFault};

/// A small file and the type it is served as.
struct Sample {
    name: &'static str,
    mime_type: &'static str,
    bytes: &'static [u8],
}

macro_rules! sample {
    ($file:literal, $mime:literal) => {
        Sample {
            name: $file,
            mime_type: $mime,
            bytes: include_bytes!(concat!("../../../emulator/media/", $file)),
        }
    };
}

static SAMPLES: [Sample; 9] = [
    sample!("lake.jpg", "image/jpeg"),
    sample!("tower.jpg", "image/jpeg"),
    sample!("base-tiny.jpg", "image/jpeg"),
    sample!("base-3.jpg", "image/jpeg"),
    sample!("chart.png", "image/png"),
    sample!("clip.mp4", "video/mp4"),
    sample!("base.mp4", "video/mp4"),
    sample!("garden.heic", "image/heic"),
    sample!("motion.jpg", "image/jpeg"),
];

fn named(name: &str) -> &'static Sample {
    SAMPLES.iter().find(|it| it.name == name).expect("a sample")
}

fn inspect(mime_type: &str, bytes: &[u8]) -> Result<MediaFacts, MediaFault> {
    inspect_in_pieces(mime_type, bytes, usize::MAX)
}

fn inspect_in_pieces(
    mime_type: &str,
    bytes: &[u8],
    piece: usize,
) -> Result<MediaFacts, MediaFault> {
    let mut inspector = Inspector::new(mime_type);
    for piece in bytes.chunks(piece.min(bytes.len().max(1))) {
        inspector.feed(piece);
    }
    inspector.finish(bytes.len() as u64)
}
