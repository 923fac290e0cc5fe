//! How much waits in the broker, asked as seldom as possible.

use std::{sync::Arc, time::Duration};

use lapin::{Channel, Queue};
use tintype_ports::queue::QueueError;
use tokio::{
    sync::{Mutex, MutexGuard},
    time::Instant,
};

use super::{
    failure::{Failure, within},
    link::Link,
    settings::RabbitSettings,
    topology::Topology,
};

/// Others publish as well: older figures are not trusted.
const TRUSTED_FOR: Duration = Duration::from_millis(100);

/// Knows how much waits. The broker counts what waits; what is being worked on it cannot tell a client.
pub(super) struct Gauge {
    link: Arc<Link>,
    topology: Arc<Topology>,
    settings: Arc<RabbitSettings>,
    channel: Mutex<Option<Channel>>,
    reading: Mutex<Reading>,
}

#[derive(Debug, Default)]
struct Reading {
    at: Option<Instant>,
    waiting: u64,
}

/// The right to publish, for one at a time.
pub(super) struct Room<'a>(MutexGuard<'a, Reading>);

impl Room<'_> {
    /// Counts messages that are about to be published.
    pub(super) fn take(&mut self, count: usize) {
        self.0.waiting += count as u64;
    }
}

impl Gauge {
    pub(super) fn new(
        link: Arc<Link>,
        topology: Arc<Topology>,
        settings: Arc<RabbitSettings>,
    ) -> Self {
        Self {
            link,
            topology,
            settings,
            channel: Mutex::new(None),
            reading: Mutex::new(Reading::default()),
        }
    }

    /// Makes sure that `count` more messages fit. The broker is asked at most every 100 ms while there is room, and always
    /// before a batch is refused.
    pub(super) async fn room_for(&self, count: usize) -> Result<Room<'_>, QueueError> {
        let capacity = self.settings.capacity as u64;
        let lock = async { Ok::<_, Failure>(self.reading.lock().await) };
        let mut reading = within(self.settings.answer_within, lock).await?;
        let is_fresh = reading.at.is_some_and(|at| at.elapsed() < TRUSTED_FOR);
        if !is_fresh || reading.waiting + count as u64 > capacity {
            reading.waiting = self.depth().await?;
            reading.at = Some(Instant::now());
        }
        if reading.waiting + count as u64 > capacity {
            return Err(QueueError::Full);
        }
        Ok(Room(reading))
    }

    pub(super) async fn depth(&self) -> Result<u64, Failure> {
        let queues = self.look().await?;
        Ok(queues
            .iter()
            .map(|queue| u64::from(queue.message_count()))
            .sum())
    }

    pub(super) async fn look(&self) -> Result<Vec<Queue>, Failure> {
        match self.look_once().await {
            Err(failure) if failure.is_missing() => {
                self.link.declare().await?;
                self.look_once().await
            }
            looked => looked,
        }
    }

    async fn look_once(&self) -> Result<Vec<Queue>, Failure> {
        let deadline = self.settings.answer_within;
        let mut kept = within(deadline, async {
            Ok::<_, Failure>(self.channel.lock().await)
        })
        .await?;
        let channel = match kept.take().filter(|channel| channel.status().connected()) {
            Some(channel) => channel,
            None => self.link.channel().await?,
        };
        let looked = within(deadline, self.topology.look(&channel)).await;
        let looked = looked.inspect_err(|failure| self.link.heed(failure))?;
        *kept = Some(channel);
        Ok(looked)
    }
}
