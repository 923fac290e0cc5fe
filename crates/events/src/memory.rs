//! The event bus of a single process: one ring of recent events a tenant. A watcher is a place in its tenant's ring, so
//! that replay, live events and lagging behind are the same thing.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use tintype_model::TenantId;
use tintype_ports::events::{Event, EventId, Events, EventsError, Published, Seen};
use tokio::sync::watch;

/// The event bus port in memory.
#[derive(Debug)]
pub struct MemoryEvents {
    max_events: usize,
    max_tenants: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// One count for all tenants, so that ids grow even for a tenant that was forgotten meanwhile.
    last: u64,
    tenants: HashMap<TenantId, Channel>,
}

#[derive(Debug)]
struct Channel {
    ring: Arc<Mutex<Ring>>,
    /// The last id, to wake watchers. Dropped with the bus, which ends them.
    news: watch::Sender<u64>,
    used_at: u64,
}

#[derive(Debug)]
struct Ring {
    /// Events up to this id are not held, or never were here.
    forgotten: u64,
    held: VecDeque<Published>,
}

impl Ring {
    fn push(&mut self, event: Published, max_events: usize) {
        self.held.push_back(event);
        if self.held.len() > max_events
            && let Some(oldest) = self.held.pop_front()
        {
            self.forgotten = oldest.id.0;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryEvents {
    /// Events of a tenant that are kept for watchers who come back.
    pub const MAX_EVENTS: usize = 1_024;
    /// Tenants whose events are kept; beyond it the longest silent one without a watcher is forgotten.
    pub const MAX_TENANTS: usize = 1_024;

    /// A bus whose first id comes after `start`: the time of day in microseconds makes ids grow over restarts as well, so
    /// that a watcher from before gets a gap instead of silence.
    #[must_use]
    pub fn new(start: u64) -> Self {
        Self::bounded(start, Self::MAX_EVENTS, Self::MAX_TENANTS)
    }

    /// A bus with other bounds, each at least 1.
    #[must_use]
    pub fn bounded(start: u64, max_events: usize, max_tenants: usize) -> Self {
        let state = State {
            last: start,
            tenants: HashMap::new(),
        };
        Self {
            max_events: max_events.max(1),
            max_tenants: max_tenants.max(1),
            state: Mutex::new(state),
        }
    }

    /// How many tenants have events held.
    #[must_use]
    pub fn tenants(&self) -> usize {
        lock(&self.state).tenants.len()
    }
}

impl State {
    fn channel(&mut self, tenant: TenantId, max_tenants: usize) -> &mut Channel {
        if !self.tenants.contains_key(&tenant) && self.tenants.len() >= max_tenants {
            self.forget_one();
        }
        let last = self.last;
        self.tenants.entry(tenant).or_insert_with(|| Channel {
            ring: Arc::new(Mutex::new(Ring {
                forgotten: last,
                held: VecDeque::new(),
            })),
            news: watch::Sender::new(last),
            used_at: last,
        })
    }

    fn forget_one(&mut self) {
        let unwatched = self
            .tenants
            .iter()
            .filter(|(_, channel)| channel.news.receiver_count() == 0);
        let oldest = unwatched
            .min_by_key(|(_, channel)| channel.used_at)
            .map(|(tenant, _)| *tenant);
        if let Some(tenant) = oldest {
            self.tenants.remove(&tenant);
        }
    }
}

#[async_trait]
impl Events for MemoryEvents {
    async fn publish(&self, tenant: TenantId, event: Event) -> Result<EventId, EventsError> {
        let mut state = lock(&self.state);
        let id = EventId(state.last + 1);
        let channel = state.channel(tenant, self.max_tenants);
        channel.used_at = id.0;
        lock(&channel.ring).push(Published { id, event }, self.max_events);
        channel.news.send_replace(id.0);
        state.last = id.0;
        Ok(id)
    }

    async fn watch(
        &self,
        tenant: TenantId,
        after: Option<EventId>,
    ) -> Result<BoxStream<'static, Seen>, EventsError> {
        let mut state = lock(&self.state);
        let last = state.last;
        let channel = state.channel(tenant, self.max_tenants);
        let ring = Arc::clone(&channel.ring);
        let news = channel.news.subscribe();
        let place = match after {
            None => last,
            // An id that was never given: of a bus whose count was ahead of ours. All of ours is news to that watcher.
            Some(EventId(id)) if id > last => 0,
            Some(EventId(id)) => id,
        };
        Ok(stream::unfold(Watcher { ring, news, place }, Watcher::next).boxed())
    }
}

struct Watcher {
    ring: Arc<Mutex<Ring>>,
    news: watch::Receiver<u64>,
    /// The id of the last event that was seen.
    place: u64,
}

impl Watcher {
    async fn next(mut self) -> Option<(Seen, Self)> {
        loop {
            // Marked before looking, so that what comes later wakes the wait below.
            self.news.mark_unchanged();
            if let Some(seen) = self.look() {
                return Some((seen, self));
            }
            self.news.changed().await.ok()?;
        }
    }

    fn look(&mut self) -> Option<Seen> {
        let ring = lock(&self.ring);
        if self.place < ring.forgotten {
            self.place = ring.forgotten;
            return Some(Seen::Gap);
        }
        let next = ring.held.partition_point(|event| event.id.0 <= self.place);
        let event = ring.held.get(next)?.clone();
        self.place = event.id.0;
        Some(Seen::Event(event))
    }
}
