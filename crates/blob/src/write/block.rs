//! Memory for bytes on their way to a disk or a store: blocks of one size, aligned as direct I/O wants them, used again.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf as _, Bytes};

/// What a draft holds in memory, at most. Larger ones are hardly faster to write, and there is one for each download.
pub(crate) const BLOCK: usize = 256 * 1024;
/// Direct I/O wants memory, position and length in multiples of a disk's blocks; no disk has larger ones.
const ALIGNMENT: usize = 4096;
/// Blocks kept for later, at most.
const KEPT: usize = 32;

/// Blocks that are free. New memory for each photo would cost the system a page fault for every 4 KiB.
#[derive(Default)]
pub(super) struct Blocks {
    free: Mutex<Vec<Vec<u8>>>,
}

/// A block in use; goes back when dropped.
pub(super) struct Block {
    memory: Vec<u8>,
    /// Where the aligned part begins.
    start: usize,
    filled: usize,
    home: Arc<Blocks>,
}

impl Blocks {
    pub(super) fn take(self: &Arc<Self>) -> Block {
        let free = self.lock().pop();
        let memory = free.unwrap_or_else(|| vec![0; BLOCK + ALIGNMENT]);
        Block {
            start: memory.as_ptr().align_offset(ALIGNMENT),
            memory,
            filled: 0,
            home: Arc::clone(self),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        let mut free = self.home.lock();
        if free.len() < KEPT {
            free.push(memory);
        }
    }
}

impl Block {
    /// Moves in what fits.
    pub(super) fn fill(&mut self, from: &mut Bytes) {
        let fits = from.len().min(BLOCK - self.filled);
        let at = self.start + self.filled;
        from.copy_to_slice(&mut self.memory[at..at + fits]);
        self.filled += fits;
    }

    pub(super) const fn is_full(&self) -> bool {
        self.filled == BLOCK
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.filled]
    }

    /// The bytes with zeros behind them, up to the length that direct I/O takes.
    pub(super) fn padded(&mut self) -> &[u8] {
        let length = self.filled.next_multiple_of(ALIGNMENT);
        let end = self.start + length;
        self.memory[self.start + self.filled..end].fill(0);
        &self.memory[self.start..end]
    }

    pub(super) const fn clear(&mut self) {
        self.filled = 0;
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_takes_what_fits_and_pads_with_zeros_also_when_used_again() {
        let blocks = Arc::new(Blocks::default());
        for _ in 0..2 {
            let mut block = blocks.take();
            let mut bytes = Bytes::from(vec![7; BLOCK + 5]);
            block.fill(&mut bytes);
            assert!(block.is_full() && bytes.len() == 5);
            assert_eq!(block.padded().len(), BLOCK);
            block.clear();
            block.fill(&mut bytes);
            assert_eq!(block.bytes(), [7; 5]);
            let padded = block.padded();
            assert_eq!(padded.as_ptr().align_offset(ALIGNMENT), 0);
            assert_eq!((&padded[..5], padded.len()), (&[7; 5][..], ALIGNMENT));
            assert!(padded[5..].iter().all(|&byte| byte == 0));
        }
        assert_eq!(blocks.lock().len(), 1);
    }
}
