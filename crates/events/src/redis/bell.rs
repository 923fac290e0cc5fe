//! The bell of many processes: a topic in Redis. Who rings wakes its own process at once and the others through Redis.

use std::{
    fmt,
    sync::{Arc, LazyLock},
    time::Duration,
};

use async_trait::async_trait;
use redis::Script;
use tintype_ports::{Bell, Entropy};
use tokio::{sync::Notify, task::JoinHandle, time::sleep};

use super::{
    link::{Link, RedisSettings, RedisUrlError, pause},
    subscriber::{Listener, Subscriber},
};
use crate::MemoryBell;

static RING: LazyLock<Script> =
    LazyLock::new(|| Script::new("return redis.call('PUBLISH', KEYS[1], ARGV[1])"));

/// A ring is sent so often until Redis takes it; then it is lost, which costs time and nothing else.
const TRIES: u32 = 4;

/// The bell port in Redis.
pub struct RedisBell {
    state: Arc<State>,
    _subscriber: Subscriber,
    sender: JoinHandle<()>,
}

struct State {
    here: MemoryBell,
    /// Holds at most one ring: those that come while one is sent are one.
    elsewhere: Notify,
    topic: String,
    /// Tells this process's own rings from others'.
    name: Vec<u8>,
}

impl fmt::Debug for RedisBell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBell").finish_non_exhaustive()
    }
}

impl RedisBell {
    /// A bell that listens from now on, in tasks of the present runtime. Redis may be away at first.
    ///
    /// # Errors
    /// When the address of Redis cannot be understood.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn new(settings: &RedisSettings, entropy: Arc<dyn Entropy>) -> Result<Self, RedisUrlError> {
        let link = Link::new(settings, Arc::clone(&entropy))?;
        let state = Arc::new(State {
            here: MemoryBell::new(),
            elsewhere: Notify::new(),
            topic: format!("{}:bell", settings.prefix),
            name: entropy.id_bytes().into(),
        });
        let listener: Arc<dyn Listener> = Arc::<State>::clone(&state);
        let subscriber = Subscriber::start(
            link.client().clone(),
            Arc::clone(&entropy),
            listener,
            [state.topic.clone()],
        );
        let deadline = settings.publish_deadline;
        let sender = tokio::spawn(send_rings(Arc::clone(&state), link, deadline, entropy));
        Ok(Self {
            state,
            _subscriber: subscriber,
            sender,
        })
    }
}

impl Drop for RedisBell {
    fn drop(&mut self) {
        self.sender.abort();
    }
}

#[async_trait]
impl Bell for RedisBell {
    fn ring(&self) {
        self.state.here.ring();
        self.state.elsewhere.notify_one();
    }

    async fn rung(&self) {
        self.state.here.rung().await;
    }
}

#[async_trait]
impl Listener for State {
    async fn connected(&self) {
        // Rings may have been missed.
        self.here.ring();
    }

    async fn heard(&self, _topic: &str, payload: &[u8]) {
        if payload != self.name {
            self.here.ring();
        }
    }

    async fn tick(&self) {}

    fn wants(&self, _topic: &str) -> bool {
        true
    }
}

async fn send_rings(state: Arc<State>, link: Link, deadline: Duration, entropy: Arc<dyn Entropy>) {
    loop {
        state.elsewhere.notified().await;
        for failures in 0..TRIES {
            let mut call = RING.key(&state.topic);
            call.arg(&state.name);
            match link.run::<i64>(&call, deadline).await {
                Ok(_) => break,
                Err(error) => tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "a ring of the bell could not be sent"
                ),
            }
            sleep(pause(failures, &*entropy)).await;
        }
    }
}
