//! How items are made of bytes that were sent: Google makes up to fifty with one call.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The most that Google makes with one call.
pub const LARGEST_BATCH: usize = 50;
/// The largest size that a person can choose.
const LARGEST_CHOICE: u8 = 49;
/// The longest wait that a person can choose, seconds: an upload token lives for a day.
const LONGEST_TIMEOUT: u32 = 3_600;

/// When items are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchMode {
    /// Together, and no more bytes are sent ahead than a batch or two: each batch is made and looked at before long.
    #[default]
    Sync,
    /// Together, while bytes go on being sent; what became of a batch is learnt later.
    Async,
    /// Each by itself, as soon as its bytes are there.
    Off,
}

/// How items are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BatchOptions {
    /// When.
    #[serde(default)]
    pub mode: BatchMode,
    /// How many together, 1 to 49; 0 chooses: 50 in async, as many as are sent at the same time in sync.
    #[serde(default)]
    pub size: u8,
    /// How long a batch that is not full waits for more, in seconds; 0 chooses: 10 in async, 1 in sync.
    #[serde(default)]
    pub timeout_seconds: u32,
}

/// Options that cannot be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// More than Google makes at once.
    #[error("batch.size: {0} is too large; choose 1 to {LARGEST_CHOICE}, or 0 to have it chosen")]
    Size(u8),
    /// Tokens would die.
    #[error(
        "batch.timeout_seconds: {0} is too long; choose 1 to {LONGEST_TIMEOUT}, or 0 to have it chosen"
    )]
    Timeout(u32),
}

impl BatchOptions {
    /// Checks what can be wrong with them.
    ///
    /// # Errors
    /// A size or a timeout beyond its bounds.
    pub const fn check(&self) -> Result<(), BatchError> {
        if self.size > LARGEST_CHOICE {
            return Err(BatchError::Size(self.size));
        }
        if self.timeout_seconds > LONGEST_TIMEOUT {
            return Err(BatchError::Timeout(self.timeout_seconds));
        }
        Ok(())
    }

    /// How many items are made together, when up to `parallel` are sent at the same time.
    #[must_use]
    pub fn size_for(&self, parallel: usize) -> usize {
        match (self.mode, self.size) {
            (BatchMode::Off, _) => 1,
            (BatchMode::Async, 0) => LARGEST_BATCH,
            (BatchMode::Sync, 0) => parallel.clamp(1, LARGEST_BATCH),
            (_, size) => usize::from(size).min(LARGEST_BATCH),
        }
    }

    /// How long a batch that is not full waits for more.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(match (self.mode, self.timeout_seconds) {
            (BatchMode::Async, 0) => 10,
            (BatchMode::Sync | BatchMode::Off, 0) => 1,
            (_, seconds) => u64::from(seconds),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(mode: BatchMode, size: u8, timeout_seconds: u32) -> BatchOptions {
        BatchOptions {
            mode,
            size,
            timeout_seconds,
        }
    }

    #[test]
    fn zero_chooses_by_mode() {
        let of = |mode| options(mode, 0, 0);
        assert_eq!(of(BatchMode::Sync).size_for(8), 8);
        assert_eq!(of(BatchMode::Sync).size_for(256), 50);
        assert_eq!(of(BatchMode::Async).size_for(8), 50);
        assert_eq!(of(BatchMode::Off).size_for(8), 1);
        assert_eq!(of(BatchMode::Sync).timeout(), Duration::from_secs(1));
        assert_eq!(of(BatchMode::Async).timeout(), Duration::from_secs(10));
    }

    #[test]
    fn a_choice_counts_whatever_is_sent_at_the_same_time() {
        assert_eq!(options(BatchMode::Sync, 7, 0).size_for(256), 7);
        assert_eq!(options(BatchMode::Async, 49, 3).size_for(1), 49);
        assert_eq!(options(BatchMode::Off, 7, 0).size_for(256), 1);
        assert_eq!(
            options(BatchMode::Async, 0, 3).timeout(),
            Duration::from_secs(3)
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert_eq!(options(BatchMode::Sync, 49, 3_600).check(), Ok(()));
        assert_eq!(
            options(BatchMode::Sync, 50, 0).check(),
            Err(BatchError::Size(50))
        );
        assert_eq!(
            options(BatchMode::Off, 0, 3_601).check(),
            Err(BatchError::Timeout(3_601))
        );
    }
}
