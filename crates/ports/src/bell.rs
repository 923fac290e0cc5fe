//! The bell that wakes the scheduler. A ring that gets lost costs time, nothing else: the scheduler looks by itself as well.

use async_trait::async_trait;

/// Rung by whoever changed something that the scheduler should look at, in this process or another one.
#[async_trait]
pub trait Bell: Send + Sync {
    /// Rings. Never fails and does not wait for a network.
    fn ring(&self);

    /// Waits for a ring. Rings that came since the last answer are one; the first answer may come at once. Dropping the
    /// wait loses no ring. Where rings cannot be heard at present it goes on waiting.
    async fn rung(&self);
}
