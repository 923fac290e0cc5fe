//! The event bus of many processes: a stream for each tenant, held in Redis, and a topic on which its events are published
//! as well. A process listens to the topics of tenants that are watched here, over one connection, and reads the stream
//! where it missed something.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use redis::Script;
use tintype_model::TenantId;
use tintype_ports::{
    Entropy,
    events::{Event, EventId, Events, EventsError, Published, Seen},
};
use tokio::{sync::watch, time::timeout};

use super::{
    link::{Link, LinkError, RedisSettings, RedisUrlError},
    ring::{Chained, Reading, Ring},
    subscriber::{Listener, Subscriber},
    watcher::{Leave, Watcher},
};

static PUBLISH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("publish.lua")));
static READ: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("read.lua")));

/// A stream of a tenant that is silent for so long is forgotten; whoever comes back to it later gets a gap.
const SECONDS_KEPT: u32 = 24 * 3_600;
/// Streams that are read at once after a lost connection.
const READ_AT_ONCE: usize = 16;

/// The event bus port in Redis.
///
/// Publishing has a short deadline, because work waits for it; what is lost is lost to sight only. Events that were published
/// while this process could not hear are read when it can again; those that Redis itself lost show up as a gap.
pub struct RedisEvents {
    bus: Arc<Bus>,
    subscriber: Arc<Subscriber>,
}

pub(super) struct Bus {
    link: Link,
    prefix: String,
    publish_deadline: Duration,
    watch_deadline: Duration,
    max_events: usize,
    watched: Mutex<HashMap<TenantId, Channel>>,
}

/// Id, id before, event, as read.lua answers them.
type Entry = (u64, u64, Vec<u8>);

/// The watchers of one tenant.
struct Channel {
    ring: Arc<Mutex<Ring>>,
    /// Something was missed, and could not be read yet.
    is_stale: bool,
    /// Wakes watchers. Dropped with the bus, which ends them.
    news: watch::Sender<()>,
}

/// Redis sent something that no version of this program publishes.
#[derive(Debug, thiserror::Error)]
#[error("an event in redis cannot be understood")]
struct Unreadable;

#[derive(Debug, thiserror::Error)]
#[error("redis could not be listened to in time")]
struct NotListening;

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> EventsError {
    EventsError(Box::new(error))
}

impl fmt::Debug for RedisEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisEvents")
            .field("link", &self.bus.link)
            .finish_non_exhaustive()
    }
}

impl RedisEvents {
    /// Events of a tenant that are kept for watchers who come back.
    pub const MAX_EVENTS: usize = 1_024;

    /// A bus that listens in a task of the present runtime. Redis may be away at first.
    ///
    /// # Errors
    /// When the address of Redis cannot be understood.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn new(settings: &RedisSettings, entropy: Arc<dyn Entropy>) -> Result<Self, RedisUrlError> {
        Self::bounded(settings, entropy, Self::MAX_EVENTS)
    }

    /// A bus that holds another number of events a tenant, at least 1. All processes of an install use the same.
    ///
    /// # Errors
    /// When the address of Redis cannot be understood.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn bounded(
        settings: &RedisSettings,
        entropy: Arc<dyn Entropy>,
        max_events: usize,
    ) -> Result<Self, RedisUrlError> {
        let link = Link::new(settings, Arc::clone(&entropy))?;
        let client = link.client().clone();
        let bus = Arc::new(Bus {
            link,
            prefix: settings.prefix.clone(),
            publish_deadline: settings.publish_deadline,
            watch_deadline: settings.watch_deadline,
            max_events: max_events.max(1),
            watched: Mutex::default(),
        });
        let listener: Arc<dyn Listener> = Arc::<Bus>::clone(&bus);
        let subscriber = Subscriber::start(client, entropy, listener, []);
        Ok(Self {
            bus,
            subscriber: Arc::new(subscriber),
        })
    }

    /// How many tenants are watched in this process.
    #[must_use]
    pub fn watched(&self) -> usize {
        lock(&self.bus.watched).len()
    }
}

#[async_trait]
impl Events for RedisEvents {
    async fn publish(&self, tenant: TenantId, event: Event) -> Result<EventId, EventsError> {
        let bus = &self.bus;
        let text = serde_json::to_string(&event).map_err(unavailable)?;
        let mut call = PUBLISH.key(bus.stream(tenant));
        call.key(bus.topic(tenant))
            .arg(text)
            .arg(bus.max_events)
            .arg(SECONDS_KEPT);
        let id = bus.link.run(&call, bus.publish_deadline).await;
        let outcome = if id.is_ok() { "published" } else { "lost" };
        metrics::counter!("tintype_events_published_total", "outcome" => outcome).increment(1);
        id.map(EventId).map_err(unavailable)
    }

    async fn watch(
        &self,
        tenant: TenantId,
        after: Option<EventId>,
    ) -> Result<BoxStream<'static, Seen>, EventsError> {
        let (ring, news) = self.bus.join(tenant);
        // Made before anything can fail, so that a watcher who could not begin leaves nothing behind.
        let leave = Leave::new(&self.bus, &self.subscriber, tenant);
        let mut watcher = Watcher::new(ring, news, leave);
        let begin = async {
            if !self.subscriber.listen(self.bus.topic(tenant)).await {
                return Err(unavailable(NotListening));
            }
            self.bus.read(tenant).await.map_err(unavailable)
        };
        timeout(self.bus.watch_deadline, begin)
            .await
            .unwrap_or_else(|_| Err(unavailable(NotListening)))?;
        watcher.begin(after);
        Ok(stream::unfold(watcher, Watcher::next).boxed())
    }
}

