//! Redis fails in every way in the middle of a burst: nothing is overspent, and spending goes on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tintype_model::quota::{QuotaDay, QuotaKind};
use tintype_ports::{
    Clock, Quota,
    contract::quota::{MORNING, Parts, spend_one},
    fake::MemoryLedger,
    quota::QuotaError,
    store::QuotaLedger,
};
use tintype_quota::RedisQuota;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{server::Server, support::Install};

const LIMIT: u64 = 60_000;
/// Spending must go on within this after a fault.
const GOES_ON_WITHIN: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);

/// Three processes with two callers each, which spend as fast as real ones until they are refused or told to stop.
struct Burst {
    spent: Arc<AtomicU64>,
    must_hurry: Arc<AtomicBool>,
    callers: JoinSet<()>,
    processes: Vec<Arc<RedisQuota>>,
    ledger: Arc<MemoryLedger>,
    clock: Arc<dyn Clock>,
}

impl Burst {
    fn begin(install: &Install) -> Self {
        let (parts, ledger, clock) = Parts::new(MORNING, LIMIT);
        let mut burst = Self {
            spent: Arc::default(),
            must_hurry: Arc::default(),
            callers: JoinSet::new(),
            processes: Vec::new(),
            ledger,
            clock,
        };
        for _ in 0..3 {
            let process = Arc::new(install.process(parts.clone()));
            for _ in 0..2 {
                let quota: Arc<dyn Quota> = Arc::<RedisQuota>::clone(&process);
                let spent = Arc::clone(&burst.spent);
                let must_hurry = Arc::clone(&burst.must_hurry);
                burst.callers.spawn(async move {
                    while spend_one(&quota).await {
                        let count = spent.fetch_add(1, Ordering::SeqCst);
                        if count.is_multiple_of(4) && !must_hurry.load(Ordering::SeqCst) {
                            sleep(Duration::from_millis(1)).await;
                        }
                    }
                });
            }
            burst.processes.push(process);
        }
        burst
    }

    fn spent(&self) -> u64 {
        self.spent.load(Ordering::SeqCst)
    }

