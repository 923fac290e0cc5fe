//! The account's token as the vault knows it, and what its tenant is told of it.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use tintype_model::{
    StorageId,
    credential::health::{Signs, Warned},
};
use tintype_ports::{
    Clock as _,
    events::{Event, EventId, Seen},
};

use super::{PATIENCE, World};

const LOOK: Duration = Duration::from_millis(20);

impl World {
    pub(crate) fn storage(&self) -> StorageId {
        self.first.storage
    }

    /// Our time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Whether the event bus is away.
    pub(crate) fn break_bus(&self, is_away: bool) {
        self.defect.bus_is_away.store(is_away, Ordering::Relaxed);
    }

    pub(crate) async fn signs(&self) -> Signs {
        let vault = &self.process.app.ports().vault;
        let info = vault.describe(self.first.tenant, self.first.storage).await;
        let info = info.expect("the vault answers").expect("a credential");
        info.signs().expect("a refresh token")
    }

    pub(crate) async fn until_signs(&self, what: &str, is_so: impl Fn(&Signs) -> bool) -> Signs {
        let begun = Instant::now();
        loop {
            let signs = self.signs().await;
            if is_so(&signs) {
                return signs;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "waited too long for {what}: {signs:?}"
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What was recorded as told.
    pub(crate) async fn warned(&self) -> Option<Warned> {
        let store = &self.process.app.ports().store;
        let all = store.watched_storages(None, 100).await.expect("read");
        let account = all.into_iter().find(|it| it.storage.id == self.storage());
        account.expect("the account").warned
    }

    /// Waits until all accounts were looked at so many times more.
    pub(crate) async fn rounds(&self, count: u64) {
        self.until_looks(self.looks() + count).await;
    }

    /// How often all accounts were looked at.
    pub(crate) fn looks(&self) -> u64 {
        self.defect.looks.load(Ordering::Relaxed)
    }

    pub(crate) async fn until_looks(&self, wanted: u64) {
        let begun = Instant::now();
        while self.looks() < wanted {
            assert!(begun.elapsed() < PATIENCE, "nobody looks after accounts");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// All warnings that the process has published.
    pub(crate) async fn warnings(&self) -> Vec<Event> {
        let events = &self.process.app.ports().events;
        let watched = events.watch(self.first.tenant, Some(EventId(0))).await;
        let mut watched = watched.expect("events");
        let mut warnings = Vec::new();
        while let Ok(Some(seen)) = tokio::time::timeout(LOOK * 5, watched.next()).await {
            if let Seen::Event(published) = seen
                && matches!(published.event, Event::AccountExpiring { .. })
            {
                warnings.push(published.event);
            }
        }
        warnings
    }
}
