//! The connection by which a process hears from Redis: one for everybody who listens here. It is made anew whenever it
//! breaks, or does not answer a ping.

use std::{collections::HashSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::StreamExt;
use redis::{
    Client, RedisError, RedisResult,
    aio::{PubSubSink, PubSubStream},
};
use tintype_ports::Entropy;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use super::link::pause;

/// Redis must answer within this, or the connection is given up.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the listener may do what it has to do again.
const TICK: Duration = Duration::from_secs(1);
/// Every so many ticks Redis is asked whether it is still there.
const TICKS_A_PING: u32 = 5;
/// Wishes that may wait.
const MAX_ORDERS: usize = 256;

/// Who is told what was heard. Called by one task, one call after the other.
#[async_trait]
pub(super) trait Listener: Send + Sync + 'static {
    /// From now on everything that is published on the topics is heard. What was published before may have been missed.
    async fn connected(&self);

    /// Something was published.
    async fn heard(&self, topic: &str, payload: &[u8]);

    /// Called now and then while connected.
    async fn tick(&self);

    /// Whether anybody still listens to the topic.
    fn wants(&self, topic: &str) -> bool;
}

/// A subscription that keeps itself alive. Ends when it is dropped.
#[derive(Debug)]
pub(super) struct Subscriber {
    orders: mpsc::Sender<Order>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
enum Order {
    /// Listen to the topic, and say when that is so.
    Listen(String, oneshot::Sender<()>),
    /// Look whether the topic is still wanted.
    Review(String),
}

impl Subscriber {
    /// Begins to listen to `topics`, in a task of the present runtime.
    pub(super) fn start(
        client: Client,
        entropy: Arc<dyn Entropy>,
        listener: Arc<dyn Listener>,
        topics: impl IntoIterator<Item = String>,
    ) -> Self {
        let (orders, receiver) = mpsc::channel(MAX_ORDERS);
        let work = Work {
            client,
            entropy,
            listener,
            orders: receiver,
            topics: topics.into_iter().collect(),
            waiting: Vec::new(),
        };
        Self {
            orders,
            task: tokio::spawn(work.run()),
        }
    }

    /// Returns once the topic is listened to, which may be never: give it a deadline. `false` when the task is gone.
    pub(super) async fn listen(&self, topic: String) -> bool {
        let (done, answer) = oneshot::channel();
        self.orders.send(Order::Listen(topic, done)).await.is_ok() && answer.await.is_ok()
    }

    /// Somebody stopped listening to the topic. When too many wishes wait this one is dropped, and the topic is looked at
    /// when something is heard on it.
    pub(super) fn review(&self, topic: String) {
        // Nothing is lost with it, see above.
        let _ = self.orders.try_send(Order::Review(topic));
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Work {
    client: Client,
    entropy: Arc<dyn Entropy>,
    listener: Arc<dyn Listener>,
    orders: mpsc::Receiver<Order>,
    topics: HashSet<String>,
    /// Those who wait for a connection.
    waiting: Vec<oneshot::Sender<()>>,
}

impl Work {
    async fn run(mut self) {
        let mut failures = 0;
        loop {
            match within(self.connect()).await {
                Ok((sink, stream)) => {
                    failures = 0;
                    self.listener.connected().await;
                    for waiter in self.waiting.drain(..) {
                        // A waiter that gave up is no trouble.
                        let _ = waiter.send(());
                    }
                    match self.serve(sink, stream).await {
                        Ok(()) => return,
                        Err(error) => tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "the connection that hears from redis broke"
                        ),
                    }
                }
                Err(error) => {
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "redis cannot be listened to"
                    );
                }
            }
            let rest = pause(failures, &*self.entropy);
            failures = failures.saturating_add(1);
            if !self.rest(rest).await {
                return;
            }
        }
    }

    async fn connect(&mut self) -> RedisResult<(PubSubSink, PubSubStream)> {
        let (mut sink, stream) = self.client.get_async_pubsub().await?.split();
        self.topics.retain(|topic| self.listener.wants(topic));
        if !self.topics.is_empty() {
            let topics: Vec<&str> = self.topics.iter().map(String::as_str).collect();
            sink.subscribe(topics).await?;
        }
        Ok((sink, stream))
    }

    /// Notes wishes for `time`. `false` when there will be none any more.
    async fn rest(&mut self, time: Duration) -> bool {
        let end = sleep(time);
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => return true,
                order = self.orders.recv() => match order {
                    None => return false,
                    Some(Order::Review(_)) => {}
                    Some(Order::Listen(topic, done)) => {
                        self.topics.insert(topic);
                        self.waiting.retain(|waiter| !waiter.is_closed());
                        self.waiting.push(done);
                    }
                },
            }
        }
    }

    /// Returns without an error when there is nobody left to listen for.
    async fn serve(&mut self, mut sink: PubSubSink, mut stream: PubSubStream) -> RedisResult<()> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut count = 0_u32;
        loop {
            tokio::select! {
                message = stream.next() => {
                    let Some(message) = message else {
                        return Err(broken("the connection was closed"));
                    };
                    let topic = message.get_channel_name();
                    if self.listener.wants(topic) {
                        self.listener.heard(topic, message.get_payload_bytes()).await;
                    } else if self.topics.remove(topic) {
                        within(sink.unsubscribe(topic)).await?;
                    }
                }
                order = self.orders.recv() => match order {
                    None => return Ok(()),
                    Some(Order::Listen(topic, done)) => {
                        if self.topics.insert(topic.clone()) {
                            within(sink.subscribe(topic)).await?;
                        }
                        // A waiter that gave up is no trouble.
                        let _ = done.send(());
                    }
                    Some(Order::Review(topic)) => {
                        if !self.listener.wants(&topic) && self.topics.remove(&topic) {
                            within(sink.unsubscribe(topic)).await?;
                        }
                    }
                },
                _ = ticks.tick() => {
                    count = count.wrapping_add(1);
                    if count.is_multiple_of(TICKS_A_PING) {
                        within(sink.ping::<redis::Value>()).await?;
                    }
                    self.listener.tick().await;
                }
            }
        }
    }
}

async fn within<T>(asked: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    timeout(PATIENCE, asked)
        .await
        .unwrap_or_else(|_| Err(broken("no answer in time")))
}

fn broken(why: &'static str) -> RedisError {
    (redis::ErrorKind::Io, why).into()
}
