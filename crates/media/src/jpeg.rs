//! JPEG: a walk over its segments, skipping by length, and over entropy-coded data, skipping from 0xFF to 0xFF.
//! After the end may follow more pictures (multi-picture format, gain maps) or a motion photo's video; those are walked too.

use memchr::memchr;
use tintype_model::fidelity::Dimensions;

use crate::{
    MediaFault,
    bits::{Gather, be16, size, skip},
    bmff,
    tail::Tail,
};

#[derive(Debug)]
enum State {
    /// Between segments: 0xFF, then a code.
    Marker,
    /// A 0xFF was read, the code is next.
    Code,
    /// The two length bytes of a segment.
    Length { code: u8 },
    /// The first bytes of a frame header, which hold the size in pixels.
    Frame { left: u64 },
    /// Inside a segment.
    Segment { code: u8, left: u64 },
    /// Inside entropy-coded data.
    Entropy,
    /// A 0xFF in entropy-coded data was read.
    EntropyCode,
    /// After the end of the image: what follows decides.
    After,
    /// A video behind the image.
    Video(Box<bmff::Walk>),
    /// Something else behind the image. It is counted, and looked through for Samsung's mark.
    Opaque,
}

/// The walk.
#[derive(Debug)]
pub(crate) struct Walk {
    state: State,
    gather: Gather,
    dimensions: Option<Dimensions>,
    is_over: bool,
    /// Bytes taken so far, and how many stood before the first scan.
    taken: u64,
    scan_at: Option<u64>,
    has_video: bool,
    /// What follows the last image or video that was understood.
    tail: Tail,
}

/// Bytes behind an image that decide what they are.
const AFTER_BYTES: usize = 12;
/// Samsung writes this before the video of a motion photo.
const SAMSUNG: &[u8] = b"MotionPhoto_Data";

