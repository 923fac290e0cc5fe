//! The event bus: progress and state changes, for whoever watches. Losing it loses nothing but sight.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use tintype_model::{
    RunId, StorageId, TenantId, credential::health::DeathCause, progress::Progress, run::RunStatus,
};

/// Position of an event in its tenant's stream; grows by at least one with each event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub u64);

/// Something worth watching.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A run's state changed.
    RunChanged {
        /// The run.
        run: RunId,
        /// Where it stands now.
        status: RunStatus,
    },
    /// A run went on. At most four a second and run.
    RunProgressed {
        /// The run.
        run: RunId,
        /// Its counts so far.
        progress: Progress,
    },
    /// The token of an account will die soon. May come more than once: storage, death and hours say which warning it is.
    AccountExpiring {
        /// The account.
        storage: StorageId,
        /// When it dies.
        dies_at: DateTime<Utc>,
        /// How that is known.
        why: DeathCause,
        /// Which warning it is: 72, 24 or 2 hours before.
        hours_before: u32,
    },
}

/// An event with its place in the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Its place.
    pub id: EventId,
    /// What happened.
    pub event: Event,
}

/// What a watcher receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The next event.
    Event(Published),
    /// Events before this one are no longer held: the watcher should read the present state once.
    Gap,
}

/// The bus is not reachable.
#[derive(Debug, thiserror::Error)]
#[error("the event bus is unavailable")]
pub struct EventsError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Publishes and replays, separately for each tenant.
#[async_trait]
pub trait Events: Send + Sync {
    /// Publishes one event of a tenant.
    async fn publish(&self, tenant: TenantId, event: Event) -> Result<EventId, EventsError>;

    /// The tenant's events after `after`, or from now on; then live. Never another tenant's. A watcher that is too slow,
    /// or asks for what is no longer held, gets [`Seen::Gap`] once and goes on from the oldest held event.
    async fn watch(
        &self,
        tenant: TenantId,
        after: Option<EventId>,
    ) -> Result<BoxStream<'static, Seen>, EventsError>;
}
