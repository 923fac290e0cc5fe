//! The queue on RabbitMQ: quorum queues that tenants are spread over, and one for dead letters.
//!
//! - Everything is durable, every batch is confirmed by the broker before it counts.
//! - Tenants are spread by a hash that never changes, so the messages of one stay in order.
//! - What is unanswered when a connection ends is delivered again. The broker's `consumer_timeout` (30 minutes unless told
//!   otherwise) ends the channel of a message that is answered later than that: set it above the longest shard.
//! - A quorum queue without a leader answers nothing, so calls that need it are late. RabbitMQ 3.10 can leave one behind when it
//!   is killed within seconds of the queue's first declaration. Delete that queue: it is declared again at the next use.

mod consumer;
mod dead;
mod delivery;
mod depth;
mod failure;
mod link;
mod message;
mod publisher;
mod settings;
mod subscription;
mod topology;
mod waiting;

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use async_trait::async_trait;
use tintype_ports::{
    Queue,
    clock::{Clock, Entropy},
    queue::{Consumer, DeadLetter, JobMessage, QueueError, QueueStanding},
};
use tokio::{sync::Mutex, time::Instant};

use consumer::{RabbitConsumer, Shared};
use dead::Undertaker;
use depth::Gauge;
use failure::Failure;
use link::Link;
use message::Outgoing;
use publisher::Publisher;
use topology::Topology;
use waiting::Waiting;

pub use settings::{RabbitSettings, SettingsError};

/// The queue port on RabbitMQ. Clones are the same queue; the last one to go closes its connections.
#[derive(Clone)]
pub struct RabbitQueue {
    topology: Arc<Topology>,
    publishing: Arc<Link>,
    consuming: Arc<Link>,
    publisher: Arc<Publisher>,
    gauge: Arc<Gauge>,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for RabbitQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RabbitQueue")
            .field("topology", &self.topology)
            .finish_non_exhaustive()
    }
}

impl RabbitQueue {
    /// Starts to connect in the background, inside a Tokio runtime, and goes on trying for as long as the queue is used.
    /// What is asked meanwhile is [`QueueError::Unavailable`] after [`RabbitSettings::patience`].
    ///
    /// # Errors
    /// When the settings make no sense.
    pub fn connect(
        settings: RabbitSettings,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, SettingsError> {
        let uri = settings.check()?;
        let settings = Arc::new(settings);
        let topology = Arc::new(Topology::new(&settings.prefix, settings.queues));
        let link = |purpose| {
            Arc::new(Link::start(
                purpose,
                uri.clone(),
                Arc::clone(&settings),
                Arc::clone(&topology),
                Arc::clone(&entropy),
            ))
        };
        let (publishing, consuming) = (link("publish"), link("consume"));
        let publisher = Publisher::new(Arc::clone(&publishing), Arc::clone(&settings));
        let publisher = Arc::new(publisher);
        let undertaker = Arc::new(Undertaker {
            link: Arc::clone(&consuming),
            publisher: Arc::clone(&publisher),
            topology: Arc::clone(&topology),
            settings: Arc::clone(&settings),
            clock,
            looking: Mutex::new(None),
        });
        Ok(Self {
            gauge: Arc::new(Gauge::new(
                Arc::clone(&publishing),
                Arc::clone(&topology),
                settings,
            )),
            shared: Arc::new(Shared {
                undertaker,
                turn: AtomicU64::new(0),
                waiting: Waiting::default(),
            }),
            topology,
            publishing,
            consuming,
            publisher,
        })
    }

    /// Waits until the broker can be used.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`] with the reason of the last attempt, when `patience` is over.
    pub async fn ready(&self, patience: Duration) -> Result<(), QueueError> {
        let deadline = Instant::now() + patience;
        for link in [&self.publishing, &self.consuming] {
            loop {
                match link.connection().await {
                    Ok(_) => break,
                    Err(failure @ Failure::Closed) => return Err(failure.into()),
                    Err(failure) if Instant::now() >= deadline => return Err(failure.into()),
                    Err(_) => {}
                }
            }
        }
        Ok(())
    }

    /// Whether both connections are there right now: for a health check.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.publishing.is_up() && self.consuming.is_up()
    }

    /// Closes the connections: consumers get `None`, publishing fails.
    pub async fn close(&self) {
        tokio::join!(self.publishing.close(), self.consuming.close());
    }
}

#[async_trait]
impl Queue for RabbitQueue {
    async fn publish(&self, messages: &[JobMessage]) -> Result<(), QueueError> {
        if messages.is_empty() {
            return Ok(self.publishing.connection().await.map(drop)?);
        }
        let started = Instant::now();
        // Held until the batch is out, so that two batches do not both take the last room.
        let mut room = self.gauge.room_for(messages.len()).await?;
        let outgoing = messages.iter().map(|job| {
            let (body, properties) = message::encode(job);
            Outgoing {
                exchange: self.topology.jobs.clone(),
                routing_key: self.topology.queue_of(job.tenant),
                body,
                properties,
            }
        });
        // Counted before: what failed may have been taken all the same.
        room.take(messages.len());
        self.publisher.send(outgoing.collect()).await?;
        metrics::counter!("tintype_queue_published_total").increment(messages.len() as u64);
        metrics::histogram!("tintype_queue_publish_seconds")
            .record(started.elapsed().as_secs_f64());
        Ok(())
    }

    async fn consume(&self) -> Result<Box<dyn Consumer>, QueueError> {
        // The slot connects when it begins to wait; here only a closed queue is an error.
        match self.consuming.connection().await {
            Err(failure @ Failure::Closed) => Err(failure.into()),
            _ => Ok(Box::new(RabbitConsumer::new(Arc::clone(&self.shared)))),
        }
    }

    async fn depth(&self) -> Result<u64, QueueError> {
        Ok(self.gauge.depth().await?)
    }

    async fn standing(&self) -> Result<Vec<QueueStanding>, QueueError> {
        let looked_at = self.gauge.look().await?;
        Ok(looked_at
            .into_iter()
            .map(|queue| QueueStanding {
                name: queue.name().to_string(),
                waiting: u64::from(queue.message_count()),
                in_flight: None,
                consumers: u64::from(queue.consumer_count()),
            })
            .collect())
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        Ok(self.shared.undertaker.look(limit).await?)
    }

    async fn redrive_dead_letters(&self, limit: usize) -> Result<Vec<JobMessage>, QueueError> {
        let publish = |messages: Vec<JobMessage>| async move { self.publish(&messages).await };
        self.shared.undertaker.redrive(limit, publish).await
    }

    async fn purge_dead_letters(&self) -> Result<u64, QueueError> {
        Ok(self.shared.undertaker.purge().await?)
    }
}
