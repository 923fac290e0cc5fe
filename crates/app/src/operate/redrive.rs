//! Give dead letters another chance.

use serde::Serialize;
use tintype_model::shard::ShardState;

use super::Requeue;
use crate::{App, AppError, AppResult};

/// What became of dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Redriven {
    /// Messages that were delivered again.
    pub messages: u64,
    /// Shards that were set aside and went back into the backlog.
    pub shards: u64,
    /// Letters that cannot be understood; they stay until they are purged.
    pub left: u64,
}

impl App {
    /// Puts the shards of the oldest `limit` dead letters back that are still set aside, then delivers the letters again.
    /// In this order: a message that comes before its shard is ready would be dropped. What was put back by hand meanwhile,
    /// or is done, is left alone; its message does no harm.
    ///
    /// # Errors
    /// The queue or the catalogue cannot be used. What was put back until then stays put back.
    pub async fn redrive_dead_letters(&self, limit: usize) -> AppResult<Redriven> {
        let mut redriven = Redriven::default();
        for letter in self.ports.queue.dead_letters(limit).await? {
            let Some(message) = letter.message else {
                redriven.left += 1;
                continue;
            };
            let found = self.ports.store.shard(message.shard).await?;
            if !found.is_some_and(|it| it.state == ShardState::SetAside) {
                continue;
            }
            match self.requeue_shard(message.shard, Requeue::Idle).await {
                Ok(_) => redriven.shards += 1,
                // Somebody else was faster.
                Err(AppError::NotFound(_) | AppError::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let messages = self.ports.queue.redrive_dead_letters(limit).await?;
        redriven.messages = messages.len() as u64;
        Ok(redriven)
    }
}
