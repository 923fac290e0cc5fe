//! One durable commit for all entries that wait at the same moment: whoever comes first commits for the others.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sqlx::SqlitePool;
use tintype_ports::VaultError;
use tokio::sync::{Mutex as AsyncMutex, oneshot};

use super::{AppendError, NewEntry, append};
use crate::{db, error::audit, keyring::SharedRing, records};

/// The most entries in one transaction.
const MAX_GROUP: usize = 256;

/// The most entries that may wait; more means that the disk does not keep up, and the vault refuses.
const MAX_WAITING: usize = 8192;

/// How long an entry may wait for its commit.
const DEADLINE: Duration = Duration::from_secs(30);

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It stands in the log under this number.
    Recorded(i64),
    /// Not recorded: the credential was replaced, refused or deleted since it was read.
    Stale,
}

struct Waiting {
    entry: NewEntry,
    generation: Option<i64>,
    reply: oneshot::Sender<Result<Outcome, VaultError>>,
}

/// The entries that wait for their commit.
pub(crate) struct Group {
    writer: SqlitePool,
    ring: Arc<SharedRing>,
    waiting: Mutex<VecDeque<Waiting>>,
    turn: Arc<AsyncMutex<()>>,
}

#[derive(Debug, thiserror::Error)]
enum GroupError {
    #[error("too many uses wait to be logged")]
    Full,
    #[error("the commit took longer than 30 s")]
    Slow,
    #[error("the commit was broken off")]
    BrokenOff,
    #[error("the entries could not be committed")]
    Commit(#[source] Arc<sqlx::Error>),
}

impl Group {
    pub(crate) fn new(writer: SqlitePool, ring: Arc<SharedRing>) -> Arc<Self> {
        Arc::new(Self {
            writer,
            ring,
            waiting: Mutex::default(),
            turn: Arc::default(),
        })
    }

    /// Commits an entry. With a `generation`, only while the storage's credential is of that generation and not refused.
    pub(crate) async fn record(
        self: &Arc<Self>,
        entry: NewEntry,
        generation: Option<i64>,
    ) -> Result<Outcome, VaultError> {
        let (reply, answer) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.len() >= MAX_WAITING {
                return Err(audit(GroupError::Full));
            }
            waiting.push_back(Waiting {
                entry,
                generation,
                reply,
            });
        }
        let committed = tokio::time::timeout(DEADLINE, self.commit_until(answer)).await;
        committed.unwrap_or_else(|_| Err(audit(GroupError::Slow)))
    }

    async fn commit_until(
        self: &Arc<Self>,
        mut answer: oneshot::Receiver<Result<Outcome, VaultError>>,
    ) -> Result<Outcome, VaultError> {
        loop {
            let turn = Arc::clone(&self.turn).lock_owned().await;
            match answer.try_recv() {
                Ok(outcome) => return outcome,
                Err(oneshot::error::TryRecvError::Closed) => {
                    return Err(audit(GroupError::BrokenOff));
                }
                Err(oneshot::error::TryRecvError::Empty) => {}
            }
            let group = Arc::clone(self);
            // In a task of its own: a caller that goes away must not take the others' commit with it.
            let commit = tokio::spawn(async move {
                let _turn = turn;
                group.commit_next().await;
            });
            commit.await.map_err(audit)?;
        }
    }

    async fn commit_next(&self) {
        let batch: Vec<Waiting> = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let count = waiting.len().min(MAX_GROUP);
            waiting.drain(..count).collect()
        };
        match self.commit(&batch).await {
            Ok(outcomes) => {
                for (waiting, outcome) in batch.into_iter().zip(outcomes) {
                    // A caller that went away left its entry in the log: too much there is better than too little.
                    let _ = waiting.reply.send(outcome);
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for waiting in batch {
                    let failed = audit(GroupError::Commit(Arc::clone(&error)));
                    let _ = waiting.reply.send(Err(failed));
                }
            }
        }
    }

    async fn commit(
        &self,
        batch: &[Waiting],
    ) -> Result<Vec<Result<Outcome, VaultError>>, sqlx::Error> {
        let mut transaction = db::begin(&self.writer).await?;
        let ring = self.ring.get();
        let mut outcomes = Vec::with_capacity(batch.len());
        for Waiting {
            entry, generation, ..
        } in batch
        {
            if let (Some(generation), Some(storage)) = (generation, entry.storage) {
                let current = records::generation(&mut transaction, entry.tenant, storage).await?;
                if current != Some(*generation) {
                    outcomes.push(Ok(Outcome::Stale));
                    continue;
                }
            }
            match append(&mut transaction, &ring, entry).await {
                Ok(number) => outcomes.push(Ok(Outcome::Recorded(number))),
                Err(AppendError::Tenant(error)) => outcomes.push(Err(error)),
                Err(AppendError::Database(error)) => return Err(error),
            }
        }
        transaction.commit().await?;
        Ok(outcomes)
    }
}
