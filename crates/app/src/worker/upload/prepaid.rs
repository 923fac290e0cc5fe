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
    calls: u64,
}

impl Credit {
    /// What of it still counts.
    fn at(self, now: DateTime<Utc>) -> u64 {
        let (opens, closes) = self.day.admits();
        if opens <= now && now < closes {
            self.calls
        } else {
            0
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
            credit: Mutex::new(Credit { day, calls: 0 }),
        }
    }

    /// Pays for calls until there are as many as are wanted.
    pub(super) async fn pay_for(&self, wanted: u64) -> Result<(), PhotoError> {
        while self.lock().at(self.clock.now()) < wanted {
            match self.gate.admit(QuotaKind::Request).await {
                Ok(()) => self.paid(),
                Err(QuotaError::Exhausted { resumes_at, .. }) => {
                    return Err(PhotoError::QuotaExhausted { resumes_at });
                }
                Err(error @ QuotaError::Ledger(_)) => return Err(PhotoError::Quota(error)),
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Credit> {
        // Every change is one assignment.
        self.credit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more, of today.
    fn paid(&self) {
        let now = self.clock.now();
        let mut credit = self.lock();
        *credit = Credit {
            day: QuotaDay::at(now),
            calls: credit.at(now) + 1,
        };
    }

    /// Takes one of today's, if there is any.
    fn take(&self) -> bool {
        let now = self.clock.now();
        let mut credit = self.lock();
        let Some(left) = credit.at(now).checked_sub(1) else {
            return false;
        };
        credit.calls = left;
        true
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

/// Items that are under way or sent, by the album that they go into: how many calls they will take.
#[derive(Default)]
pub(super) struct Unmade {
    by_album: HashMap<Option<String>, usize>,
    all: usize,
}

impl Unmade {
    pub(super) const fn len(&self) -> usize {
        self.all
    }

    pub(super) fn add(&mut self, album: Option<&str>) {
        *self.by_album.entry(album.map(str::to_owned)).or_default() += 1;
        self.all += 1;
    }

    pub(super) fn remove(&mut self, album: Option<&str>, items: usize) {
        let album = album.map(str::to_owned);
        if let Some(count) = self.by_album.get_mut(&album) {
            let items = items.min(*count);
            *count -= items;
            self.all -= items;
            if *count == 0 {
                self.by_album.remove(&album);
            }
        }
    }

    /// Calls that make them, at `size` a call.
    pub(super) fn calls(&self, size: usize) -> u64 {
        let calls = self.by_album.values().map(|count| count.div_ceil(size));
        calls.sum::<usize>() as u64
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
        let credit = Credit { day, calls: 3 };
        assert_eq!(credit.at(noon), 3);
        assert_eq!(credit.at(day.ends_at() - TimeDelta::seconds(1)), 0);
        assert_eq!(credit.at(day.ends_at() + TimeDelta::hours(1)), 0);
    }

    #[test]
    fn each_album_takes_calls_of_its_own() {
        let mut unmade = Unmade::default();
        for _ in 0..51 {
            unmade.add(Some("a"));
        }
        unmade.add(None);
        assert_eq!((unmade.len(), unmade.calls(50)), (52, 3));
        unmade.remove(Some("a"), 50);
        assert_eq!((unmade.len(), unmade.calls(50)), (2, 2));
        unmade.remove(Some("a"), 7);
        unmade.remove(None, 1);
        assert_eq!((unmade.len(), unmade.calls(50)), (0, 0));
    }
}
