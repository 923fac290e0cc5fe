//! How units move: from ledger and pool into a purse, and back.

use std::sync::Arc;

use tintype_model::quota::QuotaDay;
use tintype_ports::{
    Clock,
    quota::QuotaError,
    store::{QuotaLedger, StoreError},
};

use super::{
    LinkError,
    pool::{Answer, Place, Pools, Taking},
};
use crate::{
    LimitsOf, block, measure,
    purse::{Counter, Key},
};

/// No more is leased for the pool at once than so many times what the purse takes.
const APPETITES_A_BLOCK: u64 = 4;

/// Where units come from.
pub(super) struct Till {
    pub(super) ledger: Arc<dyn QuotaLedger>,
    pub(super) limits: LimitsOf,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) pools: Pools,
}

impl Till {
    pub(super) fn limit(&self, (project, kind): &Key) -> u64 {
        (self.limits)(project).of(*kind)
    }

    /// Fetches at least `missing` units of `day` into the purse, as far as there are so many.
    pub(super) async fn fetch(
        &self,
        key: &Key,
        counter: &Counter,
        day: QuotaDay,
        missing: u64,
    ) -> Result<(), QuotaError> {
        measure::spent(&key.0, key.1, counter.take_spent());
        let (appetite, skips_pool) = {
            let mut purse = counter.purse(day);
            (purse.appetite(), purse.pool_is_empty)
        };
        let mut missing = missing;
        let mut pool = PoolState::NotAsked;
        if !skips_pool {
            pool = self
                .take(key, counter, day, missing, appetite, &mut missing)
                .await;
            if missing == 0 {
                return Ok(());
            }
        }
        if counter.purse(day).is_over {
            return Ok(());
        }
        let leased = self.lease(key, counter, day, missing, appetite, pool).await;
        match leased {
            Ok(granted) if granted >= missing => return Ok(()),
            Ok(granted) => missing -= granted,
            Err(error) if pool != PoolState::NotAsked => return Err(QuotaError::Ledger(error)),
            Err(_) => {}
        }
        // The ledger has no more, or is away. What others left in the pool meanwhile is the last hope.
        if pool == PoolState::NotAsked {
            self.take(key, counter, day, missing, appetite, &mut missing)
                .await;
        }
        if missing == 0 {
            return Ok(());
        }
        counter.purse(day).pool_is_empty = false;
        leased.map_err(QuotaError::Ledger)?;
        counter.refuse(day, self.clock.now());
        Ok(())
    }

    /// Takes from the pool into the purse, and lowers `missing` by as much.
    async fn take(
        &self,
        key: &Key,
        counter: &Counter,
        day: QuotaDay,
        least: u64,
        appetite: u64,
        missing: &mut u64,
    ) -> PoolState {
        let taking = Taking {
            least,
            most: appetite.max(least),
            share_of_day: block::most(self.limit(key)),
            floor: block::least(self.limit(key)),
            parts_of_rest: block::PARTS_OF_REST,
        };
        match self.change(key, counter, day, 0, None, taking).await {
            Ok(answer) => {
                counter.put(day, self.clock.now(), answer.taken);
                *missing = missing.saturating_sub(answer.taken);
                PoolState::Reached
            }
            Err(_) => PoolState::Away,
        }
    }

    /// Leases a block, part of it for the purse and the rest for the pool. Answers how many the purse got.
    async fn lease(
        &self,
        key: &Key,
        counter: &Counter,
        day: QuotaDay,
        missing: u64,
        appetite: u64,
        pool: PoolState,
    ) -> Result<u64, StoreError> {
        let (project, kind) = key;
        let limit = self.limit(key);
        let leased = self.ledger.leased_units(project, *kind, day).await?;
        let left = limit.saturating_sub(leased);
        let is_alone = pool == PoolState::Away || self.pools.link.is_resting();
        let want = if is_alone {
            block::lone(limit, left, missing)
        } else {
            // A process that needs little leaves little in the pool, which may be lost.
            block::pool(limit, left, missing).min(APPETITES_A_BLOCK * appetite.max(missing))
        };
        let granted = self
            .ledger
            .lease_units(project, *kind, day, want, limit)
            .await?;
        let not_leased = left.saturating_sub(granted);
        measure::left(project, *kind, not_leased, limit);
        tracing::debug!(quota.project = %project, quota.kind = kind.as_str(), quota.units = granted, "leased quota");
        let share = if is_alone {
            granted
        } else {
            let share = appetite.min(block::share(limit, left, missing));
            share.max(missing).min(granted)
        };
        counter.put(day, self.clock.now(), share);
        let rest = granted - share;
        if rest > 0 {
            let put = self
                .change(key, counter, day, rest, Some(not_leased), Taking::NOTHING)
                .await;
            if put.is_err_and(|error| error.is_unsent()) {
                counter.put(day, self.clock.now(), rest);
            }
        }
        Ok(share)
    }

