//! Put a shard back into the backlog.

use tintype_model::{
    ShardId,
    run::{RunEvent, RunState},
    shard::{Shard, ShardState},
};

use crate::{App, AppError, AppResult};

/// Which shards may be put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requeue {
    /// Those that nobody works on.
    Idle,
    /// One that a worker holds as well: it loses its lease, and what it has not recorded is done again.
    EvenLeased,
}

impl App {
    /// Puts the shard back into the backlog, its failures forgotten, and lets its run go on if that waits for a person.
    ///
    /// # Errors
    /// There is no such shard, it or its run is over, or a worker holds it and `which` does not allow that.
    pub async fn requeue_shard(&self, id: ShardId, which: Requeue) -> AppResult<Shard> {
        let found = self.ports.store.shard(id).await?;
        let Some(found) = found else {
            return Err(AppError::NotFound(format!("shard {id}")));
        };
        if found.state == ShardState::Leased && which == Requeue::Idle {
            return Err(AppError::Conflict(format!(
                "a worker holds shard {id}; it is put back by itself when its lease ends"
            )));
        }
        let shard = found.shard;
        if !self.ports.store.requeue_shard(shard.tenant, id).await? {
            return Err(AppError::Conflict(format!("shard {id} is done")));
        }
        tracing::info!(shard.id = %id, run.id = %shard.run, "an operator put a shard back");
        let run = self.run(shard.tenant, shard.run).await?;
        if run.status.state == RunState::WaitingUser {
            let resumed = self
                .change_run(shard.tenant, shard.run, &RunEvent::Resumed)
                .await;
            match resumed {
                // Somebody else moved it on meanwhile.
                Ok(_) | Err(AppError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.ports.bell.ring();
        Ok(shard)
    }
}
