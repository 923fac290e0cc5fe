//! One watcher of one tenant.

use std::sync::{Arc, Mutex, Weak};

use tintype_model::TenantId;
use tintype_ports::events::{EventId, Seen};
use tokio::sync::watch;

use super::{
    bus::{Bus, lock},
    ring::{Place, Ring},
    subscriber::Subscriber,
};

pub(super) struct Watcher {
    ring: Arc<Mutex<Ring>>,
    // Before `_leave`, so that it is gone when that counts who is left.
    news: watch::Receiver<()>,
    place: Place,
    _leave: Leave,
}

impl Watcher {
    pub(super) fn new(ring: Arc<Mutex<Ring>>, news: watch::Receiver<()>, leave: Leave) -> Self {
        Self {
            ring,
            news,
            place: Place::default(),
            _leave: leave,
        }
    }

    /// Takes its place, once the ring is read.
    pub(super) fn begin(&mut self, after: Option<EventId>) {
        self.place = lock(&self.ring).place(after);
    }

    /// What it sees next; nothing any more when the bus is gone.
    pub(super) async fn next(mut self) -> Option<(Seen, Self)> {
        loop {
            // Marked before looking, so that what comes later wakes the wait below.
            self.news.mark_unchanged();
            let seen = lock(&self.ring).look(&mut self.place);
            if let Some(seen) = seen {
                return Some((seen, self));
            }
            self.news.changed().await.ok()?;
        }
    }
}

/// Lets the last watcher of a tenant stop listening for it, when it is dropped.
pub(super) struct Leave {
    bus: Weak<Bus>,
    subscriber: Weak<Subscriber>,
    tenant: TenantId,
}

impl Leave {
    pub(super) fn new(bus: &Arc<Bus>, subscriber: &Arc<Subscriber>, tenant: TenantId) -> Self {
        Self {
            bus: Arc::downgrade(bus),
            subscriber: Arc::downgrade(subscriber),
            tenant,
        }
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        let (Some(bus), Some(subscriber)) = (self.bus.upgrade(), self.subscriber.upgrade()) else {
            return;
        };
        if bus.forget_unwatched(self.tenant) {
            subscriber.review(bus.topic(self.tenant));
        }
    }
}
