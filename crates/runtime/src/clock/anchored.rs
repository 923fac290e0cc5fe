//! A clock that shows the database's time: anchored to what the database said, carried on by the monotonic clock of this
//! machine. The machine's time of day has no influence, whatever it shows and however it jumps.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tintype_ports::clock::Clock;
use tokio::time::{Instant, sleep, timeout};

/// The database must say its time within this.
const PATIENCE: Duration = Duration::from_secs(5);
/// After a failed question the next one comes so soon, or at the interval if that is shorter.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(5);
/// A correction beyond this is worth a line in the log.
const NOTEWORTHY: TimeDelta = TimeDelta::milliseconds(500);

/// The time of the database, in this process.
#[derive(Debug)]
pub struct AnchoredClock(Mutex<Anchor>);

#[derive(Debug, Clone, Copy)]
struct Anchor {
    shown: DateTime<Utc>,
    at: Instant,
}

impl Anchor {
    fn read(&self, at: Instant) -> DateTime<Utc> {
        let passed = at.saturating_duration_since(self.at);
        later(self.shown, passed)
    }
}

fn later(time: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by)
        .ok()
        .and_then(|by| time.checked_add_signed(by))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

impl AnchoredClock {
    /// A clock anchored to `now`, which the database said in an answer that arrived just now and took `round_trip`.
    #[must_use]
    pub fn new(now: DateTime<Utc>, round_trip: Duration) -> Self {
        Self(Mutex::new(Anchor {
            shown: later(now, round_trip / 2),
            at: Instant::now(),
        }))
    }

    /// Corrects the clock: the database said `now` in an answer that arrived just now and took `round_trip`. The true time
    /// is then between `now` and `now + round_trip`. The clock moves as little as brings it there, so a slow answer does no
    /// harm and an ordinary one does not make it tremble. Returns by how much it moved; it goes backwards by no more.
    pub fn anchor(&self, now: DateTime<Utc>, round_trip: Duration) -> TimeDelta {
        let mut anchor = self.lock();
        let at = Instant::now();
        let shown = anchor.read(at);
        let latest = later(now, round_trip);
        let corrected = shown.max(now).min(latest);
        *anchor = Anchor {
            shown: corrected,
            at,
        };
        corrected - shown
    }

    fn lock(&self) -> MutexGuard<'_, Anchor> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for AnchoredClock {
    fn now(&self) -> DateTime<Utc> {
        self.lock().read(Instant::now())
    }
}

/// Asks the database for its time every `interval` and corrects `clock`, until `stop` is done. While the database does not
/// answer, the clock goes on by itself: a machine's monotonic clock strays by some seconds a day.
pub async fn keep_anchored<E, A>(
    clock: &AnchoredClock,
    ask: impl Fn() -> A,
    interval: Duration,
    stop: impl Future<Output = ()>,
) where
    E: std::error::Error,
    A: Future<Output = Result<DateTime<Utc>, E>>,
{
    tokio::select! {
        () = stop => {}
        () = async {
            loop {
                let pause = if ask_once(clock, &ask).await {
                    interval
                } else {
                    interval.min(ASK_AGAIN_AFTER)
                };
                sleep(pause).await;
            }
        } => {}
    }
}

/// True when the database answered.
async fn ask_once<E, A>(clock: &AnchoredClock, ask: impl Fn() -> A) -> bool
where
    E: std::error::Error,
    A: Future<Output = Result<DateTime<Utc>, E>>,
{
    let asked_at = Instant::now();
    match timeout(PATIENCE, ask()).await {
        Ok(Ok(now)) => {
            let moved = clock.anchor(now, asked_at.elapsed());
            if moved.abs() >= NOTEWORTHY {
                tracing::warn!(
                    clock.moved_ms = moved.num_milliseconds(),
                    "the clock was corrected to the database's time"
                );
            }
            true
        }
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database did not say what time it is");
            false
        }
        Err(_) => {
            tracing::warn!(
                deadline.seconds = PATIENCE.as_secs(),
                "the database did not say in time what time it is"
            );
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::atomic::{AtomicU32, Ordering},
    };

    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    const START: &str = "2026-06-10T16:00:00Z";

    #[tokio::test(start_paused = true)]
    async fn it_follows_the_monotonic_clock_from_the_middle_of_the_answer() {
        let clock = AnchoredClock::new(utc(START), Duration::from_millis(200));
        assert_eq!(clock.now(), utc("2026-06-10T16:00:00.1Z"));
        tokio::time::advance(Duration::from_secs(3_600)).await;
        assert_eq!(clock.now(), utc("2026-06-10T17:00:00.1Z"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_fits_moves_nothing_and_others_move_it_as_little_as_needed() {
        let clock = AnchoredClock::new(utc(START), Duration::ZERO);
        let second = Duration::from_secs(1);
        assert_eq!(
            clock.anchor(utc(START) - TimeDelta::milliseconds(400), second),
            TimeDelta::zero()
        );
        // Ten minutes behind, then ten minutes ahead.
        let behind = TimeDelta::minutes(10);
        assert_eq!(clock.anchor(utc(START) + behind, second), behind);
        assert_eq!(clock.now(), utc("2026-06-10T16:10:00Z"));
        let back = clock.anchor(utc(START), second);
        assert_eq!(back, TimeDelta::seconds(1) - behind);
        assert_eq!(clock.now(), utc("2026-06-10T16:00:01Z"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_database_that_is_away_leaves_the_clock_running_and_corrects_it_later() {
        let clock = AnchoredClock::new(utc(START), Duration::ZERO);
        let begun = Instant::now();
        let asked = AtomicU32::new(0);
        let ask = || {
            let times = asked.fetch_add(1, Ordering::Relaxed);
            async move {
                match times {
                    0 => Err(io::Error::other("away")),
                    1 => std::future::pending().await,
                    // The database's time is a minute ahead of what the clock was made with.
                    _ => Ok(later(utc(START) + TimeDelta::minutes(1), begun.elapsed())),
                }
            }
        };
        let interval = Duration::from_secs(30);
        let stop = sleep(Duration::from_secs(14));
        keep_anchored(&clock, ask, interval, stop).await;
        assert_eq!(clock.now(), utc(START) + TimeDelta::seconds(14));
        let stop = sleep(Duration::from_secs(100));
        keep_anchored(&clock, ask, interval, stop).await;
        assert_eq!(clock.now(), utc(START) + TimeDelta::seconds(60 + 114));
        assert_eq!(asked.load(Ordering::Relaxed), 2 + 4);
    }
}
