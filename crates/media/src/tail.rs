//! What stands behind the end of a file as its format knows it: padding, a trailer that is known, or surplus.

use memchr::memmem;

/// How many of the last bytes are kept; a mark that is searched for may be one byte longer.
const KEPT: usize = 15;
/// Samsung's trailer, behind a picture or behind the video of a motion photo, ends the file with this.
const SAMSUNG_END: &[u8] = b"SEFT";

/// The bytes behind the end. Counts them; keeps only the last few.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tail {
    length: u64,
    has_content: bool,
    last: Vec<u8>,
}

impl Tail {
    /// Takes the next bytes.
    pub(crate) fn feed(&mut self, data: &[u8]) {
        self.length += data.len() as u64;
        self.has_content = self.has_content || data.iter().any(|byte| *byte != 0);
        self.last
            .extend_from_slice(&data[data.len().saturating_sub(KEPT)..]);
        let spare = self.last.len().saturating_sub(KEPT);
        self.last.drain(..spare);
    }

    /// Takes the next bytes and says whether `mark`, of at most 16 bytes, ends within them.
    pub(crate) fn feed_and_find(&mut self, data: &[u8], mark: &[u8]) -> bool {
        let seam = [&self.last, &data[..data.len().min(KEPT)]].concat();
        self.feed(data);
        memmem::find(&seam, mark).is_some() || memmem::find(data, mark).is_some()
    }

    /// All bytes.
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// The bytes, unless they are nothing but zeros.
    pub(crate) const fn beyond_padding(&self) -> u64 {
        if self.has_content { self.length } else { 0 }
    }

    /// The bytes, unless they are nothing but zeros or end as Samsung's trailer does.
    pub(crate) fn beyond_trailers(&self) -> u64 {
        if self.last.ends_with(SAMSUNG_END) {
            0
        } else {
            self.beyond_padding()
        }
    }
}