    /// Waits until `units` more were spent.
    async fn spend_more(&self, units: u64, within: Duration) {
        let (goal, deadline) = (self.spent() + units, Instant::now() + within);
        while self.spent() < goal {
            assert!(
                Instant::now() < deadline,
                "only {} of {goal} units were spent within {within:?}",
                self.spent()
            );
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Spends the rest of the day and answers how many units that were in all.
    async fn end(mut self) -> u64 {
        self.must_hurry.store(true, Ordering::SeqCst);
        let all = async { while self.callers.join_next().await.is_some() {} };
        tokio::time::timeout(PATIENCE, all)
            .await
            .expect("callers are refused at the end");
        let day = QuotaDay::at(self.clock.now());
        let project = "1".parse().expect("a project");
        let leased = self
            .ledger
            .leased_units(&project, QuotaKind::Request, day)
            .await
            .expect("the ledger");
        let spent = self.spent();
        assert!(
            spent <= leased && leased <= LIMIT,
            "{spent} spent, {leased} leased of {LIMIT}"
        );
        spent
    }
}

/// What so many losses of the pool cost at most: each of three processes has put a fiftieth of the limit in, and another
/// one may be on its way.
const fn at_most_lost(losses: u64) -> u64 {
    losses * 2 * 3 * LIMIT / 50
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flushed_data_costs_units_but_never_overspends() {
    let server = Server::start().await;
    let burst = Burst::begin(&Install::at(&server.url()));
    for _ in 0..5 {
        burst.spend_more(2_000, PATIENCE).await;
        let () = server.ask(&["FLUSHALL"]).await;
        burst.spend_more(2_000, GOES_ON_WITHIN).await;
    }
    assert!(burst.end().await >= LIMIT - at_most_lost(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_that_comes_back_empty_never_overspends() {
    let mut server = Server::start().await;
    let burst = Burst::begin(&Install::at(&server.url()).impatient());
    for _ in 0..3 {
        burst.spend_more(2_000, PATIENCE).await;
        server.kill();
        burst.spend_more(500, GOES_ON_WITHIN).await;
        server.revive().await;
        burst.spend_more(2_000, GOES_ON_WITHIN).await;
    }
    assert!(burst.end().await >= LIMIT - at_most_lost(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_snapshot_is_not_believed() {
    let mut server = Server::start().await;
    let burst = Burst::begin(&Install::at(&server.url()).impatient());
    for _ in 0..4 {
        burst.spend_more(1_000, PATIENCE).await;
        // The pool as it is now comes back after its units were spent.
        let () = server.ask(&["SAVE"]).await;
        burst.spend_more(4_000, PATIENCE).await;
        server.kill();
        server.revive().await;
        burst.spend_more(2_000, GOES_ON_WITHIN).await;
    }
    assert!(burst.end().await >= LIMIT - at_most_lost(4));
}

#[tokio::test]
async fn a_pool_from_another_life_of_the_server_has_no_units() {
    let mut server = Server::start().await;
    let install = Install::at(&server.url());
    let (parts, ledger, _) = Parts::new(MORNING, 1_000);
    let quota = install.quota(parts.clone()).await;
    assert!(spend_one(&quota).await);
    let () = server.ask(&["SAVE"]).await;
    let held: Vec<String> = server.ask(&["KEYS", "*:quota:1:request:*"]).await;
    let units: u64 = server.ask(&["HGET", &held[0], "units"]).await;
    assert!(units > 0, "there is a pool to lose");
    server.kill();
    server.revive().await;
    // The data is there again, and a process that never saw the pool before does not touch it.
    let kept: u64 = server.ask(&["HGET", &held[0], "units"]).await;
    assert_eq!(kept, units);
    let leases = ledger.leases();
    let other = install.quota(parts).await;
    assert!(spend_one(&other).await);
    assert_eq!(ledger.leases(), leases + 1);
}

#[tokio::test]
async fn a_pool_that_was_put_back_under_a_process_is_not_believed() {
    let server = Server::start().await;
    let install = Install::at(&server.url());
    let (parts, _, _) = Parts::new(MORNING, 1_000);
    let quota = install.quota(parts).await;
    assert!(spend_one(&quota).await);
    let key: Vec<String> = server.ask(&["KEYS", "*:quota:1:request:*"]).await;
    let () = server.ask(&["COPY", &key[0], "old"]).await;
    let mut spent = 1;
    for _ in 0..300 {
        spent += u64::from(spend_one(&quota).await);
    }
    let () = server.ask(&["COPY", "old", &key[0], "REPLACE"]).await;
    while spend_one(&quota).await {
        spent += 1;
    }
    assert!(spent <= 1_000, "{spent} of 1000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_answer_is_left_alone_and_found_again() {
    let server = Server::start().await;
    let burst = Burst::begin(&Install::at(&server.url()).impatient());
    burst.spend_more(2_000, PATIENCE).await;
    server.set_frozen(true);
    burst.spend_more(2_000, GOES_ON_WITHIN).await;
    server.set_frozen(false);
    let before: String = server.ask(&["INFO", "commandstats"]).await;
    let calls = |stats: &str| {
        let line = stats
            .lines()
            .find(|line| line.starts_with("cmdstat_evalsha"));
        line.map_or(0, |line| {
            let count = line.split(['=', ',']).nth(1).expect("a count");
            count.parse::<u64>().expect("a number")
        })
    };
    let deadline = Instant::now() + GOES_ON_WITHIN;
    loop {
        burst.spend_more(500, GOES_ON_WITHIN).await;
        let now: String = server.ask(&["INFO", "commandstats"]).await;
        if calls(&now) > calls(&before) {
            break;
        }
        assert!(Instant::now() < deadline, "redis is not asked again");
    }
    burst.end().await;
}

#[tokio::test]
async fn without_redis_the_ledger_alone_gives_every_unit_and_without_both_there_is_an_error() {
    let mut server = Server::start().await;
    server.kill();
    let install = Install::at(&server.url()).impatient();
    let (parts, ledger, _) = Parts::new(MORNING, 500);
    let quota = install.quota(parts).await;
    ledger.set_failing(true);
    let project = "1".parse().expect("a project");
    let result = quota.spend(&project, QuotaKind::Request, 1).await;
    assert!(matches!(result, Err(QuotaError::Ledger(_))), "{result:?}");
    ledger.set_failing(false);
    let mut spent = 0;
    while spend_one(&quota).await {
        spent += 1;
    }
    assert_eq!(spent, 500);
    quota.give_back().await.expect("the ledger is there");
}

#[tokio::test]
async fn what_google_calls_over_is_over_for_other_processes_too() {
    let server = Server::start().await;
    let install = Install::at(&server.url());
    let (parts, _, _) = Parts::new(MORNING, 10_000);
    let first = install.quota(parts.clone()).await;
    let second = install.quota(parts).await;
    assert!(spend_one(&first).await && spend_one(&second).await);
    let project = "1".parse().expect("a project");
    first
        .mark_exhausted(&project, QuotaKind::Request)
        .await
        .expect("the ledger is there");
    let mut more = 0;
    while spend_one(&second).await {
        more += 1;
    }
    assert!(more < 100, "the other process went on for {more} units");
}
