//! PNG: a walk over its chunks, with their checksums.

use tintype_model::fidelity::Dimensions;

use crate::{
    MediaFault,
    bits::{Gather, be32, size, skip},
    tail::Tail,
};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

#[derive(Debug)]
enum State {
    Signature,
    Head,
    Body { left: u64 },
    Sum,
    Over,
}

/// The walk.
#[derive(Debug)]
pub(crate) struct Walk {
    state: State,
    gather: Gather,
    kind: [u8; 4],
    sum: crc32fast::Hasher,
    header: Vec<u8>,
    dimensions: Option<Dimensions>,
    is_first: bool,
    tail: Tail,
}

impl Walk {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Signature,
            gather: Gather::default(),
            kind: [0; 4],
            sum: crc32fast::Hasher::new(),
            header: Vec::new(),
            dimensions: None,
            is_first: true,
            tail: Tail::default(),
        }
    }

    pub(crate) const fn dimensions(&self) -> Option<Dimensions> {
        self.dimensions
    }

    /// Bytes behind the last chunk.
    pub(crate) const fn surplus(&self) -> u64 {
        self.tail.length()
    }

    pub(crate) fn feed(&mut self, mut data: &[u8]) -> Result<(), MediaFault> {
        while !data.is_empty() {
            match &mut self.state {
                State::Signature => {
                    let Some(signature) = self.gather.take(&mut data, 8) else {
                        break;
                    };
                    if signature != SIGNATURE {
                        return Err(MediaFault::Damaged("the PNG signature is wrong"));
                    }
                    self.state = State::Head;
                }
                State::Head => {
                    let Some(head) = self.gather.take(&mut data, 8) else {
                        break;
                    };
                    self.begin(&head)?;
                }
                State::Body { left } => {
                    let body = skip(left, &mut data);
                    self.sum.update(body);
                    if self.is_first && self.header.len() < 8 {
                        self.header.extend_from_slice(&body[..body.len().min(8)]);
                    }
                    if *left == 0 {
                        self.state = State::Sum;
                    }
                }
                State::Sum => {
                    let Some(sum) = self.gather.take(&mut data, 4) else {
                        break;
                    };
                    self.end(be32(&sum, 0).unwrap_or_default())?;
                }
                State::Over => {
                    self.tail.feed(data);
                    break;
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, head: &[u8]) -> Result<(), MediaFault> {
        let left = be32(head, 0).unwrap_or(u32::MAX);
        self.kind.copy_from_slice(&head[4..8]);
        let is_sound = left <= 0x7FFF_FFFF && self.kind.iter().all(u8::is_ascii_alphabetic);
        if !is_sound || self.is_first != (&self.kind == b"IHDR") {
            return Err(MediaFault::Damaged("PNG chunks do not follow each other"));
        }
        self.sum = crc32fast::Hasher::new();
        self.sum.update(&self.kind);
        self.state = if left == 0 {
            State::Sum
        } else {
            State::Body {
                left: u64::from(left),
            }
        };
        Ok(())
    }

    fn end(&mut self, expected: u32) -> Result<(), MediaFault> {
        if self.sum.clone().finalize() != expected {
            return Err(MediaFault::Damaged("the checksum of a PNG chunk is wrong"));
        }
        if self.is_first {
            let side = |at| be32(&self.header, at).unwrap_or_default();
            self.dimensions = size(side(0), side(4));
            self.is_first = false;
        }
        self.state = if &self.kind == b"IEND" {
            State::Over
        } else {
            State::Head
        };
        Ok(())
    }

    pub(crate) const fn finish(&self) -> Result<(), MediaFault> {
        match self.state {
            State::Over => Ok(()),
            _ => Err(MediaFault::CutShort),
        }
    }
}
