//! Which processes are at work, and which of them holds what only one may hold.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tintype_model::WorkerId;

use super::StoreResult;

/// A named lease and its holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldLease {
    /// What it is for.
    pub name: String,
    /// Who holds it.
    pub holder: WorkerId,
    /// Grows each time that the holder changes.
    pub epoch: i64,
    /// When it ends unless renewed, by the database's clock.
    pub expires_at: DateTime<Utc>,
}

/// Named leases: at most one live holder each. One of them makes a scheduler the leading one; one an account keeps it to a
/// single writer.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Takes the lease, or extends it when it is the holder's already; `None` while somebody else holds it.
    async fn take_lease(
        &self,
        name: &str,
        holder: WorkerId,
        ttl: Duration,
    ) -> StoreResult<Option<HeldLease>>;
    /// Ends it at once, if it is the holder's. The next holder gets a later epoch all the same.
    async fn drop_lease(&self, name: &str, holder: WorkerId) -> StoreResult<()>;
    /// The live lease of that name.
    async fn held_lease(&self, name: &str) -> StoreResult<Option<HeldLease>>;
}

/// A worker that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerReport {
    /// Its id, new with each start.
    pub id: WorkerId,
    /// Where it runs, for people: host and process.
    pub name: String,
    /// Shards it works on at the same time.
    pub slots: u32,
}

/// The workers that are there.
#[async_trait]
pub trait Fleet: Send + Sync {
    /// The worker is there, and counts for `ttl` unless it reports again.
    async fn report_worker(&self, worker: &WorkerReport, ttl: Duration) -> StoreResult<()>;
    /// It is gone.
    async fn remove_worker(&self, worker: WorkerId) -> StoreResult<()>;
    /// All that are there, by name.
    async fn workers(&self) -> StoreResult<Vec<WorkerReport>>;
}
