//! The queue of dead letters: who goes there, and how to look at it, send it back or empty it.

use std::{sync::Arc, time::Duration};

use futures::future::try_join_all;
use lapin::{
    Acker, BasicProperties, Channel,
    message::BasicGetMessage,
    options::{BasicAckOptions, BasicGetOptions, BasicNackOptions, QueuePurgeOptions},
};
use tintype_ports::{
    clock::Clock,
    queue::{DeadLetter, JobMessage},
};
use tokio::{sync::Mutex, time::Instant};

use super::{
    failure::{Failure, within},
    link::Link,
    message::{self, Outgoing},
    publisher::Publisher,
    settings::RabbitSettings,
    topology::{Topology, look_at},
};

/// How long letters that were looked at may take to be in their queue again.
const BACK_WITHIN: Duration = Duration::from_secs(1);
/// Letters that are looked at in one go: more are not held in memory.
const MAX_LOOKED_AT: usize = 10_000;
/// Letters that are asked for without waiting for each other.
const AT_ONCE: usize = 50;

/// Letters that were taken out, oldest first.
#[derive(Default)]
struct Taken {
    letters: Vec<(DeadLetter, Acker)>,
    /// The number of the delivery that came last.
    last: Option<u64>,
    /// Letters that were not taken out, because they are too many.
    left: usize,
}

/// Buries messages, and keeps the graveyard.
pub(super) struct Undertaker {
    pub(super) link: Arc<Link>,
    pub(super) publisher: Arc<Publisher>,
    pub(super) topology: Arc<Topology>,
    pub(super) settings: Arc<RabbitSettings>,
    pub(super) clock: Arc<dyn Clock>,
    /// One channel for all looks, one look at a time: two at once would each see a part, and only on one channel does the
    /// broker see a second look after what the first has put back.
    pub(super) looking: Mutex<Option<Channel>>,
}

impl Undertaker {
    /// Keeps a message for a person. The caller acknowledges it afterwards, so that it is in two places rather than in none.
    pub(super) async fn bury(
        &self,
        body: Vec<u8>,
        properties: &BasicProperties,
        reason: &str,
        kind: &'static str,
    ) -> Result<(), Failure> {
        let letter = Outgoing {
            exchange: self.topology.dead.clone(),
            routing_key: self.topology.dead.clone(),
            body,
            properties: message::bury(properties, reason, self.clock.now()),
        };
        self.publisher.send(vec![letter]).await?;
        metrics::counter!("tintype_queue_dead_letters_total", "reason" => kind).increment(1);
        Ok(())
    }

    /// The oldest letters, which stay.
    pub(super) async fn look(&self, limit: usize) -> Result<Vec<DeadLetter>, Failure> {
        let mut kept = self.looking.lock().await;
        let channel = self.channel(&mut kept).await?;
        let taken = self.take_all(&channel).await?;
        self.put_back(&channel, &taken, 0).await?;
        *kept = Some(channel);
        let letters = taken.letters.into_iter().map(|(letter, _)| letter);
        Ok(letters.take(limit).collect())
    }

    /// Publishes the oldest `limit` letters that can be understood again, through `publish`, which is given all of them at
    /// once.
    pub(super) async fn redrive<P: Future<Output = Result<(), E>>, E: From<Failure>>(
        &self,
        limit: usize,
        publish: impl FnOnce(Vec<JobMessage>) -> P,
    ) -> Result<Vec<JobMessage>, E> {
        let mut kept = self.looking.lock().await;
        let channel = self.channel(&mut kept).await?;
        let taken = self.take_all(&channel).await?;
        let understood = taken.letters.iter();
        let (messages, ackers): (Vec<JobMessage>, Vec<&Acker>) = understood
            .filter_map(|(letter, acker)| Some((letter.message.clone()?, acker)))
            .take(limit)
            .unzip();
        // An error drops the channel, which puts all of them back.
        if !messages.is_empty() {
            publish(messages.clone()).await?;
        }
        for acker in &ackers {
            self.settle(acker.ack(BasicAckOptions::default())).await?;
        }
        self.put_back(&channel, &taken, ackers.len()).await?;
        *kept = Some(channel);
        Ok(messages)
    }

    pub(super) async fn purge(&self) -> Result<u64, Failure> {
        let mut kept = self.looking.lock().await;
        let channel = self.channel(&mut kept).await?;
        let purged = channel.queue_purge(self.topology.dead.clone(), QueuePurgeOptions::default());
        let count = within(self.settings.answer_within, purged).await?;
        *kept = Some(channel);
        Ok(u64::from(count))
    }

    /// Takes all letters, oldest first. A quorum queue hands out what was given back after what was not, so to know the
    /// oldest all have to be looked at.
    async fn take_all(&self, channel: &Channel) -> Result<Taken, Failure> {
        let mut taken = Taken::default();
        while taken.letters.len() < MAX_LOOKED_AT {
            let gets = (0..AT_ONCE)
                .map(|_| channel.basic_get(self.topology.dead.clone(), BasicGetOptions::default()));
            let got = within(self.settings.answer_within, try_join_all(gets)).await?;
            let count = taken.letters.len();
            for BasicGetMessage {
                delivery,
                message_count,
            } in got.into_iter().flatten()
            {
                taken.last = taken.last.max(Some(delivery.delivery_tag));
                taken.left = message_count as usize;
                let letter = message::exhume(&delivery.data, &delivery.properties);
                taken.letters.push((letter, delivery.acker));
            }
            if taken.letters.len() < count + AT_ONCE {
                break;
            }
        }
        taken.letters.sort_by_key(|(letter, _)| letter.died_at);
        Ok(taken)
    }

    /// Puts back all that was taken but for `gone` letters, which were acknowledged.
    async fn put_back(&self, channel: &Channel, taken: &Taken, gone: usize) -> Result<(), Failure> {
        let Some(last) = taken.last.filter(|_| taken.letters.len() > gone) else {
            return Ok(());
        };
        let back = BasicNackOptions {
            multiple: true,
            requeue: true,
        };
        within(self.settings.answer_within, channel.basic_nack(last, back)).await?;
        let total = taken.left + taken.letters.len() - gone;
        self.until_back(channel, total).await
    }

    /// What is given back is on its way for a moment, and a look in that moment would find it missing. Somebody else may
    /// take letters meanwhile, so this is not waited for without end.
    async fn until_back(&self, channel: &Channel, total: usize) -> Result<(), Failure> {
        let deadline = Instant::now() + BACK_WITHIN;
        loop {
            let look = look_at(channel, &self.topology.dead);
            let found = within(self.settings.answer_within, look).await?;
            if found.message_count() as usize >= total || Instant::now() >= deadline {
                return Ok(());
            }
            tokio::time::sleep(BACK_WITHIN / 100).await;
        }
    }

    async fn settle(
        &self,
        answer: impl Future<Output = Result<bool, lapin::Error>>,
    ) -> Result<(), Failure> {
        match within(self.settings.answer_within, answer).await? {
            true => Ok(()),
            false => Err(Failure::Stale),
        }
    }

    /// Taken out while it is used: what fails midway drops it, and the broker puts back what was taken through it.
    async fn channel(&self, kept: &mut Option<Channel>) -> Result<Channel, Failure> {
        match kept.take().filter(|channel| channel.status().connected()) {
            Some(channel) => Ok(channel),
            None => self.link.channel().await,
        }
    }
}
