//! Bytes that are held until they are sent, within a bound for the whole process.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What room is counted in.
const GRAIN: u64 = 16 << 10;

/// Room for items that are held while they are sent.
pub(crate) struct Memory {
    grains: Arc<Semaphore>,
    all: u32,
}

impl Memory {
    /// Room for so many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        let most = u64::from(u32::MAX).min(Semaphore::MAX_PERMITS as u64);
        let all = u32::try_from((bytes / GRAIN).clamp(1, most)).unwrap_or(u32::MAX);
        Self {
            grains: Arc::new(Semaphore::new(all as usize)),
            all,
        }
    }

    /// Waits for room for `bytes`; for all there is when they are more.
    pub(super) async fn room_for(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let wanted = u32::try_from(bytes.div_ceil(GRAIN)).unwrap_or(u32::MAX);
        let grains = Arc::clone(&self.grains);
        // The semaphore is never closed.
        grains
            .acquire_many_owned(wanted.clamp(1, self.all))
            .await
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_larger_than_all_gets_all() {
        let memory = Memory::new(64 << 10);
        let all = memory.room_for(1 << 40).await.unwrap();
        assert_eq!(memory.grains.available_permits(), 0);
        drop(all);
        let _little = memory.room_for(1).await.unwrap();
        assert_eq!(memory.grains.available_permits(), 3);
    }
}
