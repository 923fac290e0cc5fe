//! One durable commit for all entries that wait at the same moment. On a server two commits are under way together, each of
//! other tenants: one writes while the other waits for the disk, and who is held up holds up nobody else.

mod commit;
mod known;

use std::{
    collections::{BTreeSet, VecDeque},
    mem,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::FutureExt as _;
use tintype_model::TenantId;
use tintype_ports::VaultError;
use tokio::sync::oneshot;
use uuid::Uuid;

use self::known::KnownEnds;
use super::NewEntry;
use crate::{
    db::{Database, Server, TenantRow},
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

impl Waiting {
    const fn tenant(&self) -> Uuid {
        self.entry.tenant.as_uuid()
    }

    /// A caller that went away left its entry in the log: too much there is better than too little.
    fn answer(self, reply: Result<Reply, VaultError>) {
        let _ = self.reply.send(reply);
    }
}

/// The entries of one commit.
#[derive(Default)]
struct Batch {
    entries: Vec<Waiting>,
    tenants: BTreeSet<Uuid>,
}

/// The entries that wait, and the commits under way. One waits only for a commit of its own tenant, or because all committers are
/// at work.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    committers: u32,
    /// The tenants of the commits under way.
    busy: BTreeSet<Uuid>,
}

/// The log's way to the disk.
pub(crate) struct Group {
    db: Arc<dyn Database>,
    keys: Arc<Keys>,
    queue: Mutex<Queue>,
    ends: KnownEnds,
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
            queue: Mutex::default(),
            ends: KnownEnds::default(),
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
            match self.wait(entry.clone(), expected).await? {
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

    async fn wait(
        self: &Arc<Self>,
        entry: NewEntry,
        expected: Option<Expected>,
    ) -> Result<Reply, VaultError> {
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting {
            entry,
            expected,
            reply,
        };
        if self.join(waiting)? {
            // In a task of its own: a caller that goes away must not take the others' commit with it.
            tokio::spawn(Arc::clone(self).commit_all());
        }
        let replied = answer.await;
        replied.unwrap_or_else(|_| Err(audit(GroupError::BrokenOff)))
    }

    /// Whether the entry needs one more committer, which is counted from here on.
    fn join(&self, waiting: Waiting) -> Result<bool, VaultError> {
        let mut queue = self.queue();
        if queue.waiting.len() >= MAX_WAITING {
            return Err(audit(GroupError::Full));
        }
        let is_needed =
            queue.committers < self.committers() && !queue.busy.contains(&waiting.tenant());
        queue.committers += u32::from(is_needed);
        queue.waiting.push_back(waiting);
        Ok(is_needed)
    }

    fn committers(&self) -> u32 {
        self.db.server().map_or(1, Server::commits_at_once)
    }

    /// Commits until nothing waits that it could take.
    async fn commit_all(self: Arc<Self>) {
        while let Some(batch) = self.next() {
            let tenants = batch.tenants.clone();
            // A defect in it costs its own entries, not all that come later.
            let commit = AssertUnwindSafe(self.commit_batch(batch)).catch_unwind();
            if commit.await.is_err() {
                tracing::error!("a commit of the access log broke off");
            }
            let busy = &mut self.queue().busy;
            busy.retain(|tenant| !tenants.contains(tenant));
        }
    }

    /// The next group. `None`: nothing waits but for busy tenants' commits, and the committer counts no more.
    fn next(&self) -> Option<Batch> {
        let mut queue = self.queue();
        let mut batch = Batch::default();
        for waiting in mem::take(&mut queue.waiting) {
            let tenant = waiting.tenant();
            if batch.entries.len() < MAX_GROUP && !queue.busy.contains(&tenant) {
                batch.tenants.insert(tenant);
                batch.entries.push(waiting);
            } else {
                queue.waiting.push_back(waiting);
            }
        }
        if batch.entries.is_empty() {
            queue.committers -= 1;
            return None;
        }
        queue.busy.extend(&batch.tenants);
        Some(batch)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn commit_batch(&self, mut batch: Batch) {
        let limit = self.db.call_timeout();
        let committed = tokio::time::timeout(limit, async {
            self.append_to_known(&mut batch).await?;
            self.commit(&batch).await
        });
        match committed.await {
            Ok(Ok(replies)) => {
                for (waiting, reply) in batch.entries.into_iter().zip(replies) {
                    waiting.answer(reply);
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

fn fail(batch: Batch, why: impl Fn() -> GroupError) {
    for waiting in batch.entries {
        waiting.answer(Err(audit(why())));
    }
}
