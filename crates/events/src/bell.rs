//! The bell of a single process.

use std::sync::Arc;

use async_trait::async_trait;
use tintype_ports::Bell;
use tokio::sync::Notify;

/// The bell port in memory. Clones are one bell; it wakes one listener.
#[derive(Debug, Clone, Default)]
pub struct MemoryBell {
    rung: Arc<Notify>,
}

impl MemoryBell {
    /// A bell that nobody has rung.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Bell for MemoryBell {
    fn ring(&self) {
        self.rung.notify_one();
    }

    async fn rung(&self) {
        self.rung.notified().await;
    }
}
