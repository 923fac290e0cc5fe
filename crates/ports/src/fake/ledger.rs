//! The durable side of the quota, for tests.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use tintype_model::quota::{CloudProject, QuotaDay, QuotaKind};

use crate::store::{QuotaLedger, QuotaRow, StoreError, StoreResult};

type Key = (CloudProject, QuotaKind, QuotaDay);

/// A quota ledger in memory, which can be made to fail.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    leased: Mutex<BTreeMap<Key, u64>>,
    fails: AtomicBool,
    leases: AtomicU64,
}

impl MemoryLedger {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on every call fails, or none does.
    pub fn set_failing(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    /// How often units were asked for.
    #[must_use]
    pub fn leases(&self) -> u64 {
        self.leases.load(Ordering::SeqCst)
    }

    async fn open(&self) -> StoreResult<MutexGuard<'_, BTreeMap<Key, u64>>> {
        // A database answers later, and lets others go first.
        tokio::task::yield_now().await;
        if self.fails.load(Ordering::SeqCst) {
            return Err(StoreError::Database("the ledger was told to fail".into()));
        }
        Ok(self.leased.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl QuotaLedger for MemoryLedger {
    async fn lease_units(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
        day: QuotaDay,
        want: u64,
        limit: u64,
    ) -> StoreResult<u64> {
        self.leases.fetch_add(1, Ordering::SeqCst);
        let mut open = self.open().await?;
        let leased = open.entry((project.clone(), kind, day)).or_default();
        let granted = want.min(limit.saturating_sub(*leased));
        *leased += granted;
        Ok(granted)
    }

    async fn return_units(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
        day: QuotaDay,
        units: u64,
    ) -> StoreResult<()> {
        let mut open = self.open().await?;
        let leased = open.entry((project.clone(), kind, day)).or_default();
        *leased = leased.saturating_sub(units);
        Ok(())
    }

    async fn exhaust_day(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
        day: QuotaDay,
        limit: u64,
    ) -> StoreResult<()> {
        let mut open = self.open().await?;
        let leased = open.entry((project.clone(), kind, day)).or_default();
        *leased = limit.max(*leased);
        Ok(())
    }

    async fn quota_rows(&self, day: QuotaDay) -> StoreResult<Vec<QuotaRow>> {
        let open = self.open().await?;
        let of_day = open.iter().filter(|((_, _, of), _)| *of == day);
        Ok(of_day
            .map(|((project, kind, _), leased)| QuotaRow {
                project: project.clone(),
                kind: *kind,
                leased: *leased,
                exhausted: false,
            })
            .collect())
    }

    async fn leased_units(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
        day: QuotaDay,
    ) -> StoreResult<u64> {
        let open = self.open().await?;
        Ok(open
            .get(&(project.clone(), kind, day))
            .copied()
            .unwrap_or(0))
    }
}
