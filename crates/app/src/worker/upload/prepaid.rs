//! Calls that are paid for ahead. Bytes are sent only when the call that makes an item of them is paid for: otherwise a day whose
//! quota ends in the middle would leave bytes behind that nobody makes an item of before Google forgets them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tintype_model::quota::{QuotaDay, QuotaKind};
use tintype_ports::{
    Clock, PhotoError, VaultError,
    photos::{Attempt, CallGate},
    quota::QuotaError,
    vault::AccessToken,
};

use super::super::gate::Gate;

/// Calls that are paid for, of the day that they were paid on: another day has its own count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Credit {
    day: QuotaDay,
    /// For batches that are still to be closed.
    open: u64,
    /// For batches that are closed.
    closed: u64,
}

impl Credit {
    /// What of it still counts.
    fn at(self, now: DateTime<Utc>) -> Self {
        let (opens, closes) = self.day.admits();
        if opens <= now && now < closes {
            self
        } else {
            Self {
                day: QuotaDay::at(now),
                open: 0,
                closed: 0,
            }
        }
    }
}

/// A gate that lets calls pass which were paid for before.
pub(super) struct Prepaid {
    clock: Arc<dyn Clock>,
    gate: Arc<Gate>,
    credit: Mutex<Credit>,
}

impl Prepaid {
    pub(super) fn new(clock: Arc<dyn Clock>, gate: Arc<Gate>) -> Self {
        let day = QuotaDay::at(clock.now());
        Self {
            clock,
            gate,
            credit: Mutex::new(Credit {
                day,
                open: 0,
                closed: 0,
            }),
        }
    }

    /// Pays until there are as many calls as the batches take that are still to be closed.
    pub(super) async fn pay_for(&self, wanted: u64) -> Result<(), PhotoError> {
        while self.today().open < wanted {
            match self.gate.admit(QuotaKind::Request).await {
                Ok(()) => self.today().open += 1,
                Err(QuotaError::Exhausted { resumes_at, .. }) => {
                    return Err(PhotoError::QuotaExhausted { resumes_at });
                }
                Err(error @ QuotaError::Ledger(_)) => return Err(PhotoError::Quota(error)),
            }
        }
        Ok(())
    }

    /// A batch is closed: what was paid for it is no other one's.
    pub(super) fn close(&self) {
        let mut credit = self.today();
        if let Some(left) = credit.open.checked_sub(1) {
            credit.open = left;
            credit.closed += 1;
        }
    }

    /// `batches` that are closed are left: what others did not need is there for those to come.
    pub(super) fn left(&self, batches: u64) {
        let mut credit = self.today();
        let spare = credit.closed.saturating_sub(batches);
        credit.closed -= spare;
        credit.open += spare;
    }

    fn take(&self) -> bool {
        let mut credit = self.today();
        let left = credit.closed.checked_sub(1);
        credit.closed = left.unwrap_or(0);
        left.is_some()
    }

    fn today(&self) -> MutexGuard<'_, Credit> {
        // A panic leaves whole numbers behind.
        let mut credit = self.credit.lock().unwrap_or_else(PoisonError::into_inner);
        *credit = credit.at(self.clock.now());
        credit
    }
}

#[async_trait]
impl CallGate for Prepaid {
    async fn admit(&self, kind: QuotaKind) -> Result<(), QuotaError> {
        if kind == QuotaKind::Request && self.take() {
            return Ok(());
        }
        self.gate.admit(kind).await
    }

    async fn exhausted(&self, kind: QuotaKind) -> Result<DateTime<Utc>, QuotaError> {
        self.gate.exhausted(kind).await
    }

    async fn access_token(
        &self,
        rejected: Option<&AccessToken>,
    ) -> Result<AccessToken, VaultError> {
        self.gate.access_token(rejected).await
    }

    fn observe(&self, attempt: Attempt) {
        self.gate.observe(attempt);
    }
}

/// Items that are under way or sent and not made.
#[derive(Default)]
pub(super) struct Unmade {
    /// Those that are in no closed batch, by the album that they go into.
    gathering: HashMap<Option<String>, usize>,
    all: usize,
}

impl Unmade {
    pub(super) const fn len(&self) -> usize {
        self.all
    }

    pub(super) fn add(&mut self, album: Option<&str>) {
        *self.gathering.entry(album.map(str::to_owned)).or_default() += 1;
        self.all += 1;
    }

    /// So many items of the album are in a closed batch now.
    pub(super) fn close(&mut self, album: Option<&str>, items: usize) {
        let album = album.map(str::to_owned);
        if let Some(count) = self.gathering.get_mut(&album) {
            *count = count.saturating_sub(items);
            if *count == 0 {
                self.gathering.remove(&album);
            }
        }
    }

    /// So many items of closed batches are made, or will not be.
    pub(super) const fn end(&mut self, items: usize) {
        self.all = self.all.saturating_sub(items);
    }

    /// Calls that make those which gather, at `size` a call.
    pub(super) fn calls(&self, size: usize) -> u64 {
        let calls = self.gathering.values().map(|count| count.div_ceil(size));
        calls.sum::<usize>() as u64
    }

    /// Calls that make those which gather, if `items` of the album are a batch of their own.
    pub(super) fn calls_apart(&self, size: usize, album: &Option<String>, items: usize) -> u64 {
        let together = self.gathering.get(album).copied().unwrap_or_default();
        let rest = together.saturating_sub(items);
        self.calls(size) + 1 + (rest.div_ceil(size) as u64) - (together.div_ceil(size) as u64)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, TimeZone as _};

    use super::*;

    #[test]
    fn what_was_paid_yesterday_does_not_count_today() {
        let noon = Utc.with_ymd_and_hms(2026, 6, 1, 19, 0, 0).unwrap();
        let day = QuotaDay::at(noon);
        let credit = Credit {
            day,
            open: 3,
            closed: 2,
        };
        assert_eq!(credit.at(noon), credit);
        for late in [
            day.ends_at() - TimeDelta::seconds(1),
            day.ends_at() + TimeDelta::hours(1),
        ] {
            let left = credit.at(late);
            assert_eq!((left.open, left.closed), (0, 0));
        }
    }

    #[test]
    fn each_album_takes_calls_of_its_own_and_a_closed_batch_none() {
        let mut unmade = Unmade::default();
        for _ in 0..51 {
            unmade.add(Some("a"));
        }
        unmade.add(None);
        assert_eq!((unmade.len(), unmade.calls(50)), (52, 3));
        let album = Some("a".to_owned());
        let apart = |album, items| unmade.calls_apart(50, album, items);
        assert_eq!((apart(&album, 50), apart(&album, 1)), (3, 3));
        assert_eq!((apart(&album, 2), apart(&None, 1)), (3, 3));
        unmade.add(None);
        assert_eq!(unmade.calls_apart(50, &None, 1), 4);
        unmade.close(None, 1);
        unmade.end(1);
        unmade.close(Some("a"), 50);
        assert_eq!((unmade.len(), unmade.calls(50)), (52, 2));
        unmade.end(50);
        unmade.close(None, 1);
        assert_eq!((unmade.len(), unmade.calls(50)), (2, 1));
    }
}