impl Walk {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Marker,
            gather: Gather::default(),
            dimensions: None,
            is_over: false,
            taken: 0,
            scan_at: None,
            has_video: false,
            tail: Tail::default(),
        }
    }

    pub(crate) const fn dimensions(&self) -> Option<Dimensions> {
        self.dimensions
    }

    pub(crate) const fn has_video(&self) -> bool {
        self.has_video
    }

    /// Bytes behind the image that are neither another image, a video, padding nor a trailer that is known.
    pub(crate) fn surplus(&self) -> u64 {
        match &self.state {
            State::Video(walk) => walk.tail.beyond_trailers(),
            State::After => {
                let mut tail = self.tail.clone();
                tail.feed(self.gather.gathered());
                tail.beyond_trailers()
            }
            _ => self.tail.beyond_trailers(),
        }
    }

    /// True when all metadata lies within the first `bytes`: none may follow the first scan.
    pub(crate) fn scan_starts_within(&self, bytes: u64) -> bool {
        self.scan_at.is_some_and(|at| at <= bytes)
    }

    pub(crate) fn feed(&mut self, mut data: &[u8]) -> Result<(), MediaFault> {
        while !data.is_empty() {
            let before = data.len();
            self.step(&mut data)?;
            self.taken += (before - data.len()) as u64;
        }
        Ok(())
    }

    fn step(&mut self, data: &mut &[u8]) -> Result<(), MediaFault> {
        match &mut self.state {
            State::Marker => match next(data) {
                0xFF => self.state = State::Code,
                _ => {
                    return Err(MediaFault::Damaged(
                        "JPEG segments do not follow each other",
                    ));
                }
            },
            State::Code => match next(data) {
                0xFF => {}
                0x00 => return Err(MediaFault::Damaged("a JPEG marker is missing its code")),
                code => self.begin(code),
            },
            State::Length { code } => {
                let Some(length) = self.gather.take(data, 2) else {
                    return Ok(());
                };
                let length = u64::from(be16(&length, 0).unwrap_or_default());
                let Some(left) = length.checked_sub(2) else {
                    return Err(MediaFault::Damaged("a JPEG segment has no length"));
                };
                let is_frame = matches!(code, 0xC0..=0xCF) && !matches!(code, 0xC4 | 0xC8 | 0xCC);
                self.state = match *code {
                    _ if is_frame && left >= 5 => State::Frame { left },
                    code => State::Segment { code, left },
                };
                self.end_empty_segment();
            }
            State::Frame { left } => {
                let Some(frame) = self.gather.take(data, 5) else {
                    return Ok(());
                };
                let side = |at| u32::from(be16(&frame, at).unwrap_or_default());
                self.dimensions = self.dimensions.or_else(|| size(side(3), side(1)));
                self.state = State::Segment {
                    code: 0xC0,
                    left: *left - 5,
                };
                self.end_empty_segment();
            }
            State::Segment { left, .. } => {
                skip(left, data);
                self.end_empty_segment();
            }
            State::Entropy => match memchr(0xFF, data) {
                Some(at) => {
                    *data = &data[at + 1..];
                    self.state = State::EntropyCode;
                }
                None => *data = &[],
            },
            State::EntropyCode => match next(data) {
                0x00 | 0xD0..=0xD7 => self.state = State::Entropy,
                0xFF => {}
                0x01..=0xBF => {
                    return Err(MediaFault::Damaged(
                        "JPEG image data holds an impossible marker",
                    ));
                }
                code => self.begin(code),
            },
            State::After => {
                let Some(head) = self.gather.take(data, AFTER_BYTES) else {
                    return Ok(());
                };
                self.begin_after(&head)?;
            }
            State::Video(walk) => {
                walk.feed(data)?;
                *data = &[];
            }
            State::Opaque => {
                self.has_video |= self.tail.feed_and_find(data, SAMSUNG);
                *data = &[];
            }
        }
        Ok(())
    }

    fn begin(&mut self, code: u8) {
        self.state = match code {
            0xD9 => {
                self.is_over = true;
                State::After
            }
            0x01 | 0xD0..=0xD8 => State::Marker,
            code => State::Length { code },
        };
    }

    fn end_empty_segment(&mut self) {
        let State::Segment { code, left: 0 } = self.state else {
            return;
        };
        self.state = if code == 0xDA {
            State::Entropy
        } else {
            State::Marker
        };
        if code == 0xDA {
            self.scan_at = self.scan_at.or(Some(self.taken));
        }
    }

    fn begin_after(&mut self, head: &[u8]) -> Result<(), MediaFault> {
        if head.starts_with(&[0xFF, 0xD8, 0xFF]) {
            self.is_over = false;
            self.tail = Tail::default();
            self.state = State::Marker;
            return self.feed(head);
        }
        if &head[4..8] == b"ftyp" {
            self.has_video = true;
            let mut walk = bmff::Walk::new();
            walk.feed(head)?;
            self.state = State::Video(Box::new(walk));
            return Ok(());
        }
        // Padding may stand before another image or a video, but the size of a video's first box begins with zeros too.
        let zeros = head.iter().take_while(|byte| **byte == 0).count();
        if zeros > 0 {
            let padding = if zeros > 3 { zeros - 3 } else { zeros };
            self.tail.feed(&head[..padding]);
            self.gather.go_on_behind(&head[padding..]);
            return Ok(());
        }
        self.tail.feed(head);
        self.state = State::Opaque;
        Ok(())
    }

    pub(crate) fn finish(&self) -> Result<(), MediaFault> {
        match &self.state {
            State::Video(walk) => walk.finish(),
            _ if self.is_over => Ok(()),
            _ => Err(MediaFault::CutShort),
        }
    }
}

/// The first byte; callers know that there is one.
fn next(data: &mut &[u8]) -> u8 {
    let Some((first, rest)) = data.split_first() else {
        return 0;
    };
    *data = rest;
    *first
}
