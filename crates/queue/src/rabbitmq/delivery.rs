//! One message in the hands of one worker slot.

use std::sync::Arc;

use async_trait::async_trait;
use lapin::{
    Acker, BasicProperties, Channel,
    options::{BasicAckOptions, BasicNackOptions},
};
use tintype_ports::queue::{Delivery, JobMessage, QueueError, Rejection};
use tokio::runtime::Handle;

use super::{
    dead::Undertaker,
    failure::{Failure, within},
};

const GIVE_BACK: BasicNackOptions = BasicNackOptions {
    multiple: false,
    requeue: true,
};

/// A message and its answer; `()` for a message that cannot be understood. The broker takes it back by itself when the channel ends.
pub(super) struct RabbitDelivery<M = JobMessage> {
    message: M,
    body: Vec<u8>,
    properties: BasicProperties,
    acker: Acker,
    /// Keeps the channel open until there is an answer.
    channel: Channel,
    undertaker: Arc<Undertaker>,
    /// Where to give it back from, should it be dropped outside of a runtime.
    runtime: Handle,
    is_settled: bool,
}

impl<M> RabbitDelivery<M> {
    pub(super) fn new(
        message: M,
        delivery: lapin::message::Delivery,
        channel: &Channel,
        undertaker: &Arc<Undertaker>,
    ) -> Self {
        Self {
            message,
            body: delivery.data,
            properties: delivery.properties,
            acker: delivery.acker,
            channel: channel.clone(),
            undertaker: Arc::clone(undertaker),
            runtime: Handle::current(),
            is_settled: false,
        }
    }

    /// Keeps it for a person, then takes it off its queue.
    pub(super) async fn bury(mut self, reason: &str, kind: &'static str) -> Result<(), Failure> {
        let body = std::mem::take(&mut self.body);
        self.undertaker
            .bury(body, &self.properties, reason, kind)
            .await?;
        self.take_off().await
    }

    async fn take_off(mut self) -> Result<(), Failure> {
        self.is_settled = true;
        let acked = self.acker.ack(BasicAckOptions::default());
        self.settle(acked).await
    }

    async fn give_back(mut self) -> Result<(), Failure> {
        self.is_settled = true;
        let nacked = self.acker.nack(GIVE_BACK);
        self.settle(nacked).await
    }

    async fn settle(
        &self,
        answer: impl Future<Output = Result<bool, lapin::Error>>,
    ) -> Result<(), Failure> {
        let answered = within(self.undertaker.settings.answer_within, answer).await;
        match answered.inspect_err(|failure| self.undertaker.link.heed(failure))? {
            true => Ok(()),
            false => Err(Failure::Stale),
        }
    }
}

#[async_trait]
impl Delivery for RabbitDelivery {
    fn message(&self) -> &JobMessage {
        &self.message
    }

    async fn ack(self: Box<Self>) -> Result<(), QueueError> {
        Ok(self.take_off().await?)
    }

    async fn reject(self: Box<Self>, how: Rejection) -> Result<(), QueueError> {
        match how {
            Rejection::Requeue => Ok(self.give_back().await?),
            Rejection::DeadLetter(reason) => Ok(self.bury(&reason, "rejected").await?),
        }
    }
}

impl<M> Drop for RabbitDelivery<M> {
    fn drop(&mut self) {
        if self.is_settled || !self.acker.usable() {
            return;
        }
        let (acker, channel) = (self.acker.clone(), self.channel.clone());
        let deadline = self.undertaker.settings.answer_within;
        self.runtime.spawn(async move {
            if let Err(error) = within(deadline, acker.nack(GIVE_BACK)).await {
                tracing::debug!(%error, "a message is given back by the end of its channel");
            }
            drop(channel);
        });
    }
}
