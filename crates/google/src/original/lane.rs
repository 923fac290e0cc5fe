//! Who may ask a proxy: one at a time in this process, the others in a line that is bounded.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tintype_model::storage::ProxyUrl;
use tintype_ports::{originals::NoTurn, photos::Persistence};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

use super::{
    ProxySettings,
    rest::{Rest, State},
};

/// Proxies that are remembered. Beyond it those are forgotten that nobody asks and that do not rest.
const MANY: usize = 1_024;

/// All proxies that this process uses.
#[derive(Debug, Default)]
pub(super) struct Lanes(Mutex<HashMap<String, Arc<Lane>>>);

/// One proxy.
#[derive(Debug)]
pub(super) struct Lane {
    one: Arc<Semaphore>,
    waiting: AtomicUsize,
    rest: Mutex<Rest>,
}

/// The one place at a proxy; frees itself when dropped.
#[derive(Debug)]
pub(super) struct Place {
    lane: Arc<Lane>,
    _only: OwnedSemaphorePermit,
}

/// Somebody in the line; leaves it when dropped.
struct InLine<'a>(&'a AtomicUsize);

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is inside stays true whatever panicked while it was held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lanes {
    pub(super) fn of(&self, proxy: &ProxyUrl) -> Arc<Lane> {
        let mut lanes = lock(&self.0);
        let name = proxy.to_string();
        if lanes.len() >= MANY && !lanes.contains_key(&name) {
            let now = Instant::now();
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1 || lane.rests(now));
        }
        let lane = lanes.entry(name).or_insert_with(|| {
            Arc::new(Lane {
                one: Arc::new(Semaphore::new(1)),
                waiting: AtomicUsize::new(0),
                rest: Mutex::default(),
            })
        });
        Arc::clone(lane)
    }
}

impl Lane {
    fn state(&self, now: Instant) -> State {
        lock(&self.rest).state(now)
    }

    fn rests(&self, now: Instant) -> bool {
        self.state(now) == State::Resting
    }

    /// Waits for the place, unless the proxy rests or too many do so already.
    pub(super) async fn place(
        self: &Arc<Self>,
        settings: &ProxySettings,
        persistence: Persistence,
    ) -> Result<Place, NoTurn> {
        if persistence == Persistence::Once {
            return self.wait(settings, settings.test).await;
        }
        match self.state(Instant::now()) {
            State::Resting => Err(NoTurn::Resting),
            State::Open => {
                let place = self.wait(settings, settings.wait).await?;
                // Whoever was ahead may have found out that it does not work.
                match self.state(Instant::now()) {
                    State::Open => Ok(place),
                    State::OnTrial | State::Resting => Err(NoTurn::Resting),
                }
            }
            // Somebody else tries it.
            State::OnTrial => {
                let only = Arc::clone(&self.one).try_acquire_owned();
                let only = only.map_err(|_| NoTurn::Resting)?;
                Ok(self.taken(only))
            }
        }
    }

    async fn wait(
        self: &Arc<Self>,
        settings: &ProxySettings,
        within: Duration,
    ) -> Result<Place, NoTurn> {
        let ahead = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _in_line = InLine(&self.waiting);
        if ahead >= settings.waiting {
            return Err(NoTurn::Busy);
        }
        let only = timeout(within, Arc::clone(&self.one).acquire_owned()).await;
        match only {
            Ok(Ok(only)) => Ok(self.taken(only)),
            // The semaphore is never closed.
            Ok(Err(_)) | Err(_) => Err(NoTurn::Busy),
        }
    }

    fn taken(self: &Arc<Self>, only: OwnedSemaphorePermit) -> Place {
        Place {
            lane: Arc::clone(self),
            _only: only,
        }
    }
}

impl Place {
    pub(super) fn succeeded(&self) {
        lock(&self.lane.rest).succeeded();
    }

    /// Says for how long the proxy rests, if that begins now.
    pub(super) fn failed(&self, unit: f64, settings: &ProxySettings) -> Option<Duration> {
        lock(&self.lane.rest).failed(Instant::now(), unit, settings)
    }
}
