//! ISO base media files (MP4, MOV, HEIF): top-level boxes must add up to the end, and both index and data must be there.

use memchr::memmem;
use tintype_model::fidelity::{Dimensions, Location};

use crate::{
    MediaFault,
    bits::{Gather, be32, be64, size, skip},
    tail::Tail,
};

/// How much of the index (`moov`, `meta`) is kept to be read at the end.
const MAX_INDEX_BYTES: usize = 256 * 1024;
/// Boxes within boxes are followed this deep.
const MAX_DEPTH: u32 = 6;

#[derive(Debug)]
enum State {
    Head,
    LongHead,
    Body {
        left: u64,
    },
    /// The last box goes on to the end of the file.
    ToTheEnd,
    /// Behind a complete file something follows that is not made of boxes.
    Opaque,
}

/// The walk.
#[derive(Debug)]
pub(crate) struct Walk {
    state: State,
    gather: Gather,
    kind: [u8; 4],
    index: Vec<u8>,
    index_is_whole: bool,
    has_index: bool,
    has_data: bool,
    pub(crate) has_motion: bool,
    /// What follows the last box and is none.
    pub(crate) tail: Tail,
}

impl Walk {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Head,
            gather: Gather::default(),
            kind: [0; 4],
            index: Vec::new(),
            index_is_whole: true,
            has_index: false,
            has_data: false,
            has_motion: false,
            tail: Tail::default(),
        }
    }

    pub(crate) fn feed(&mut self, mut data: &[u8]) -> Result<(), MediaFault> {
        while !data.is_empty() {
            match &mut self.state {
                State::Head => {
                    let Some(head) = self.gather.take(&mut data, 8) else {
                        break;
                    };
                    self.begin(&head)?;
                }
                State::LongHead => {
                    let Some(head) = self.gather.take(&mut data, 8) else {
                        break;
                    };
                    let length = be64(&head, 0).unwrap_or_default();
                    let body = length.checked_sub(16).ok_or(NONSENSE)?;
                    self.begin_body(body);
                }
                State::Body { left } => {
                    let body = skip(left, &mut data);
                    let is_over = *left == 0;
                    self.keep(body);
                    if is_over {
                        self.state = State::Head;
                    }
                }
                State::ToTheEnd => {
                    self.keep(data);
                    break;
                }
                State::Opaque => {
                    self.tail.feed(data);
                    break;
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, head: &[u8]) -> Result<(), MediaFault> {
        self.kind.copy_from_slice(&head[4..8]);
        let length = be32(head, 0).unwrap_or_default();
        let is_name = self
            .kind
            .iter()
            .all(|byte| (0x20..0x7F).contains(byte) || *byte == 0xA9);
        if !is_name || (2..8).contains(&length) {
            if self.is_complete() {
                self.tail.feed(head);
                self.state = State::Opaque;
                return Ok(());
            }
            return Err(NONSENSE);
        }
        self.has_index |= matches!(&self.kind, b"moov" | b"meta" | b"moof");
        self.has_data |= &self.kind == b"mdat";
        self.has_motion |= &self.kind == b"mpvd";
        match length {
            0 => self.state = State::ToTheEnd,
            1 => self.state = State::LongHead,
            length => self.begin_body(u64::from(length) - 8),
        }
        Ok(())
    }

    fn begin_body(&mut self, left: u64) {
        self.state = if left == 0 {
            State::Head
        } else {
            State::Body { left }
        };
    }

    fn keep(&mut self, body: &[u8]) {
        if !matches!(&self.kind, b"moov" | b"meta") {
            return;
        }
        let room = MAX_INDEX_BYTES - self.index.len();
        self.index_is_whole &= body.len() <= room;
        self.index.extend_from_slice(&body[..body.len().min(room)]);
    }

    fn is_complete(&self) -> bool {
        // A picture's data may lie inside its `meta` box.
        let has_data = self.has_data || memmem::find(&self.index, b"idat").is_some();
        self.has_index && has_data
    }

    pub(crate) fn finish(&self) -> Result<(), MediaFault> {
        let at_the_end = match self.state {
            State::Head => self.gather.is_empty(),
            State::ToTheEnd | State::Opaque => true,
            State::LongHead | State::Body { .. } => false,
        };
        if at_the_end && self.is_complete() {
            Ok(())
        } else {
            Err(MediaFault::CutShort)
        }
    }

    /// Size in pixels: of the largest picture (`ispe`), else of the first track that has one (`tkhd`).
    pub(crate) fn dimensions(&self) -> Option<Dimensions> {
        let mut found = Vec::new();
        collect(&self.index, 0, &mut found);
        // The `meta` box begins with four bytes of version and flags.
        collect(self.index.get(4..).unwrap_or_default(), 0, &mut found);
        found
            .into_iter()
            .max_by_key(|it| u64::from(it.width) * u64::from(it.height))
    }

    /// Whether the index holds a position. Only for videos: a picture's is in its EXIF.
    pub(crate) fn location(&self) -> Location {
        let marks: [&[u8]; 3] = [b"\xA9xyz", b"quicktime.location.ISO6709", b"loci"];
        if marks
            .iter()
            .any(|mark| memmem::find(&self.index, mark).is_some())
        {
            return Location::Present;
        }
        if self.index_is_whole && !self.index.is_empty() {
            Location::Absent
        } else {
            Location::Unknown
        }
    }
}

const NONSENSE: MediaFault = MediaFault::Damaged("its boxes do not follow each other");

/// Sizes of all pictures and tracks in a run of boxes.
fn collect(mut boxes: &[u8], depth: u32, found: &mut Vec<Dimensions>) {
    while let (Some(length), Some(kind)) = (be32(boxes, 0), boxes.get(4..8)) {
        let length = usize::try_from(length)
            .unwrap_or(usize::MAX)
            .min(boxes.len());
        if length < 8 || found.len() >= 64 {
            return;
        }
        let (this, rest) = boxes.split_at(length);
        let body = &this[8..];
        match kind {
            b"trak" | b"iprp" | b"ipco" if depth < MAX_DEPTH => collect(body, depth + 1, found),
            b"ispe" => found.extend(
                be32(body, 4)
                    .zip(be32(body, 8))
                    .and_then(|(w, h)| size(w, h)),
            ),
            b"tkhd" => found.extend(track_size(body)),
            _ => {}
        }
        boxes = rest;
    }
}

/// The last eight bytes of a track header: width and height in 16.16 fixed point.
fn track_size(body: &[u8]) -> Option<Dimensions> {
    let at = body.len().checked_sub(8)?;
    size(be32(body, at)? >> 16, be32(body, at + 4)? >> 16)
}
