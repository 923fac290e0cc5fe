//! GIF: a walk over its blocks to the trailer.

use tintype_model::fidelity::Dimensions;

use crate::{
    MediaFault,
    bits::{Gather, le16, size, skip},
    tail::Tail,
};

#[derive(Debug)]
enum State {
    Screen,
    Block,
    Label,
    Picture,
    /// Colour table, then the code size of the picture's data.
    Table {
        left: u64,
        then_data: bool,
    },
    CodeSize,
    SubSize,
    Sub {
        left: u64,
    },
    Over,
}

/// The walk.
#[derive(Debug)]
pub(crate) struct Walk {
    state: State,
    gather: Gather,
    dimensions: Option<Dimensions>,
    tail: Tail,
}

/// Bytes of the colour table that a packed field announces.
fn table_bytes(packed: u8) -> u64 {
    if packed & 0x80 == 0 {
        0
    } else {
        3 << ((packed & 7) + 1)
    }
}

impl Walk {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Screen,
            gather: Gather::default(),
            dimensions: None,
            tail: Tail::default(),
        }
    }

    pub(crate) const fn dimensions(&self) -> Option<Dimensions> {
        self.dimensions
    }

    /// Bytes behind the trailer, padding aside.
    pub(crate) const fn surplus(&self) -> u64 {
        self.tail.beyond_padding()
    }

    pub(crate) fn feed(&mut self, mut data: &[u8]) -> Result<(), MediaFault> {
        while !data.is_empty() {
            let want = match self.state {
                State::Screen => 13,
                State::Picture => 9,
                State::Block | State::Label | State::CodeSize | State::SubSize => 1,
                State::Table { .. } | State::Sub { .. } => 0,
                State::Over => {
                    self.tail.feed(data);
                    break;
                }
            };
            if let State::Table { left, .. } | State::Sub { left } = &mut self.state {
                skip(left, &mut data);
                self.settle();
                continue;
            }
            let Some(bytes) = self.gather.take(&mut data, want) else {
                break;
            };
            self.state = self.after(&bytes)?;
            self.settle();
        }
        Ok(())
    }

    fn after(&mut self, bytes: &[u8]) -> Result<State, MediaFault> {
        let first = bytes[0];
        Ok(match self.state {
            State::Screen => {
                let side = |at| u32::from(le16(bytes, at).unwrap_or_default());
                self.dimensions = size(side(6), side(8));
                State::Table {
                    left: table_bytes(bytes[10]),
                    then_data: false,
                }
            }
            State::Block => match first {
                0x2C => State::Picture,
                0x21 => State::Label,
                0x3B => State::Over,
                // Padding that some writers leave between blocks.
                0x00 => State::Block,
                _ => return Err(MediaFault::Damaged("GIF blocks do not follow each other")),
            },
            State::Picture => State::Table {
                left: table_bytes(bytes[8]),
                then_data: true,
            },
            State::SubSize if first == 0 => State::Block,
            State::SubSize => State::Sub {
                left: u64::from(first),
            },
            _ => State::SubSize,
        })
    }

    fn settle(&mut self) {
        self.state = match self.state {
            State::Table {
                left: 0,
                then_data: true,
            } => State::CodeSize,
            State::Table {
                left: 0,
                then_data: false,
            } => State::Block,
            State::Sub { left: 0 } => State::SubSize,
            _ => return,
        };
    }

    pub(crate) const fn finish(&self) -> Result<(), MediaFault> {
        match self.state {
            State::Over => Ok(()),
            _ => Err(MediaFault::CutShort),
        }
    }
}
