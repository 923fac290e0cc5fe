//! The bell of a single process.

use async_trait::async_trait;
use tintype_ports::Bell;
use tokio::sync::Notify;

/// The bell port in memory.
#[derive(Debug, Default)]
pub struct MemoryBell(Notify);

impl MemoryBell {
    /// A bell that was not rung yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Bell for MemoryBell {
    fn ring(&self) {
        self.0.notify_one();
    }

    async fn rung(&self) {
        self.0.notified().await;
    }
}
