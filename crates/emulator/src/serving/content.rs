//! What Google serves for an item and a base-URL suffix: deterministic, and known to tests in advance.

use std::path::PathBuf;

use bytes::Bytes;

use super::exif;
use super::probe::find_all;
use crate::library::sample::{PICTURES, Sample};
use crate::state::item::{Content, Facts};
use crate::switches::Switches;

/// The suffix of a base URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suffix {
    /// `=d`
    Image,
    /// `=dv`
    Video,
    /// `=wN-hN`, `=sN` and the like
    Scaled,
}

impl Suffix {
    /// The suffix after the last `=`; `None` when it is missing or unknown.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "d" => Some(Self::Image),
            "dv" => Some(Self::Video),
            _ => {
                let mut parts = text.split('-');
                let sized = parts.next().is_some_and(|first| {
                    let digits = first.trim_start_matches(['w', 'h', 's']);
                    digits.len() + 1 == first.len() && digits.parse::<u32>().is_ok()
                });
                sized.then_some(Self::Scaled)
            }
        }
    }
}

/// Where served bytes lie.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Parts(Vec<Bytes>),
    File(PathBuf),
}

/// Bytes ready to be served.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) mime: &'static str,
    pub(crate) len: u64,
    pub(crate) source: Source,
}

impl Served {
    fn parts(mime: &'static str, parts: Vec<Bytes>) -> Self {
        let len = parts.iter().map(|part| part.len() as u64).sum();
        Self {
            mime,
            len,
            source: Source::Parts(parts),
        }
    }

    fn fixed(mime: &'static str, bytes: &'static [u8]) -> Self {
        Self::parts(mime, vec![Bytes::from_static(bytes)])
    }
}

/// What a base URL with this suffix serves; `None` where Google answers 404.
pub(crate) fn served(
    content: &Content,
    facts: &Facts<'_>,
    suffix: Suffix,
    switches: &Switches,
    now_ms: i64,
) -> Option<Served> {
    let is_video = facts.is_video();
    match suffix {
        Suffix::Scaled => Some(thumbnail(content)),
        Suffix::Image if is_video => Some(thumbnail(content)),
        Suffix::Image => image(content, facts.mime, switches),
        Suffix::Video if !is_video => motion(content),
        Suffix::Video if facts.status(now_ms) != "READY" => None,
        Suffix::Video => video(content, facts.mime, switches),
    }
}

/// The bytes as they were uploaded, which only the full-resolution proxy can see.
pub(crate) fn original(content: &Content, mime: &'static str) -> Option<Served> {
    Some(match content {
        Content::Memory(bytes) => Served::parts(mime, vec![bytes.clone()]),
        Content::Sample(sample) => Served::fixed(mime, sample.bytes),
        Content::Filler(filler) => Served::parts(mime, filler.parts()),
        Content::File { path, len } => Served {
            mime,
            len: *len,
            source: Source::File(path.clone()),
        },
        Content::Forgotten => return None,
    })
}

fn image(content: &Content, mime: &'static str, switches: &Switches) -> Option<Served> {
    let bytes: &[u8] = match content {
        Content::Memory(bytes) => bytes,
        Content::Sample(sample) => sample.bytes,
        _ => return original(content, mime),
    };
    let stripped = switches
        .strip_location
        .then(|| exif::without_location(bytes))
        .flatten();
    match stripped {
        Some(stripped) => Some(Served::parts(mime, vec![Bytes::from(stripped)])),
        None => original(content, mime),
    }
}

fn video(content: &Content, mime: &'static str, switches: &Switches) -> Option<Served> {
    let bytes: &[u8] = match content {
        Content::Memory(bytes) => bytes,
        Content::Sample(sample) => sample.bytes,
        _ => return original(content, mime),
    };
    if !switches.transcode_video {
        return original(content, mime);
    }
    Some(Served::parts(
        "video/mp4",
        vec![Bytes::from(transcoded(bytes))],
    ))
}

/// Stands for Google's transcode: location boxes become free space, and a note is appended in a free box.
fn transcoded(bytes: &[u8]) -> Vec<u8> {
    const NOTE: &[u8] = b"\0\0\0\x20freetranscoded by emulator  ";
    let mut copy = bytes.to_vec();
    for name in [b"loci", b"\xa9xyz"] {
        let places: Vec<usize> = find_all(bytes, name).collect();
        for at in places {
            copy[at..at + 4].copy_from_slice(b"free");
        }
    }
    copy.extend_from_slice(NOTE);
    copy.resize(bytes.len() + 32, b' ');
    copy
}

fn motion(content: &Content) -> Option<Served> {
    let Content::Sample(Sample {
        bytes,
        motion_at: Some(at),
        ..
    }) = content
    else {
        return None;
    };
    Some(Served::fixed("video/mp4", &bytes[*at..]))
}

fn thumbnail(content: &Content) -> Served {
    let picture = match content {
        Content::Sample(sample) => sample.thumbnail,
        Content::Filler(filler) => filler.picture(),
        Content::Memory(bytes) => PICTURES[bytes.len() % PICTURES.len()].0,
        Content::File { .. } | Content::Forgotten => PICTURES[0].0,
    };
    Served::fixed("image/jpeg", picture)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::sample;

    #[test]
    fn suffixes_are_told_apart() {
        assert_eq!(Suffix::parse("d"), Some(Suffix::Image));
        assert_eq!(Suffix::parse("dv"), Some(Suffix::Video));
        assert_eq!(Suffix::parse("w256-h256-c"), Some(Suffix::Scaled));
        assert_eq!(Suffix::parse("x"), None);
        assert_eq!(Suffix::parse(""), None);
    }

    #[test]
    fn location_goes_and_the_rest_stays() {
        for name in ["lake.jpg", "garden.heic", "motion.jpg"] {
            let bytes = sample::find(name).unwrap().bytes;
            let stripped = exif::without_location(bytes).unwrap();
            assert_eq!(stripped.len(), bytes.len());
            assert_ne!(stripped, bytes);
            assert!(
                exif::without_location(&stripped).is_none(),
                "{name} still has a location"
            );
            assert_eq!(
                super::super::probe::probe(&stripped),
                super::super::probe::probe(bytes)
            );
        }
        assert!(exif::without_location(sample::find("tower.jpg").unwrap().bytes).is_none());
    }

    #[test]
    fn a_transcode_differs_and_has_no_location() {
        let bytes = sample::find("clip.mp4").unwrap().bytes;
        let copy = transcoded(bytes);
        assert_eq!(copy.len(), bytes.len() + 32);
        assert_eq!(find_all(bytes, b"loci").count(), 1);
        assert_eq!(find_all(&copy, b"loci").count(), 0);
    }
}
