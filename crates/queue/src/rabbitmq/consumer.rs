//! A worker slot's eye on all queues. It takes one message and lets go of the queues: what it does not work on, another slot
//! can have at once.
//!
//! Quorum queues limit what is under way for each subscription, not for a channel, and a slot looks at many queues. So whoever
//! has no subscriptions asks each queue for a single message first, which is all that happens while every slot is busy; only
//! when all queues are empty it subscribes.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use lapin::{Channel, message::BasicGetMessage, options::BasicGetOptions, types::ShortString};
use tintype_ports::queue::{Consumer, Delivery, QueueError};
use tokio::sync::oneshot;

use super::{
    dead::Undertaker,
    delivery::RabbitDelivery,
    failure::{Failure, within},
    message,
    subscription::{Event, Subscription},
    waiting::{First, Waiting},
};

/// What waits for a message must not wait for ever on a queue that is deleted again and again.
const MAX_REPAIRS: usize = 3;

/// What the consumers of one queue share.
pub(super) struct Shared {
    pub(super) undertaker: Arc<Undertaker>,
    /// Decides which queue the next one to wait asks first.
    pub(super) turn: AtomicU64,
    pub(super) waiting: Waiting,
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
        let shared = Arc::clone(&self.shared);
        let place = shared.waiting.join();
        let mut first = tokio::select! {
            first = place.first() => first,
            () = answer.closed() => return place.leave(None).await,
        };
        // Nobody may wait any more: the delivery, if there is one, is then dropped and thereby given back.
        if let Some(found) = self.look(&mut first, &mut answer).await {
            let _ = answer.send(found);
        }
        place.leave(Some(first)).await;
    }

    /// Looks for a message until there is one, nobody waits for it any more, or something is in the way that does not pass.
    async fn look(
        &mut self,
        first: &mut First<'_>,
        answer: &mut oneshot::Sender<Found>,
    ) -> Option<Found> {
        let mut repairs = 0;
        loop {
            let failure = match self.get_or_wait(first, answer).await {
                Ok(Some(found)) => return Some(Ok(found)),
                Ok(None) if answer.is_closed() => return None,
                Ok(None) => continue,
                Err(failure) => failure,
            };
            let link = &self.shared.undertaker.link;
            if link.is_closed() {
                return Some(Err(Failure::Closed));
            }
            if !failure.is_missing() {
                link.heed(&failure);
                return Some(Err(failure));
            }
            if repairs == MAX_REPAIRS {
                return Some(Err(Failure::Unsubscribed));
            }
            repairs += 1;
            tracing::warn!(error = %failure, "a queue is missing in the broker; declaring it again");
            if let Err(failure) = link.declare().await {
                return Some(Err(failure));
            }
        }
    }

    /// Asks all queues, then waits for a message through a subscription, but not for ever. Whoever is subscribed already, through
    /// the one before, need not ask. What goes wrong ends the subscription.
    async fn get_or_wait(
        &mut self,
        first: &mut First<'_>,
        answer: &mut oneshot::Sender<Found>,
    ) -> Result<Option<(RabbitDelivery, Channel)>, Failure> {
        let undertaker = Arc::clone(&self.shared.undertaker);
        let mut kept = self.channel.take();
        let mut subscription = match first.take() {
            Some(subscription) => subscription,
            None => {
                let channel = match kept.filter(|channel| channel.status().connected()) {
                    Some(channel) => channel,
                    None => undertaker.link.channel().await?,
                };
                if let Some(delivery) = self.get_one(&channel).await? {
                    return Ok(Some((delivery, channel)));
                }
                kept = Some(channel);
                Subscription::new(&undertaker.settings)
            }
        };
        let queues = &undertaker.topology.queues;
        subscription
            .complete(&undertaker.link, queues, kept)
            .await?;
        let trusted_until = subscription.trusted_until();
        let event = tokio::select! {
            event = subscription.next() => event,
            () = undertaker.link.lost() => return Err(Failure::NotConnected(None)),
            () = answer.closed() => {
                **first = Some(subscription);
                return Ok(None);
            }
            () = tokio::time::sleep_until(trusted_until) => {
                subscription.abandon().await;
                return Ok(None);
            }
        };
        match event {
            Event::Delivered(line, delivery) => {
                **first = Some(subscription);
                let accepted = self.accept(*delivery, line.channel()).await;
                let channel = line.keep(undertaker.settings.answer_within).await?;
                Ok(accepted?.map(|delivery| (delivery, channel)))
            }
            Event::Cancelled => Err(Failure::Unsubscribed),
            Event::Failed(error) => Err(error.into()),
        }
    }

    /// A message that waits in one of the queues.
    async fn get_one(&self, channel: &Channel) -> Result<Option<RabbitDelivery>, Failure> {
        for queue in self.queues() {
            while let Some(got) = self.get(channel, &queue).await? {
                if let Some(delivery) = self.accept(got.delivery, channel).await? {
                    return Ok(Some(delivery));
                }
            }
        }
        Ok(None)
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
