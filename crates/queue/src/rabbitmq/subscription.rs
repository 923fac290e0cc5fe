//! Subscriptions to all queues, each on a channel of its own.
//!
//! A quorum queue may still send a message after it has confirmed the end of a subscription. On a shared channel such a
//! message would be held by a slot that does not know of it; here it goes back with the channel that it came through.

use std::{future::ready, pin::Pin, time::Duration};

use futures::future::{join_all, try_join_all};
use lapin::{
    Channel, Consumer, ConsumerDelegate,
    message::{Delivery, DeliveryResult},
    options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::{FieldTable, ShortString},
};
use tokio::sync::mpsc;

use super::{
    failure::{Failure, within},
    link::Link,
};

/// What comes of a subscription.
pub(super) enum Event {
    /// A message, and the number of the subscription that it came through.
    Delivered(usize, Box<Delivery>),
    /// By the broker: the queue was deleted, or moved.
    Cancelled,
    Failed(lapin::Error),
}

/// Ends everything when it is abandoned; when it is dropped, the channels end as well, a little later.
pub(super) struct Subscription {
    lines: Vec<Line>,
    events: mpsc::UnboundedReceiver<(usize, DeliveryResult)>,
    answer_within: Duration,
}

struct Line {
    channel: Channel,
    consumer: Consumer,
}

impl Subscription {
    /// Subscribes to all of `queues`.
    pub(super) async fn open(
        link: &Link,
        queues: &[ShortString],
        answer_within: Duration,
    ) -> Result<Self, Failure> {
        let connection = link.connection().await?;
        // At most one message for each queue comes in here.
        let (inbox, events) = mpsc::unbounded_channel();
        let lines = queues.iter().enumerate().map(|(number, queue)| {
            let (connection, inbox) = (&connection, inbox.clone());
            async move {
                let channel = connection.create_channel().await?;
                channel.basic_qos(1, BasicQosOptions::default()).await?;
                let options = BasicConsumeOptions::default();
                let subscribed =
                    channel.basic_consume(queue.clone(), "".into(), options, FieldTable::default());
                let consumer = subscribed.await?;
                consumer.set_delegate(Forward { number, inbox });
                Ok::<_, lapin::Error>(Line { channel, consumer })
            }
        });
        Ok(Self {
            lines: within(answer_within, try_join_all(lines)).await?,
            events,
            answer_within,
        })
    }

    pub(super) async fn next(&mut self) -> Event {
        match self.events.recv().await {
            Some((number, Ok(Some(delivery)))) => Event::Delivered(number, Box::new(delivery)),
            Some((_, Ok(None))) | None => Event::Cancelled,
            Some((_, Err(error))) => Event::Failed(error),
        }
    }

    /// The channel of a message that is not answered yet. It stays, without its subscription.
    pub(super) fn channel(&self, number: usize) -> &Channel {
        &self.lines[number].channel
    }

    /// Ends all subscriptions, and all channels but one. On that one nothing else can have come: a subscription has one
    /// message under way.
    pub(super) async fn keep_only(mut self, number: usize) -> Result<Channel, Failure> {
        let kept = self.lines.swap_remove(number);
        let answer_within = self.answer_within;
        let cancelled = kept
            .channel
            .basic_cancel(kept.consumer.tag(), BasicCancelOptions::default());
        let (cancelled, ()) = tokio::join!(within(answer_within, cancelled), self.abandon());
        cancelled?;
        Ok(kept.channel)
    }

    /// Ends all subscriptions by closing their channels; what came through them goes back.
    pub(super) async fn abandon(self) {
        let closed = self
            .lines
            .iter()
            .map(|line| line.channel.close(200, "done".into()));
        let closed = async { Ok::<_, Failure>(join_all(closed).await) };
        match within(self.answer_within, closed).await {
            Ok(results) => {
                for error in results.into_iter().filter_map(Result::err) {
                    tracing::debug!(%error, "a channel did not close in order");
                }
            }
            Err(error) => tracing::debug!(%error, "channels did not close in order"),
        }
    }
}

/// Puts what comes into the inbox in the very moment it comes.
struct Forward {
    number: usize,
    inbox: mpsc::UnboundedSender<(usize, DeliveryResult)>,
}

impl ConsumerDelegate for Forward {
    fn on_new_delivery(
        &self,
        delivery: DeliveryResult,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        // Without a receiver the subscription is over, and the message goes back with the channel.
        let _ = self.inbox.send((self.number, delivery));
        Box::pin(ready(()))
    }
}
