//! The queue of a single process: bounded, at least once, gone with the process. The outbox fills it again.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tintype_ports::{
    Queue,
    queue::{Consumer, DeadLetter, Delivery, JobMessage, QueueError, QueueStanding, Rejection},
};
use tokio::sync::Notify;

/// Dead letters kept for a person to look at; beyond it the oldest are forgotten.
const MAX_DEAD_LETTERS: usize = 1_000;

/// Somebody used the queue after its end.
#[derive(Debug, thiserror::Error)]
#[error("the queue was closed")]
struct Closed;

/// The queue port in memory. Clones are the same queue.
#[derive(Debug, Clone)]
pub struct MemoryQueue {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    capacity: usize,
    state: Mutex<State>,
    /// Woken once for each message that becomes deliverable, and for all at the end.
    arrived: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<JobMessage>,
    in_flight: usize,
    dead: VecDeque<(JobMessage, String)>,
    consumers: u64,
    is_closed: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a delivery; `again` puts its message behind those that wait.
    fn settle(&self, again: Option<JobMessage>) {
        let mut state = self.state();
        state.in_flight = state.in_flight.saturating_sub(1);
        let Some(message) = again else { return };
        state.waiting.push_back(message);
        drop(state);
        self.arrived.notify_one();
    }

    fn bury(&self, message: JobMessage, reason: String) {
        let mut state = self.state();
        if state.dead.len() >= MAX_DEAD_LETTERS {
            state.dead.pop_front();
        }
        state.dead.push_back((message, reason));
    }
}

impl MemoryQueue {
    /// An empty queue for at most `capacity` messages, waiting or being worked on.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let shared = Shared {
            capacity,
            state: Mutex::default(),
            arrived: Notify::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Ends the queue: consumers get `None`, publishing fails, messages that wait are forgotten.
    pub fn close(&self) {
        let mut state = self.shared.state();
        state.is_closed = true;
        state.waiting.clear();
        drop(state);
        self.shared.arrived.notify_waiters();
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn publish(&self, messages: &[JobMessage]) -> Result<(), QueueError> {
        let mut state = self.shared.state();
        if state.is_closed {
            return Err(QueueError::Unavailable(Box::new(Closed)));
        }
        if state.waiting.len() + state.in_flight + messages.len() > self.shared.capacity {
            return Err(QueueError::Full);
        }
        state.waiting.extend(messages.iter().cloned());
        drop(state);
        for _ in messages {
            self.shared.arrived.notify_one();
        }
        Ok(())
    }

    async fn consume(&self) -> Result<Box<dyn Consumer>, QueueError> {
        self.shared.state().consumers += 1;
        Ok(Box::new(MemoryConsumer {
            shared: Arc::clone(&self.shared),
        }))
    }

    async fn depth(&self) -> Result<u64, QueueError> {
        let state = self.shared.state();
        Ok((state.waiting.len() + state.in_flight) as u64)
    }

    async fn standing(&self) -> Result<Vec<QueueStanding>, QueueError> {
        let state = self.shared.state();
        Ok(vec![QueueStanding {
            name: "memory".into(),
            waiting: state.waiting.len() as u64,
            in_flight: Some(state.in_flight as u64),
            consumers: state.consumers,
        }])
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        let state = self.shared.state();
        let letters = state.dead.iter().take(limit);
        Ok(letters
            .map(|(message, reason)| DeadLetter {
                message: Some(message.clone()),
                reason: reason.clone(),
                died_at: None,
            })
            .collect())
    }

    async fn redrive_dead_letters(&self, limit: usize) -> Result<Vec<JobMessage>, QueueError> {
        let mut state = self.shared.state();
        if state.is_closed {
            return Err(QueueError::Unavailable(Box::new(Closed)));
        }
        let count = limit.min(state.dead.len());
        let room = self
            .shared
            .capacity
            .saturating_sub(state.waiting.len() + state.in_flight);
        if count > room {
            return Err(QueueError::Full);
        }
        let messages: Vec<_> = state.dead.drain(..count).map(|(it, _)| it).collect();
        state.waiting.extend(messages.iter().cloned());
        drop(state);
        for _ in &messages {
            self.shared.arrived.notify_one();
        }
        Ok(messages)
    }

    async fn purge_dead_letters(&self) -> Result<u64, QueueError> {
        let mut state = self.shared.state();
        let count = state.dead.len() as u64;
        state.dead.clear();
        Ok(count)
    }
}

struct MemoryConsumer {
    shared: Arc<Shared>,
}

impl Drop for MemoryConsumer {
    fn drop(&mut self) {
        self.shared.state().consumers -= 1;
    }
}

enum Taken {
    Message(JobMessage),
    Nothing,
    Closed,
}

impl MemoryConsumer {
    fn take(&self) -> Taken {
        let mut state = self.shared.state();
        if state.is_closed {
            return Taken::Closed;
        }
        let Some(message) = state.waiting.pop_front() else {
            return Taken::Nothing;
        };
        state.in_flight += 1;
        Taken::Message(message)
    }
}

#[async_trait]
impl Consumer for MemoryConsumer {
    async fn next(&mut self) -> Result<Option<Box<dyn Delivery>>, QueueError> {
        loop {
            let mut arrived = std::pin::pin!(self.shared.arrived.notified());
            // Listens before it looks, so that no message can arrive unnoticed in between.
            arrived.as_mut().enable();
            match self.take() {
                Taken::Closed => return Ok(None),
                Taken::Message(message) => {
                    let shared = Arc::clone(&self.shared);
                    return Ok(Some(Box::new(MemoryDelivery {
                        shared,
                        message,
                        is_settled: false,
                    })));
                }
                Taken::Nothing => arrived.await,
            }
        }
    }
}

struct MemoryDelivery {
    shared: Arc<Shared>,
    message: JobMessage,
    is_settled: bool,
}

#[async_trait]
impl Delivery for MemoryDelivery {
    fn message(&self) -> &JobMessage {
        &self.message
    }

    async fn ack(mut self: Box<Self>) -> Result<(), QueueError> {
        self.is_settled = true;
        self.shared.settle(None);
        Ok(())
    }

    async fn reject(mut self: Box<Self>, how: Rejection) -> Result<(), QueueError> {
        self.is_settled = true;
        let message = self.message.clone();
        match how {
            Rejection::Requeue => self.shared.settle(Some(message)),
            Rejection::DeadLetter(reason) => {
                self.shared.settle(None);
                self.shared.bury(message, reason);
            }
        }
        Ok(())
    }
}

impl Drop for MemoryDelivery {
    fn drop(&mut self) {
        if !self.is_settled {
            self.shared.settle(Some(self.message.clone()));
        }
    }
}
