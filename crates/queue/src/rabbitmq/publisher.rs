//! Publishing with confirms: a batch goes out in one go, in order, and counts once the broker has all of it on disk.

use std::sync::Arc;

use futures::future::try_join_all;
use lapin::{
    Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use tokio::sync::Mutex;

use super::{
    failure::{Failure, within},
    link::Link,
    message::Outgoing,
    settings::RabbitSettings,
};

/// One channel in confirm mode; batches go through it one after another, which keeps the order within a tenant.
pub(super) struct Publisher {
    link: Arc<Link>,
    settings: Arc<RabbitSettings>,
    channel: Mutex<Option<Channel>>,
}

impl Publisher {
    pub(super) fn new(link: Arc<Link>, settings: Arc<RabbitSettings>) -> Self {
        Self {
            link,
            settings,
            channel: Mutex::new(None),
        }
    }

    /// Publishes all messages. On an error some of them may have been taken all the same.
    pub(super) async fn send(&self, mut messages: Vec<Outgoing>) -> Result<(), Failure> {
        let deadline = self.settings.answer_within;
        let mut kept = within(deadline, async {
            Ok::<_, Failure>(self.channel.lock().await)
        })
        .await?;
        for is_second in [false, true] {
            // Taken out meanwhile: a channel that an error or a dropped future leaves behind is not used again.
            let channel = match kept.take().filter(|channel| channel.status().connected()) {
                Some(channel) => channel,
                None => self.open().await?,
            };
            let sent = within(deadline, send_once(&channel, &messages)).await;
            match sent {
                Ok(returned) => {
                    *kept = Some(channel);
                    if returned.is_empty() {
                        return Ok(());
                    }
                    messages = returned
                        .into_iter()
                        .map(|index| messages[index].clone())
                        .collect();
                }
                Err(failure) if failure.is_missing() && !is_second => {}
                Err(failure) => {
                    self.link.heed(&failure);
                    return Err(failure);
                }
            }
            // Somebody has deleted a queue, or the exchange.
            tracing::warn!("a queue or an exchange is missing in the broker; declaring it again");
            self.link.declare().await?;
        }
        Err(Failure::Unroutable)
    }

    async fn open(&self) -> Result<Channel, Failure> {
        let channel = self.link.channel().await?;
        let selected = channel.confirm_select(ConfirmSelectOptions::default());
        within(self.settings.answer_within, selected)
            .await
            .inspect_err(|failure| self.link.heed(failure))?;
        Ok(channel)
    }
}

/// Returns the indexes of the messages that no queue wanted.
async fn send_once(channel: &Channel, messages: &[Outgoing]) -> Result<Vec<usize>, Failure> {
    let options = BasicPublishOptions {
        mandatory: true,
        immediate: false,
    };
    let mut confirmations = Vec::with_capacity(messages.len());
    for message in messages {
        let published = channel.basic_publish(
            message.exchange.clone(),
            message.routing_key.clone(),
            options,
            &message.body,
            message.properties.clone(),
        );
        confirmations.push(published.await?);
    }
    let mut returned = Vec::new();
    for (index, confirmation) in try_join_all(confirmations).await?.into_iter().enumerate() {
        match confirmation {
            Confirmation::Ack(None) => {}
            Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_)) => returned.push(index),
            Confirmation::Nack(None) | Confirmation::NotRequested => return Err(Failure::Refused),
        }
    }
    Ok(returned)
}
