//! What every rate limiter promises. Each case takes a limiter that counted nothing yet.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use tokio::time::{sleep, timeout};

use crate::rate_limit::{Rate, RateLimiter, Verdict};

/// Earned so slowly that nothing is earned during a test.
const SLOW: Duration = Duration::from_secs(3_600);
const PATIENCE: Duration = Duration::from_secs(30);

async fn check(limiter: &Arc<dyn RateLimiter>, key: &str, rate: Rate) -> Verdict {
    match limiter.check(key, rate).await {
        Ok(verdict) => verdict,
        Err(error) => panic!("the limiter failed: {error}"),
    }
}

/// A burst goes through at once and is counted down; the next one is told to wait, for one interval at most.
pub async fn a_burst_is_allowed_and_no_more(limiter: Arc<dyn RateLimiter>) {
    let rate = Rate {
        burst: 5,
        interval: SLOW,
    };
    for left in (0..5).rev() {
        let verdict = check(&limiter, "key", rate).await;
        assert_eq!(verdict, Verdict::Allowed { left });
    }
    match check(&limiter, "key", rate).await {
        Verdict::Wait(time) => assert!(time <= SLOW && time > SLOW / 2, "{time:?}"),
        allowed @ Verdict::Allowed { .. } => panic!("{allowed:?} beyond the burst"),
    }
}

/// Whoever waits for as long as it was told may go on, and then has to wait again.
pub async fn waiting_as_told_is_enough(limiter: Arc<dyn RateLimiter>) {
    let rate = Rate {
        burst: 1,
        interval: Duration::from_millis(300),
    };
    let waits = async {
        let mut waits = 0;
        for _ in 0..3 {
            while let Verdict::Wait(time) = check(&limiter, "key", rate).await {
                assert!(time <= rate.interval, "{time:?}");
                sleep(time).await;
                waits += 1;
            }
        }
        waits
    };
    match timeout(PATIENCE, waits).await {
        Ok(waits) => assert!(waits <= 6, "told {waits} times to wait for 2 uses"),
        Err(_) => panic!("whoever waits as told is never allowed"),
    }
}

/// Asking again and again does not make the wait longer.
pub async fn being_refused_costs_nothing(limiter: Arc<dyn RateLimiter>) {
    let rate = Rate {
        burst: 1,
        interval: SLOW,
    };
    check(&limiter, "key", rate).await;
    for _ in 0..50 {
        match check(&limiter, "key", rate).await {
            Verdict::Wait(time) => assert!(time <= SLOW, "{time:?}"),
            allowed @ Verdict::Allowed { .. } => panic!("{allowed:?} beyond the burst"),
        }
    }
}

/// What one key used up is still free for another; a key may be long and contain anything.
pub async fn keys_are_counted_apart(limiter: Arc<dyn RateLimiter>) {
    let rate = Rate {
        burst: 1,
        interval: SLOW,
    };
    let long = "key:*\n\0".repeat(1_000);
    let longer = format!("{long}x");
    for key in ["", "a", "b", "a ", &long, &longer] {
        let verdict = check(&limiter, key, rate).await;
        assert_eq!(verdict, Verdict::Allowed { left: 0 }, "for {key:.20?}");
    }
}

/// Of a hundred who come at once as many are allowed as the burst has room for.
pub async fn a_crowd_gets_the_burst_and_no_more(limiter: Arc<dyn RateLimiter>) {
    let rate = Rate {
        burst: 10,
        interval: SLOW,
    };
    let verdicts = join_all((0..100).map(|_| {
        let limiter = Arc::clone(&limiter);
        tokio::spawn(async move { check(&limiter, "key", rate).await })
    }))
    .await;
    let allowed = verdicts
        .iter()
        .filter(|it| matches!(it, Ok(Verdict::Allowed { .. })))
        .count();
    assert_eq!(allowed, 10);
}