    /// Changes the pool, and remembers what it said of itself.
    async fn change(
        &self,
        key: &Key,
        counter: &Counter,
        day: QuotaDay,
        put: u64,
        not_leased: Option<u64>,
        taking: Taking,
    ) -> Result<Answer, LinkError> {
        let place = self.place(key, counter, day);
        let answer = self.pools.change(&place, put, not_leased, taking).await;
        match &answer {
            Ok(answer) => {
                if let Some(mut purse) = counter.purse_if(day) {
                    purse.pool_seen = purse.pool_seen.max(answer.number);
                    purse.pool_is_empty = answer.left == 0;
                    if answer.is_over {
                        purse.end();
                    }
                }
            }
            Err(error) => note_failure(error),
        }
        answer
    }

    fn place(&self, (project, kind): &Key, counter: &Counter, day: QuotaDay) -> Place {
        Place {
            project: project.clone(),
            kind: *kind,
            day,
            seen: counter.purse_if(day).map_or(0, |purse| purse.pool_seen),
        }
    }

    /// Tells the other processes that Google called the day over. If that fails, [`Self::tend`] tries again.
    pub(super) async fn tell(&self, key: &Key, counter: &Counter, day: QuotaDay) {
        match self.pools.end(&self.place(key, counter, day)).await {
            Ok(number) => {
                if let Some(mut purse) = counter.purse_if(day) {
                    purse.pool_seen = purse.pool_seen.max(number);
                    purse.must_tell = false;
                }
            }
            Err(error) => note_failure(&error),
        }
    }

    /// Gives idle units of one purse to the others.
    pub(super) async fn tend(&self, key: &Key, counter: &Counter) {
        measure::spent(&key.0, key.1, counter.take_spent());
        let day = QuotaDay::at(self.clock.now());
        let (idle, must_tell) = {
            let mut purse = counter.purse(day);
            (purse.take_idle(), purse.must_tell)
        };
        if must_tell {
            self.tell(key, counter, day).await;
        }
        if idle == 0 {
            return;
        }
        let put = self
            .change(key, counter, day, idle, None, Taking::NOTHING)
            .await;
        let is_away = put.is_err_and(|error| error.is_unsent());
        if is_away && let Err(error) = self.give_to_ledger(key, day, idle).await {
            tracing::warn!(%error, quota.units = idle, "idle quota could not be given back");
        }
    }

    /// Gives purse and pool back to the ledger. Units are taken before they are returned: if an answer is lost, they are
    /// lost too, never spent twice.
    pub(super) async fn give_back(&self, key: &Key, counter: &Counter) -> Result<(), StoreError> {
        measure::spent(&key.0, key.1, counter.take_spent());
        let day = QuotaDay::at(self.clock.now());
        let (mut units, is_over) = {
            let mut purse = counter.purse(day);
            (std::mem::take(&mut purse.units), purse.is_over)
        };
        if is_over {
            return Ok(());
        }
        let drained = self
            .change(key, counter, day, 0, None, Taking::EVERYTHING)
            .await;
        if let Ok(answer) = drained {
            units += answer.taken;
        }
        if units == 0 {
            return Ok(());
        }
        self.give_to_ledger(key, day, units).await
    }

    async fn give_to_ledger(
        &self,
        (project, kind): &Key,
        day: QuotaDay,
        units: u64,
    ) -> Result<(), StoreError> {
        self.ledger.return_units(project, *kind, day, units).await
    }
}

/// What is known of the pool while units are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PoolState {
    NotAsked,
    Reached,
    Away,
}

fn note_failure(error: &LinkError) {
    if !matches!(error, LinkError::Resting) {
        tracing::warn!(
            error = error as &dyn std::error::Error,
            "redis is out of reach; quota is leased from the ledger in small blocks meanwhile"
        );
    }
}
