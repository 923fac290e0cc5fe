//! One durable commit for all entries that wait at the same moment: whoever comes first commits for the others.

mod commit;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tintype_model::TenantId;
use tintype_ports::VaultError;
use tokio::sync::{Mutex as AsyncMutex, oneshot};

use super::NewEntry;
use crate::{
    db::{Database, TenantRow},
    error::audit,
    keeper::Keys,
};

/// The most entries in one transaction.
const MAX_GROUP: usize = 256;

/// The most entries that may wait; more means that the disk does not keep up, and the vault refuses.
const MAX_WAITING: usize = 8192;

/// How often a tenant's keys may change while its entry waits.
const ROUNDS: usize = 8;

/// How long an entry may wait for its commit.
const DEADLINE: Duration = Duration::from_secs(30);

/// What must still be current when an entry is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The credential's generation. One that is refused has none.
    pub(crate) generation: i64,
    /// The number of its access token, where one is handed out.
    pub(crate) access_number: Option<i64>,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It stands in the log.
    Recorded,
    /// Not recorded: the credential was replaced, refused or deleted since it was read, or its token was.
    Stale,
}

/// What a commit says of an entry.
enum Reply {
    Done(Outcome),
    /// The keys of this row are needed first, and are not at hand.
    Closed(Box<TenantRow>),
}

struct Waiting {
    entry: NewEntry,
    expected: Option<Expected>,
    reply: oneshot::Sender<Result<Reply, VaultError>>,
}

/// The entries that wait for their commit.
pub(crate) struct Group {
    db: Arc<dyn Database>,
    keys: Arc<Keys>,
    waiting: Mutex<VecDeque<Waiting>>,
    turn: Arc<AsyncMutex<()>>,
}

#[derive(Debug, thiserror::Error)]
enum GroupError {
    #[error("too many uses wait to be logged")]
    Full,
    #[error("the commit took too long")]
    Slow,
    #[error("the commit was broken off")]
    BrokenOff,
    #[error("the entries could not be committed")]
    Commit(#[source] Arc<sqlx::Error>),
    #[error("the tenant's keys keep changing")]
    KeysChange,
}

impl Group {
    pub(crate) fn new(db: Arc<dyn Database>, keys: Arc<Keys>) -> Arc<Self> {
        Arc::new(Self {
            db,
            keys,
            waiting: Mutex::default(),
            turn: Arc::default(),
        })
    }

    /// Commits an entry, if what is expected is current at that moment.
    pub(crate) async fn record(
        self: &Arc<Self>,
        entry: NewEntry,
        expected: Option<Expected>,
    ) -> Result<Outcome, VaultError> {
        let recorded = tokio::time::timeout(DEADLINE, self.record_soon(entry, expected)).await;
        recorded.unwrap_or_else(|_| Err(audit(GroupError::Slow)))
    }

    async fn record_soon(
        self: &Arc<Self>,
        entry: NewEntry,
        expected: Option<Expected>,
    ) -> Result<Outcome, VaultError> {
        if !self.keys.has(entry.tenant.as_uuid()) {
            self.have_keys(entry.tenant).await?;
        }
        for _ in 0..ROUNDS {
            match self.queue(entry.clone(), expected).await? {
                Reply::Done(outcome) => return Ok(outcome),
                Reply::Closed(row) => self.keys.open(&*self.db, &row).await.map(drop)?,
            }
        }
        Err(audit(GroupError::KeysChange))
    }

    /// Has the tenant's keys at hand before its entry joins the others.
    async fn have_keys(&self, tenant: TenantId) -> Result<(), VaultError> {
        let mut tx = self.db.read().await.map_err(audit)?;
        let row = tx.tenant(tenant).await.map_err(audit)?;
        tx.rollback().await.map_err(audit)?;
        let row = row.ok_or(VaultError::NotFound)?;
        self.keys.open(&*self.db, &row).await.map(drop)
    }

    async fn queue(
        self: &Arc<Self>,
        entry: NewEntry,
        expected: Option<Expected>,
    ) -> Result<Reply, VaultError> {
        let (reply, answer) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.len() >= MAX_WAITING {
                return Err(audit(GroupError::Full));
            }
            waiting.push_back(Waiting {
                entry,
                expected,
                reply,
            });
        }
        self.commit_until(answer).await
    }

    async fn commit_until(
        self: &Arc<Self>,
        mut answer: oneshot::Receiver<Result<Reply, VaultError>>,
    ) -> Result<Reply, VaultError> {
        loop {
            let turn = Arc::clone(&self.turn).lock_owned().await;
            match answer.try_recv() {
                Ok(reply) => return reply,
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
        let limit = self.db.call_timeout();
        let committed = tokio::time::timeout(limit, self.commit(&batch)).await;
        match committed {
            Ok(Ok(replies)) => {
                for (waiting, reply) in batch.into_iter().zip(replies) {
                    // A caller that went away left its entry in the log: too much there is better than too little.
                    let _ = waiting.reply.send(reply);
                }
            }
            Ok(Err(error)) => {
                let error = Arc::new(error);
                fail(batch, || GroupError::Commit(Arc::clone(&error)));
            }
            Err(_) => fail(batch, || GroupError::Slow),
        }
    }
}

fn fail(batch: Vec<Waiting>, why: impl Fn() -> GroupError) {
    for waiting in batch {
        let _ = waiting.reply.send(Err(audit(why())));
    }
}
