//! Whole days of three processes, in virtual time.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use tintype_model::quota::{CloudProject, QuotaDay, QuotaKind};
use tintype_ports::{
    Clock, Entropy, Quota,
    contract::quota::{MORNING, Parts},
    fake::{ManualClock, SeededEntropy},
    quota::QuotaError,
};
use tintype_quota::RedisQuota;

use crate::{server::Server, support::Install};

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

fn project() -> CloudProject {
    "1".parse().expect("a project")
}

async fn round_trips(server: &Server) -> u64 {
    let stats: String = server.ask(&["INFO", "commandstats"]).await;
    let line = stats
        .lines()
        .find(|line| line.starts_with("cmdstat_evalsha:"));
    line.map_or(0, |line| {
        let count = line.split(['=', ',']).nth(1).expect("a count");
        count.parse().expect("a number")
    })
}

/// A process and what it would like to spend.
struct Process {
    quota: RedisQuota,
    /// Units a step of 5 s, by hour of the day.
    demand: fn(i64) -> f64,
    owed: f64,
    /// As a run does: once refused it waits for the time that it was told.
    waits_until: Option<DateTime<Utc>>,
}

/// Spends a day from `begins` to its end; answers how much was spent, and at how many round trips to Redis.
async fn spend_a_day(begins: &str, limit: u64, seed: u64) -> (u64, u64) {
    let server = Server::start().await;
    let install = Install::at(&server.url());
    let (parts, _, clock) = Parts::new(begins, limit);
    let ends_at = QuotaDay::at(clock.now()).ends_at();
    let entropy = SeededEntropy::new(seed);
    // In parts of the limit a day: one that works all day, one that stops in the evening, one that comes and goes.
    let demands: [fn(i64) -> f64; 3] = [
        |_| 0.45,
        |hour| if hour < 18 { 0.6 } else { 0.0 },
        |hour| if hour % 2 == 0 { 0.8 } else { 0.01 },
    ];
    let mut processes = demands.map(|demand| Process {
        quota: install.process(parts.clone()),
        demand,
        owed: 0.0,
        waits_until: None,
    });
    let mut spent = 0;
    let step = TimeDelta::seconds(5);
    while clock.now() < ends_at {
        let hour = (clock.now() - utc(begins)).num_hours();
        for process in &mut processes {
            let now = clock.now();
            if process.waits_until.is_some_and(|until| now < until) {
                continue;
            }
            let mean = (process.demand)(hour) * limit as f64 / (24.0 * 720.0);
            process.owed += mean * 2.0 * entropy.unit();
            while process.owed >= 1.0 {
                process.owed -= 1.0;
                let result = process
                    .quota
                    .spend(&project(), QuotaKind::Download, 1)
                    .await;
                match result {
                    Ok(()) => spent += 1,
                    Err(QuotaError::Exhausted { resumes_at, .. }) => {
                        process.waits_until = Some(resumes_at);
                        break;
                    }
                    Err(error) => panic!("the ledger failed: {error}"),
                }
            }
            process.quota.tend().await;
        }
        clock.advance(step);
    }
    (spent, round_trips(&server).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hardly_a_unit_is_left_at_midnight_while_work_waits() {
    for (begins, limit, seed) in [
        ("2026-06-10T07:00:05Z", 75_000, 1),
        ("2026-06-10T07:00:05Z", 10_000, 2),
        ("2026-03-08T08:00:05Z", 10_000, 3),
        ("2026-11-01T07:00:05Z", 10_000, 4),
    ] {
        let (spent, trips) = spend_a_day(begins, limit, seed).await;
        let what = format!("on the day of {begins}, limit {limit}, seed {seed}");
        assert!(spent <= limit, "{spent} spent {what}");
        let unspent = limit - spent;
        assert!(unspent * 200 <= limit, "{unspent} units left {what}");
        // Who comes and goes with a unit now and then asks more often: twice each time, at most.
        assert!(
            trips * 50 <= spent + 10_000,
            "{trips} round trips for {spent} units {what}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_asked_once_for_fifty_units_or_more() {
    for limit in [10_000, 75_000, 2_000_000] {
        let server = Server::start().await;
        let install = Install::at(&server.url());
        let (parts, _, _) = Parts::new(MORNING, limit);
        let processes: Vec<_> = (0..3).map(|_| install.process(parts.clone())).collect();
        let spend_all = processes.iter().map(async |quota| {
            let mut spent = 0;
            while quota
                .spend(&project(), QuotaKind::Download, 1)
                .await
                .is_ok()
            {
                spent += 1_u64;
                // As work does, so that the processes take turns.
                if spent.is_multiple_of(20) {
                    tokio::task::yield_now().await;
                }
            }
            spent
        });
        let spent: u64 = join_all(spend_all).await.into_iter().sum();
        let trips = round_trips(&server).await;
        assert!(
            spent <= limit && (limit - spent) * 200 <= limit,
            "{spent} of {limit} were spent"
        );
        assert!(
            trips * 50 <= spent,
            "{trips} round trips for {spent} units of {limit}"
        );
    }
}

/// A clock that is off by a little, as one that follows the database's over a slow network is.
#[derive(Debug)]
struct Off(Arc<ManualClock>, TimeDelta);

impl Clock for Off {
    fn now(&self) -> DateTime<Utc> {
        self.0.now() + self.1
    }
}

#[tokio::test]
async fn a_call_reaches_google_on_the_day_it_was_counted_on() {
    let server = Server::start().await;
    let install = Install::at(&server.url());
    let limit = 3_000;
    let (parts, _, clock) = Parts::new("2026-06-10T20:00:00Z", limit);
    let entropy = SeededEntropy::new(11);
    let processes: Vec<RedisQuota> = [-900, 0, 900]
        .map(|off| {
            let off = Off(Arc::clone(&clock), TimeDelta::milliseconds(off));
            install.process(Parts {
                clock: Arc::new(off),
                ..parts.clone()
            })
        })
        .into();
    // Google counts when a call arrives, up to a second after it was admitted.
    let mut days = [0, 0];
    let midnight = utc("2026-06-11T07:00:00Z");
    clock.set(utc("2026-06-11T06:59:50Z"));
    while clock.now() < utc("2026-06-11T07:00:10Z") {
        for quota in &processes {
            for _ in 0..7 {
                let after = TimeDelta::microseconds(sub_second(entropy.unit()));
                let day = &mut days[usize::from(clock.now() + after >= midnight)];
                let result = quota.spend(&project(), QuotaKind::Request, 1).await;
                *day += u64::from(result.is_ok());
            }
        }
        clock.advance(TimeDelta::milliseconds(50));
    }
    for count in days {
        assert!((2_500..=3_000).contains(&count), "Google counted {count}");
    }
}

/// The part of a second in microseconds.
#[expect(clippy::cast_possible_truncation, reason = "less than a million")]
fn sub_second(part: f64) -> i64 {
    (part * 1e6) as i64
}
