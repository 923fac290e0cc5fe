//! Subscriptions to all queues, each on a channel of its own.
//!
//! A quorum queue may still send a message after it has confirmed the end of a subscription. On a shared channel such a
//! message would be held by a slot that does not know of it; here it goes back with the channel that it came through.

use std::time::Duration;

use futures::{
    StreamExt as _,
    future::{join_all, try_join_all},
    stream::{BoxStream, SelectAll},
};
use lapin::{
    Channel, Connection,
    message::Delivery,
    options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::{FieldTable, ShortString},
};
use tokio::time::Instant;

use super::{
    failure::{Failure, within},
    link::Link,
    settings::RabbitSettings,
};

/// What comes of a subscription.
pub(super) enum Event {
    /// A message, and the line that it came through, which is taken out: it brings no other one before this one is answered.
    Delivered(Line, Box<Delivery>),
    /// By the broker: the queue was deleted, or moved.
    Cancelled,
    Failed(lapin::Error),
}

/// Ends everything when it is abandoned; when it is dropped, the channels end as well, a little later.
pub(super) struct Subscription {
    lines: Vec<Line>,
    /// What comes through all lines, by their numbers.
    events: SelectAll<BoxStream<'static, (u64, Raw)>>,
    opened: u64,
    answer_within: Duration,
    trusted_until: Instant,
}

/// The subscription to one queue.
pub(super) struct Line {
    number: u64,
    queue: ShortString,
    channel: Channel,
    tag: ShortString,
}

enum Raw {
    Delivered(Box<Delivery>),
    Failed(lapin::Error),
    Ended,
}

impl Subscription {
    /// One to no queue yet.
    pub(super) fn new(settings: &RabbitSettings) -> Self {
        Self {
            lines: Vec::new(),
            events: SelectAll::new(),
            opened: 0,
            answer_within: settings.answer_within,
            trusted_until: Instant::now() + settings.subscription_for,
        }
    }

    /// From then on, what comes through it is no proof that something would.
    pub(super) const fn trusted_until(&self) -> Instant {
        self.trusted_until
    }

    /// Subscribes to those of `queues` that are missing. A channel that is there already, without a subscription, is used first.
    pub(super) async fn complete(
        &mut self,
        link: &Link,
        queues: &[ShortString],
        mut kept: Option<Channel>,
    ) -> Result<(), Failure> {
        let missing: Vec<_> = queues
            .iter()
            .filter(|queue| self.lines.iter().all(|line| line.queue != **queue))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let connection = link.connection().await?;
        let opened = missing.into_iter().map(|queue| {
            self.opened += 1;
            open(&connection, self.opened, queue, kept.take())
        });
        for (line, events) in within(self.answer_within, try_join_all(opened)).await? {
            self.lines.push(line);
            self.events.push(events);
        }
        Ok(())
    }

    pub(super) async fn next(&mut self) -> Event {
        loop {
            let Some((number, raw)) = self.events.next().await else {
                return Event::Cancelled;
            };
            // The end of a line that was taken out concerns nobody.
            let Some(place) = self.lines.iter().position(|line| line.number == number) else {
                continue;
            };
            return match raw {
                Raw::Delivered(delivery) => {
                    Event::Delivered(self.lines.swap_remove(place), delivery)
                }
                Raw::Failed(error) => Event::Failed(error),
                Raw::Ended => Event::Cancelled,
            };
        }
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

async fn open(
    connection: &Connection,
    number: u64,
    queue: &ShortString,
    kept: Option<Channel>,
) -> Result<(Line, BoxStream<'static, (u64, Raw)>), lapin::Error> {
    let channel = match kept.filter(|channel| channel.status().connected()) {
        Some(channel) => channel,
        None => connection.create_channel().await?,
    };
    channel.basic_qos(1, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    let subscribed =
        channel.basic_consume(queue.clone(), "".into(), options, FieldTable::default());
    let consumer = subscribed.await?;
    let line = Line {
        number,
        queue: queue.clone(),
        tag: consumer.tag(),
        channel,
    };
    // Read as a stream: a delegate, which is set only now, can miss what has come already.
    let events = consumer.map(move |delivery| match delivery {
        Ok(delivery) => (number, Raw::Delivered(Box::new(delivery))),
        Err(error) => (number, Raw::Failed(error)),
    });
    let ended = futures::stream::once(std::future::ready((number, Raw::Ended)));
    Ok((line, events.chain(ended).boxed()))
}

impl Line {
    /// The channel of the message that came through it.
    pub(super) const fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Ends the subscription and keeps the channel, for a message that is not answered yet. Nothing else can have come
    /// through it: a subscription has one message under way.
    pub(super) async fn keep(self, answer_within: Duration) -> Result<Channel, Failure> {
        let cancelled = self
            .channel
            .basic_cancel(self.tag, BasicCancelOptions::default());
        within(answer_within, cancelled).await?;
        Ok(self.channel)
    }
}
