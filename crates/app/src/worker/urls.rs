//! Base URLs between listing and download: held for a while in memory, bounded, never stored.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tintype_model::{StorageId, item::ProviderId};
use tintype_ports::photos::BaseUrl;

/// A URL is given up this much before the shortest life that was seen.
const CAUTION: f64 = 0.8;
/// However early URLs die, they are tried for at least this long: below it, every URL would be asked for twice.
const SHORTEST: TimeDelta = TimeDelta::seconds(5);

type Key = (StorageId, ProviderId);

#[derive(Debug, Clone)]
pub(crate) struct HeldUrl {
    pub(crate) url: BaseUrl,
    pub(crate) since: DateTime<Utc>,
}

struct State {
    held: HashMap<Key, HeldUrl>,
    order: VecDeque<Key>,
    lifetime: TimeDelta,
}

/// The URLs of all accounts this process works on.
pub(crate) struct UrlCache {
    state: Mutex<State>,
    capacity: usize,
}

impl UrlCache {
    pub(crate) fn new(capacity: usize, lifetime: Duration) -> Self {
        let lifetime = TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::MAX);
        let state = State {
            held: HashMap::new(),
            order: VecDeque::new(),
            lifetime,
        };
        Self {
            state: Mutex::new(state),
            capacity,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A cache: whatever a panic left half done costs one more request at worst.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a URL that Google just gave; forgets the oldest when there are too many.
    pub(crate) fn put(
        &self,
        storage: StorageId,
        item: ProviderId,
        url: BaseUrl,
        now: DateTime<Utc>,
    ) {
        let mut state = self.lock();
        let key = (storage, item);
        if state
            .held
            .insert(key.clone(), HeldUrl { url, since: now })
            .is_none()
        {
            state.order.push_back(key);
        }
        while state.held.len() > self.capacity {
            let Some(oldest) = state.order.pop_front() else {
                break;
            };
            state.held.remove(&oldest);
        }
        // Taken URLs leave their key in the order; it must not grow without bound.
        if state.order.len() > 2 * self.capacity {
            let State { held, order, .. } = &mut *state;
            order.retain(|key| held.contains_key(key));
        }
    }

    /// Takes the item's URL, if it is still young enough to work.
    pub(crate) fn take(
        &self,
        storage: StorageId,
        item: &ProviderId,
        now: DateTime<Utc>,
    ) -> Option<HeldUrl> {
        let mut state = self.lock();
        let held = state.held.remove(&(storage, item.clone()))?;
        (now - held.since < state.lifetime).then_some(held)
    }

    /// Whether a URL of that age is still worth a try.
    pub(crate) fn is_fresh(&self, held: &HeldUrl, now: DateTime<Utc>) -> bool {
        now - held.since < self.lock().lifetime
    }

    /// Learns that a URL died at this age, so that others are renewed before they do.
    pub(crate) fn died(&self, held: &HeldUrl, now: DateTime<Utc>) {
        let age = (now - held.since).as_seconds_f64() * CAUTION;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "milliseconds of an age of at most hours"
        )]
        let learned = TimeDelta::milliseconds((age * 1_000.0) as i64).max(SHORTEST);
        let mut state = self.lock();
        state.lifetime = state.lifetime.min(learned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> ProviderId {
        format!("item{number}").parse().expect("an id")
    }

    fn storage() -> StorageId {
        StorageId::new(DateTime::UNIX_EPOCH, [1; 10])
    }

    fn url() -> BaseUrl {
        BaseUrl::new("https://example.test/x".into())
    }

    #[test]
    fn holds_no_more_than_it_may_and_gives_each_url_once() {
        let cache = UrlCache::new(10, Duration::from_secs(60));
        for number in 0..1_000 {
            cache.put(storage(), id(number), url(), DateTime::UNIX_EPOCH);
            cache.take(storage(), &id(number / 2), DateTime::UNIX_EPOCH);
        }
        assert!(cache.lock().held.len() <= 10 && cache.lock().order.len() <= 20);
        assert!(
            cache
                .take(storage(), &id(999), DateTime::UNIX_EPOCH)
                .is_some()
        );
        assert!(
            cache
                .take(storage(), &id(999), DateTime::UNIX_EPOCH)
                .is_none()
        );
    }

    #[test]
    fn a_death_shortens_the_trust_in_all() {
        let cache = UrlCache::new(10, Duration::from_secs(3_600));
        let held = HeldUrl {
            url: url(),
            since: DateTime::UNIX_EPOCH,
        };
        cache.died(&held, DateTime::UNIX_EPOCH + TimeDelta::seconds(20));
        assert!(cache.is_fresh(&held, DateTime::UNIX_EPOCH + TimeDelta::seconds(15)));
        assert!(!cache.is_fresh(&held, DateTime::UNIX_EPOCH + TimeDelta::seconds(17)));
    }
}
