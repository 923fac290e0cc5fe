//! The pool of leased units that all workers share: one hash a project and kind, changed by scripts only.

use std::time::Duration;

use redis::{
    Client, RedisError, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tintype_model::quota::{CloudProject, QuotaDay, QuotaKind};

/// A pool outlives its day, so that a clock that is set back still finds it.
const SECONDS_TO_LIVE: u64 = 3 * 24 * 3_600;

/// How long Redis may take to answer; beyond it the ledger is asked directly.
const ANSWER: Duration = Duration::from_millis(500);

/// The longest pause between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A connection that mends itself. The first one is made when it is needed, so that a service starts while Redis is away.
pub(crate) fn connect(url: &str) -> Result<ConnectionManager, RedisError> {
    let settings = ConnectionManagerConfig::new()
        .set_response_timeout(Some(ANSWER))
        .set_connection_timeout(Some(ANSWER))
        .set_number_of_retries(1)
        .set_max_delay(LONGEST_PAUSE);
    ConnectionManager::new_lazy_with_config(Client::open(url)?, settings)
}

/// What a pool gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Units that this process may spend.
    Units(u64),
    /// Too few are there.
    TooFew,
    /// The pool is missing, of another day, or of an earlier life of the server: nothing of it counts.
    Void,
    /// The provider said that the day is over.
    Over,
}

/// All pools.
pub(super) struct Pools {
    connection: ConnectionManager,
    prefix: String,
    take: Script,
    put: Script,
    over: Script,
}

impl Pools {
    pub(super) fn new(url: &str, prefix: &str) -> Result<Self, RedisError> {
        Ok(Self {
            connection: connect(url)?,
            prefix: prefix.to_owned(),
            take: Script::new(include_str!("lua/take.lua")),
            put: Script::new(include_str!("lua/put.lua")),
            over: Script::new(include_str!("lua/over.lua")),
        })
    }

    fn key(&self, project: &CloudProject, kind: QuotaKind) -> String {
        format!("{}quota:{project}:{}", self.prefix, kind.as_str())
    }

    /// Takes at least `needed` units, and `most` at most.
    pub(super) async fn take(
        &self,
        (project, kind, day): (&CloudProject, QuotaKind, QuotaDay),
        needed: u64,
        most: u64,
    ) -> Result<Taken, RedisError> {
        metrics::counter!("tintype_quota_round_trips_total").increment(1);
        let (granted, _): (i64, i64) = self
            .take
            .key(self.key(project, kind))
            .arg(day.date().to_string())
            .arg(needed)
            .arg(most.max(needed))
            .invoke_async(&mut self.connection.clone())
            .await?;
        Ok(match granted {
            -1 => Taken::Void,
            -2 => Taken::Over,
            0 => Taken::TooFew,
            units => u64::try_from(units).map_or(Taken::Void, Taken::Units),
        })
    }

    /// Puts units in; `false` when the pool did not take them. Never repeated: an answer that got lost costs the units.
    pub(super) async fn put(
        &self,
        (project, kind, day): (&CloudProject, QuotaKind, QuotaDay),
        units: u64,
        plenty: Option<bool>,
    ) -> Result<bool, RedisError> {
        metrics::counter!("tintype_quota_round_trips_total").increment(1);
        let plenty = plenty.map_or("", |plenty| if plenty { "1" } else { "0" });
        let held: i64 = self
            .put
            .key(self.key(project, kind))
            .arg(day.date().to_string())
            .arg(units)
            .arg(plenty)
            .arg(SECONDS_TO_LIVE)
            .invoke_async(&mut self.connection.clone())
            .await?;
        Ok(held >= 0)
    }

    /// Nothing more is taken from the pool that day.
    pub(super) async fn end_day(
        &self,
        (project, kind, day): (&CloudProject, QuotaKind, QuotaDay),
    ) -> Result<(), RedisError> {
        metrics::counter!("tintype_quota_round_trips_total").increment(1);
        let _: i64 = self
            .over
            .key(self.key(project, kind))
            .arg(day.date().to_string())
            .arg(SECONDS_TO_LIVE)
            .invoke_async(&mut self.connection.clone())
            .await?;
        Ok(())
    }
}
