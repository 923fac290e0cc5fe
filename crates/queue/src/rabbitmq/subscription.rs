//! Subscriptions to all queues, each on a channel of its own.
//!
//! A quorum queue may still send a message after it has confirmed the end of a subscription. On a shared channel such a
//! message would be held by a slot that does not know of it; here it goes back with the channel that it came through.

use std::time::Duration;

use futures::{
    StreamExt as _,
    future::{join_all, try_join_all},
    stream::{BoxStream, SelectAll, select_all},
};
use lapin::{
    Channel,
    message::Delivery,
    options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::{FieldTable, ShortString},
};

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
    /// What comes through all lines; the end of one is an event as well.
    events: SelectAll<BoxStream<'static, Event>>,
    answer_within: Duration,
}

struct Line {
    channel: Channel,
    tag: ShortString,
}

impl Subscription {
    /// Subscribes to all of `queues`.
    pub(super) async fn open(
        link: &Link,
        queues: &[ShortString],
        answer_within: Duration,
    ) -> Result<Self, Failure> {
        let connection = link.connection().await?;
        let opened = queues.iter().enumerate().map(|(number, queue)| {
            let connection = &connection;
            async move {
                let channel = connection.create_channel().await?;
                channel.basic_qos(1, BasicQosOptions::default()).await?;
                let options = BasicConsumeOptions::default();
                let subscribed =
                    channel.basic_consume(queue.clone(), "".into(), options, FieldTable::default());
                let consumer = subscribed.await?;
                let tag = consumer.tag();
                // Read as a stream: a delegate, which is set only now, can miss what has come already.
                let events = consumer.map(move |delivery| match delivery {
                    Ok(delivery) => Event::Delivered(number, Box::new(delivery)),
                    Err(error) => Event::Failed(error),
                });
                let ended = futures::stream::once(std::future::ready(Event::Cancelled));
                Ok::<_, lapin::Error>((Line { channel, tag }, events.chain(ended).boxed()))
            }
        });
        let opened = within(answer_within, try_join_all(opened)).await?;
        let (lines, events): (Vec<_>, Vec<_>) = opened.into_iter().unzip();
        Ok(Self {
            lines,
            events: select_all(events),
            answer_within,
        })
    }

    pub(super) async fn next(&mut self) -> Event {
        self.events.next().await.unwrap_or(Event::Cancelled)
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
            .basic_cancel(kept.tag, BasicCancelOptions::default());
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