impl Bus {
    fn stream(&self, tenant: TenantId) -> String {
        format!("{}:events:{tenant}", self.prefix)
    }

    pub(super) fn topic(&self, tenant: TenantId) -> String {
        format!("{}:news:{tenant}", self.prefix)
    }

    fn tenant_of(&self, topic: &str) -> Option<TenantId> {
        let rest = topic.strip_prefix(&self.prefix)?.strip_prefix(":news:")?;
        rest.parse().ok()
    }

    fn join(&self, tenant: TenantId) -> (Arc<Mutex<Ring>>, watch::Receiver<()>) {
        let mut watched = lock(&self.watched);
        let channel = watched.entry(tenant).or_insert_with(|| Channel {
            ring: Arc::new(Mutex::new(Ring::new(self.max_events))),
            is_stale: false,
            news: watch::Sender::new(()),
        });
        (Arc::clone(&channel.ring), channel.news.subscribe())
    }

    /// Forgets a tenant that nobody watches. `true` when that was so.
    pub(super) fn forget_unwatched(&self, tenant: TenantId) -> bool {
        let mut watched = lock(&self.watched);
        let is_unwatched = watched
            .get(&tenant)
            .is_some_and(|channel| channel.news.receiver_count() == 0);
        if is_unwatched {
            watched.remove(&tenant);
        }
        is_unwatched
    }

    /// Reads what the ring of a watched tenant does not hold yet.
    async fn read(&self, tenant: TenantId) -> Result<(), LinkError> {
        let ring = lock(&self.watched)
            .get(&tenant)
            .map(|it| Arc::clone(&it.ring));
        let Some(ring) = ring else {
            return Ok(());
        };
        let after = lock(&ring).read_after();
        let mut call = READ.key(self.stream(tenant));
        call.arg(after);
        let (life, last, events): (String, u64, Vec<Entry>) =
            self.link.run(&call, self.watch_deadline).await?;
        let events = events
            .into_iter()
            .filter_map(|(id, before, text)| chained(id, before, &text).ok())
            .collect();
        lock(&ring).absorb(Reading {
            after,
            life,
            last,
            events,
        });
        self.wake(tenant);
        Ok(())
    }

    fn wake(&self, tenant: TenantId) {
        if let Some(channel) = lock(&self.watched).get(&tenant) {
            channel.news.send_replace(());
        }
    }

    fn set_stale(&self, tenant: TenantId, is_stale: bool) {
        if let Some(channel) = lock(&self.watched).get_mut(&tenant) {
            channel.is_stale = is_stale;
        }
    }

    /// Reads what was missed. What cannot be read now is read at a later tick.
    async fn catch_up(&self, tenant: TenantId) {
        let result = self.read(tenant).await;
        self.set_stale(tenant, result.is_err());
        if let Err(error) = result {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "missed events cannot be read yet"
            );
        }
    }

    async fn catch_up_all(&self, tenants: Vec<TenantId>) {
        stream::iter(tenants)
            .for_each_concurrent(READ_AT_ONCE, |tenant| self.catch_up(tenant))
            .await;
    }
}

fn chained(id: u64, before: u64, text: &[u8]) -> Result<Chained, Unreadable> {
    let event = serde_json::from_slice(text).map_err(|_| {
        tracing::warn!("an event in redis cannot be understood; it is left out");
        Unreadable
    })?;
    Ok(Chained {
        before,
        published: Published {
            id: EventId(id),
            event,
        },
    })
}

/// `ID BEFORE EVENT`, as publish.lua writes it.
fn message(payload: &[u8]) -> Result<Chained, Unreadable> {
    let mut parts = payload.splitn(3, |byte| *byte == b' ');
    let mut number = || -> Option<u64> {
        let digits = std::str::from_utf8(parts.next()?).ok()?;
        digits.parse().ok()
    };
    let (Some(id), Some(before)) = (number(), number()) else {
        return Err(Unreadable);
    };
    chained(id, before, parts.next().unwrap_or_default())
}

#[async_trait]
impl Listener for Bus {
    async fn connected(&self) {
        let tenants: Vec<TenantId> = lock(&self.watched).keys().copied().collect();
        self.catch_up_all(tenants).await;
    }

    async fn tick(&self) {
        let stale = {
            let watched = lock(&self.watched);
            let stale = watched.iter().filter(|(_, channel)| channel.is_stale);
            stale.map(|(tenant, _)| *tenant).collect()
        };
        self.catch_up_all(stale).await;
    }

    async fn heard(&self, topic: &str, payload: &[u8]) {
        let Some(tenant) = self.tenant_of(topic) else {
            return;
        };
        let ring = lock(&self.watched)
            .get(&tenant)
            .map(|it| Arc::clone(&it.ring));
        let (Some(ring), Ok(event)) = (ring, message(payload)) else {
            return;
        };
        let follows = lock(&ring).hear(&event);
        if follows {
            self.wake(tenant);
        } else {
            self.catch_up(tenant).await;
        }
    }

    fn wants(&self, topic: &str) -> bool {
        self.tenant_of(topic)
            .is_some_and(|tenant| lock(&self.watched).contains_key(&tenant))
    }
}
