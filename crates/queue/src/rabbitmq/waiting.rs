//! Where the free slots of a process wait for work, one behind the other. The first one is subscribed to all queues. With a message
//! it goes, and leaves the other subscriptions to the next one: so a message costs the broker one new subscription, not one for
//! each queue and each slot that waits.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Mutex, MutexGuard};

use super::subscription::Subscription;

/// The slots that wait.
#[derive(Default)]
pub(super) struct Waiting {
    slots: AtomicUsize,
    /// Held by the first one.
    first: Mutex<Option<Subscription>>,
}

/// What the first one does not need any more is the next one's.
pub(super) type First<'a> = MutexGuard<'a, Option<Subscription>>;

/// A place in the line, which is given up however its holder ends.
pub(super) struct Place<'a>(&'a Waiting);

impl Waiting {
    /// Gets in line.
    pub(super) fn join(&self) -> Place<'_> {
        self.slots.fetch_add(1, Ordering::SeqCst);
        Place(self)
    }

    fn is_empty(&self) -> bool {
        self.slots.load(Ordering::SeqCst) == 0
    }
}

impl<'a> Place<'a> {
    /// Waits to be the first one.
    pub(super) async fn first(&self) -> First<'a> {
        self.0.first.lock().await
    }

    /// Leaves the line, as the first one or before. Subscriptions that nobody would look at are ended: a message that came through
    /// them would wait for nothing.
    pub(super) async fn leave(self, first: Option<First<'a>>) {
        let waiting = self.0;
        drop(self);
        if !waiting.is_empty() {
            return;
        }
        let mut first = match first {
            Some(first) => first,
            None => waiting.first.lock().await,
        };
        // Somebody may have come meanwhile, who is glad to have it.
        if waiting.is_empty()
            && let Some(subscription) = first.take()
        {
            subscription.abandon().await;
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.slots.fetch_sub(1, Ordering::SeqCst);
    }
}
