//! A worker slot's eye on all queues. It takes one message and lets go of the queues: what it does not work on, another slot
//! can have at once.
//!
//! Quorum queues limit what is under way for each subscription, not for a channel, and a slot looks at many queues. So it asks
//! each queue for a single message first, which is all that happens while there is work; only when all are empty it
//! subscribes, and with the first message it lets go of all other subscriptions.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use lapin::{Channel, message::BasicGetMessage, options::BasicGetOptions, types::ShortString};
use tintype_ports::queue::{Consumer, Delivery, QueueError};
use tokio::{sync::oneshot, time::Instant};

use super::{
    dead::Undertaker,
    delivery::RabbitDelivery,
    failure::{Failure, within},
    message,
    subscription::{Event, Subscription},
};

/// What waits for a message must not wait for ever on a queue that is deleted again and again.
const MAX_REPAIRS: usize = 3;

/// What the consumers of one queue share.
pub(super) struct Shared {
    pub(super) undertaker: Arc<Undertaker>,
    /// Decides which queue the next one to wait asks first.
    pub(super) turn: AtomicU64,
}

pub(super) struct RabbitConsumer {
    shared: Arc<Shared>,
    /// The channel of the message before, without any subscription.
    channel: Option<Channel>,
}

type Found = Result<(RabbitDelivery, Channel), Failure>;

impl RabbitConsumer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            channel: None,
        }
    }
}

#[async_trait]
impl Consumer for RabbitConsumer {
    async fn next(&mut self) -> Result<Option<Box<dyn Delivery>>, QueueError> {
        let (answer, found) = oneshot::channel();
        // A task of its own cleans up behind a caller that stops waiting.
        let watch = Watch {
            shared: Arc::clone(&self.shared),
            channel: self.channel.take(),
        };
        tokio::spawn(watch.run(answer));
        match found.await {
            Ok(Ok((delivery, channel))) => {
                metrics::counter!("tintype_queue_delivered_total").increment(1);
                self.channel = Some(channel);
                Ok(Some(Box::new(delivery)))
            }
            Ok(Err(Failure::Closed)) => Ok(None),
            Ok(Err(failure)) => Err(failure.into()),
            Err(_) => Err(Failure::Unsubscribed.into()),
        }
    }
}

struct Watch {
    shared: Arc<Shared>,
    channel: Option<Channel>,
}

impl Watch {
    async fn run(mut self, mut answer: oneshot::Sender<Found>) {
        for _ in 0..MAX_REPAIRS {
            match self.wait(&mut answer).await {
                Err(_) if self.shared.undertaker.link.is_closed() => {
                    let _ = answer.send(Err(Failure::Closed));
                    return;
                }
                // Nobody waits any more: the delivery, if there is one, is dropped and thereby given back.
                Ok(None) => return,
                Ok(Some(found)) => {
                    let _ = answer.send(Ok(found));
                    return;
                }
                Err(failure) if failure.is_missing() => {
                    tracing::warn!(error = %failure, "a queue is missing in the broker; declaring it again");
                    if let Err(failure) = self.shared.undertaker.link.declare().await {
                        let _ = answer.send(Err(failure));
                        return;
                    }
                }
                Err(failure) => {
                    self.shared.undertaker.link.heed(&failure);
                    let _ = answer.send(Err(failure));
                    return;
                }
            }
        }
        let _ = answer.send(Err(Failure::Unsubscribed));
    }

    async fn wait(
        &mut self,
        answer: &mut oneshot::Sender<Found>,
    ) -> Result<Option<(RabbitDelivery, Channel)>, Failure> {
        loop {
            let kept = self.channel.take();
            if let Some(found) = self.get_or_wait(kept, answer).await? {
                return Ok(Some(found));
            }
            if answer.is_closed() {
                return Ok(None);
            }
        }
    }

    /// Asks all queues, then waits for a message through a subscription, but not for ever. Nothing is found as well when
    /// nobody waits for it any more.
    async fn get_or_wait(
        &self,
        kept: Option<Channel>,
        answer: &mut oneshot::Sender<Found>,
    ) -> Result<Option<(RabbitDelivery, Channel)>, Failure> {
        let undertaker = &self.shared.undertaker;
        let channel = match kept.filter(|channel| channel.status().connected()) {
            Some(channel) => channel,
            None => undertaker.link.channel().await?,
        };
        let queues = self.queues();
        for queue in &queues {
            while let Some(got) = self.get(&channel, queue).await? {
                if let Some(delivery) = self.accept(got.delivery, &channel).await? {
                    return Ok(Some((delivery, channel)));
                }
            }
        }
        let answer_within = undertaker.settings.answer_within;
        let mut subscription = Subscription::open(&undertaker.link, &queues, answer_within).await?;
        let trusted_until = Instant::now() + undertaker.settings.subscription_for;
        loop {
            let is_over = async {
                tokio::select! {
                    () = answer.closed() => {}
                    () = tokio::time::sleep_until(trusted_until) => {}
                }
            };
            let event = tokio::select! {
                event = subscription.next() => event,
                () = undertaker.link.lost() => return Err(Failure::NotConnected(None)),
                () = is_over => {
                    subscription.abandon().await;
                    return Ok(None);
                }
            };
            match event {
                Event::Delivered(number, delivery) => {
                    let channel = subscription.channel(number);
                    if let Some(delivery) = self.accept(*delivery, channel).await? {
                        let channel = subscription.keep_only(number).await?;
                        return Ok(Some((delivery, channel)));
                    }
                }
                Event::Cancelled => return Err(Failure::Unsubscribed),
                Event::Failed(error) => return Err(error.into()),
            }
        }
    }

    /// All queues, beginning with the one whose turn it is, so that none is always asked last.
    fn queues(&self) -> Vec<ShortString> {
        let queues = &self.shared.undertaker.topology.queues;
        let turn = self.shared.turn.fetch_add(1, Ordering::Relaxed) % queues.len() as u64;
        let first = usize::try_from(turn).unwrap_or(0);
        queues
            .iter()
            .cycle()
            .skip(first)
            .take(queues.len())
            .cloned()
            .collect()
    }

    async fn get(
        &self,
        channel: &Channel,
        queue: &ShortString,
    ) -> Result<Option<BasicGetMessage>, Failure> {
        let got = channel.basic_get(queue.clone(), BasicGetOptions::default());
        within(self.shared.undertaker.settings.answer_within, got).await
    }

    /// Buries what cannot be understood.
    async fn accept(
        &self,
        delivery: lapin::message::Delivery,
        channel: &Channel,
    ) -> Result<Option<RabbitDelivery>, Failure> {
        let undertaker = &self.shared.undertaker;
        match message::decode(&delivery.data, &delivery.properties) {
            Ok(message) => Ok(Some(RabbitDelivery::new(
                message, delivery, channel, undertaker,
            ))),
            Err(malformed) => {
                let delivery = RabbitDelivery::new((), delivery, channel, undertaker);
                delivery.bury(&malformed.to_string(), "malformed").await?;
                Ok(None)
            }
        }
    }
}
