//! The job queue. A message is a hint: losing, doubling or reordering messages is harmless, the database is the truth.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tintype_model::{ShardId, TenantId};

/// What travels: ids only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobMessage {
    /// Whose job; decides the queue it travels through.
    pub tenant: TenantId,
    /// The shard to work on.
    pub shard: ShardId,
}

/// The queue cannot do it now.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The queue holds as many messages as it may; nothing of the batch was taken.
    #[error("the job queue is full")]
    Full,
    /// The broker cannot be reached, or the queue was closed.
    #[error("the job queue is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What to do with a message that was not worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// Deliver it again later.
    Requeue,
    /// Never deliver it again; keep it for a person to look at.
    DeadLetter,
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

/// Takes messages one at a time.
#[async_trait]
pub trait Consumer: Send {
    /// The next message; waits for one. `None` once the queue is closed.
    async fn next(&mut self) -> Result<Option<Box<dyn Delivery>>, QueueError>;
}

/// A queue of jobs with at-least-once delivery.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Publishes all messages, in order within a tenant. Returns once they are as durable as the queue can make them.
    async fn publish(&self, messages: &[JobMessage]) -> Result<(), QueueError>;

    /// A new consumer, which competes with the others.
    async fn consume(&self) -> Result<Box<dyn Consumer>, QueueError>;

    /// Messages waiting or being worked on.
    async fn depth(&self) -> Result<u64, QueueError>;

    /// Messages that were dead-lettered, oldest first, at most `limit`.
    async fn dead_letters(&self, limit: usize) -> Result<Vec<JobMessage>, QueueError>;
}
