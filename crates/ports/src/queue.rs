//! The job queue. A message is a hint: losing, doubling or reordering messages is harmless, the database is the truth.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tintype_model::{ShardId, TenantId, trace::TraceParent};

/// What travels: ids, and where the work belongs in a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobMessage {
    /// Whose job; decides the queue it travels through.
    pub tenant: TenantId,
    /// The shard to work on.
    pub shard: ShardId,
    /// The span that the work goes on from, where there is one.
    pub trace: Option<TraceParent>,
}

/// The queue cannot do it now.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The queue holds as many messages as it may; nothing of the batch was taken. A broker counts what waits; a queue in
    /// memory counts what is being worked on as well.
    #[error("the job queue is full")]
    Full,
    /// The broker cannot be reached, or the queue was closed.
    #[error("the job queue is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What to do with a message that was not worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// Deliver it again later.
    Requeue,
    /// Never deliver it again; keep it for a person to look at, with the reason.
    DeadLetter(String),
}

/// A message that is never delivered again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The message; `None` when what came cannot be understood.
    pub message: Option<JobMessage>,
    /// Why it died, for a person.
    pub reason: String,
    /// When, where that is known.
    pub died_at: Option<DateTime<Utc>>,
}

/// How full the queue is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueStanding {
    /// The name of one of the queues that tenants are spread over.
    pub name: String,
    /// Messages waiting in it.
    pub waiting: u64,
    /// Messages handed out and not answered yet, where the queue can tell.
    pub in_flight: Option<u64>,
    /// Consumers.
    pub consumers: u64,
}

/// One message handed to one consumer. Dropping it without an answer delivers it again.
#[async_trait]
pub trait Delivery: Send {
    /// The message.
    fn message(&self) -> &JobMessage;

    /// Done: never deliver it again.
    async fn ack(self: Box<Self>) -> Result<(), QueueError>;

    /// Not done.
    async fn reject(self: Box<Self>, how: Rejection) -> Result<(), QueueError>;
}

/// Takes messages one at a time, and none beyond the one it hands out: what it does not work on stays with the queue.
#[async_trait]
pub trait Consumer: Send {
    /// The next message; waits for one. `None` once the queue is closed. What cannot be understood is dead-lettered with
    /// the reason and never comes here.
    async fn next(&mut self) -> Result<Option<Box<dyn Delivery>>, QueueError>;
}

/// A queue of jobs with at-least-once delivery.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Publishes all messages, in order within a tenant. Returns once they are as durable as the queue can make them. When it
    /// is unavailable, some of them may have been taken all the same. With several publishers the room is an estimate, which
    /// they may overrun by a batch each.
    async fn publish(&self, messages: &[JobMessage]) -> Result<(), QueueError>;

    /// A new consumer, which competes with the others.
    async fn consume(&self) -> Result<Box<dyn Consumer>, QueueError>;

    /// Messages waiting or being worked on. A broker that cannot count the latter counts what waits.
    async fn depth(&self) -> Result<u64, QueueError>;

    /// Each queue that tenants are spread over.
    async fn standing(&self) -> Result<Vec<QueueStanding>, QueueError>;

    /// Messages that were dead-lettered, oldest first, at most `limit`. They stay.
    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, QueueError>;

    /// Delivers the oldest dead letters (at most `limit`) again, but for those that cannot be understood, which stay.
    /// Returns those that went back, in order.
    async fn redrive_dead_letters(&self, limit: usize) -> Result<Vec<JobMessage>, QueueError>;

    /// Forgets all dead letters; returns how many.
    async fn purge_dead_letters(&self) -> Result<u64, QueueError>;
}
