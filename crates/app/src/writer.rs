//! One writer for each account: Google refuses a second write of a user while one is under way, so whoever writes to an account
//! holds its lease, which counts for all processes. Within a process writers queue up, and the lease stays for a moment after
//! the last of them: a run writes many times, and each would cost two ways to the database.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use tintype_model::{StorageId, WorkerId};
use tintype_ports::StoreError;
use tokio_util::sync::CancellationToken;

use crate::{App, AppResult, runs::describe};

/// Between two looks at a lease that somebody else holds.
const LOOK: Duration = Duration::from_millis(500);
/// How long a lease that nobody uses is kept.
const IDLE: Duration = Duration::from_millis(300);
/// After so long other processes get a chance, whatever there is to write.
const LONGEST: Duration = Duration::from_secs(15);

/// The lease of an account, as this process has it.
struct Held {
    me: WorkerId,
    since: Instant,
    /// Until then it is ours beyond doubt.
    sure_until: Instant,
    /// Grows with each use.
    uses: u64,
}

/// Where this process's writers of one account queue up.
#[derive(Default)]
struct Seat {
    held: tokio::sync::Mutex<Option<Held>>,
}

/// The accounts that this process writes to.
#[derive(Default)]
pub(crate) struct Writers {
    seats: Mutex<HashMap<StorageId, Weak<Seat>>>,
}

impl Writers {
    fn seat(&self, account: StorageId) -> Arc<Seat> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seat) = seats.get(&account).and_then(Weak::upgrade) {
            return seat;
        }
        seats.retain(|_, seat| seat.strong_count() > 0);
        let seat = Arc::new(Seat::default());
        seats.insert(account, Arc::downgrade(&seat));
        seat
    }

    fn taken(&self) -> Vec<(StorageId, Arc<Seat>)> {
        let seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = seats
            .iter()
            .filter_map(|(account, seat)| Some((*account, seat.upgrade()?)));
        taken.collect()
    }
}

fn lease_name(account: StorageId) -> String {
    format!("writer/{account}")
}

impl App {
    /// Does `work` as the account's only writer, after waiting for its turn; `None` when `stop` came first.
    ///
    /// # Errors
    /// Those of `work`, and [`StoreError::LeaseLost`] when this process was away for so long that somebody else may write: the
    /// work was dropped where it stood.
    pub async fn as_only_writer<T>(
        &self,
        account: StorageId,
        stop: &CancellationToken,
        work: impl Future<Output = AppResult<T>>,
    ) -> AppResult<Option<T>> {
        let seat = self.writers.seat(account);
        let mut held = tokio::select! {
            held = seat.held.lock() => held,
            () = stop.cancelled() => return Ok(None),
        };
        if held
            .as_ref()
            .is_some_and(|held| held.since.elapsed() >= LONGEST)
        {
            self.drop_writer_lease(account, &mut held).await;
            if self.pause_before_a_look(LOOK, stop).await.is_none() {
                return Ok(None);
            }
        }
        let now = Instant::now();
        if held.as_ref().is_none_or(|held| held.sure_until <= now) {
            *held = None;
            match self.take_writer_lease(account, stop).await? {
                Some(taken) => *held = Some(taken),
                None => return Ok(None),
            }
        }
        let Some(mine) = held.as_mut() else {
            return Ok(None);
        };
        mine.uses += 1;
        let uses = mine.uses;
        let end = tokio::select! {
            end = work => end.map(Some),
            () = self.until_lost(account, mine) => Err(StoreError::LeaseLost.into()),
        };
        if matches!(&end, Err(error) if matches!(error, crate::AppError::Store(StoreError::LeaseLost)))
        {
            // Ours or the shard's: in doubt it is asked for anew.
            self.drop_writer_lease(account, &mut held).await;
            return end;
        }
        drop(held);
        let app = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(IDLE).await;
            let mut held = seat.held.lock().await;
            if held.as_ref().is_some_and(|held| held.uses == uses) {
                app.drop_writer_lease(account, &mut held).await;
            }
        });
        end
    }

    /// Gives up the leases of all accounts that nobody writes to now.
    pub(crate) async fn stop_writing(&self) {
        for (account, seat) in self.writers.taken() {
            if let Ok(mut held) = seat.held.try_lock() {
                self.drop_writer_lease(account, &mut held).await;
            }
        }
    }

    async fn take_writer_lease(
        &self,
        account: StorageId,
        stop: &CancellationToken,
    ) -> AppResult<Option<Held>> {
        let (name, ttl) = (lease_name(account), self.settings.lease);
        let me = WorkerId::new(self.ports.clock.now(), self.ports.entropy.id_bytes());
        loop {
            let asked_at = Instant::now();
            if self.ports.store.take_lease(&name, me, ttl).await?.is_some() {
                return Ok(Some(Held {
                    me,
                    since: asked_at,
                    sure_until: asked_at + sure(ttl),
                    uses: 0,
                }));
            }
            if self.pause_before_a_look(LOOK, stop).await.is_none() {
                return Ok(None);
            }
        }
    }

    async fn pause_before_a_look(&self, pause: Duration, stop: &CancellationToken) -> Option<()> {
        let pause = pause.mul_f64(0.75 + 0.5 * self.ports.entropy.unit());
        tokio::select! {
            () = stop.cancelled() => None,
            () = tokio::time::sleep(pause) => Some(()),
        }
    }

    async fn drop_writer_lease(&self, account: StorageId, held: &mut Option<Held>) {
        let Some(mine) = held.take() else { return };
        let dropped = self
            .ports
            .store
            .drop_lease(&lease_name(account), mine.me)
            .await;
        if let Err(error) = dropped {
            tracing::warn!(error = %describe(&error), "an account's lease could not be given up; it ends by itself");
        }
    }

    /// Extends the lease for as long as it is ours beyond doubt.
    async fn until_lost(&self, account: StorageId, held: &mut Held) {
        let (name, ttl) = (lease_name(account), self.settings.lease);
        loop {
            // A lease from before may have little left.
            let left = held.sure_until.saturating_duration_since(Instant::now());
            tokio::time::sleep((ttl / 4).min(left / 2)).await;
            let asked_at = Instant::now();
            let asked = self.ports.store.take_lease(&name, held.me, ttl);
            match tokio::time::timeout_at(held.sure_until.into(), asked).await {
                Ok(Ok(Some(_))) => held.sure_until = asked_at + sure(ttl),
                Ok(Ok(None)) | Err(_) => return,
                Ok(Err(error)) => {
                    tracing::warn!(error = %describe(&error), "an account's lease could not be extended");
                }
            }
        }
    }
}

/// A little less than the lease lasts: a call that begins within it should still be covered.
fn sure(ttl: Duration) -> Duration {
    ttl.mul_f64(0.8)
}
