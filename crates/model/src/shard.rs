//! A shard: a bounded slice of a run's work, leased to one worker at a time.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{PlanId, RunId, ShardId, TenantId, WorkerId};

/// Which slice of the run a shard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShardKind {
    /// The listing: finds what is new and cuts transfer shards.
    Enumerate,
    /// Some hundred items to copy.
    Transfer,
    /// Stored items whose originals are looked for at the account's proxy.
    Originals,
    /// The manifest, once everything else is done.
    Finalize,
}

impl ShardKind {
    /// The name a log and a table use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enumerate => "enumerate",
            Self::Transfer => "transfer",
            Self::Originals => "originals",
            Self::Finalize => "finalize",
        }
    }
}

/// Where a shard stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShardState {
    /// Waits in the backlog.
    Ready,
    /// Its message is in the queue, or on its way there.
    Dispatched,
    /// A worker holds its lease.
    Leased,
    /// Failed too often without getting on; rests until a person has looked.
    SetAside,
    /// Finished.
    Done,
}

/// A slice of a run's work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Its id.
    pub id: ShardId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The run it belongs to.
    pub run: RunId,
    /// The plan of that run.
    pub plan: PlanId,
    /// Which slice.
    pub kind: ShardKind,
    /// How many items it holds; 1 for the listing and the manifest.
    pub items: u32,
}

/// The right to work on a shard, until it expires or a later epoch is granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// What it is for.
    pub shard: Shard,
    /// Who holds it.
    pub worker: WorkerId,
    /// Grows with every grant; every write of the holder is fenced with it.
    pub epoch: i64,
    /// How often this shard was leased, this time included.
    pub attempt: u32,
    /// How often in a row its work failed, or its worker vanished, without any of it getting done.
    pub failures: u32,
    /// When it ends unless renewed, by the database's clock.
    pub expires_at: DateTime<Utc>,
}
