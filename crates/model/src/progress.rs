//! What a run has done so far, in numbers that a person and a test can add up.

use serde::{Deserialize, Serialize};

/// Counts of a run, or of one shard of it. All fields only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Items the listing showed; pages that are listed again after a crash count again.
    pub listed: u64,
    /// Items seen for the first time.
    pub new: u64,
    /// Known items whose content or metadata changed, and albums that are new, changed or gone.
    pub changed: u64,
    /// Known items that the full listing no longer showed.
    pub gone: u64,
    /// Items whose bytes are to be copied in this run.
    pub queued: u64,
    /// Items whose bytes were stored in this run.
    pub stored: u64,
    /// Items that failed in this run.
    pub failed: u64,
    /// Items whose original took the place of what Google makes of it.
    #[serde(default)]
    pub originals: u64,
    /// Plain bytes stored in this run.
    pub bytes: u64,
    /// Library calls made.
    pub requests: u64,
    /// Base-URL loads made.
    pub downloads: u64,
}

impl std::ops::AddAssign for Progress {
    fn add_assign(&mut self, other: Self) {
        self.listed += other.listed;
        self.new += other.new;
        self.changed += other.changed;
        self.gone += other.gone;
        self.queued += other.queued;
        self.stored += other.stored;
        self.failed += other.failed;
        self.originals += other.originals;
        self.bytes += other.bytes;
        self.requests += other.requests;
        self.downloads += other.downloads;
    }
}
