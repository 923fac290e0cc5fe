//! Both rate limiters keep the promises of the port.

use std::{sync::Arc, time::Duration};

use tintype_ports::{
    RateLimiter,
    contract::rate_limit,
    fake::SeededEntropy,
    rate_limit::{Rate, Verdict},
};
use tintype_quota::{MemoryRateLimiter, RedisRateLimiter, RedisSettings};

use crate::{
    server::Server,
    support::{shared_url, unique_prefix},
};

fn memory() -> Arc<dyn RateLimiter> {
    Arc::new(MemoryRateLimiter::default())
}

fn redis_at(url: String) -> Arc<dyn RateLimiter> {
    let settings = RedisSettings {
        url: url.into(),
        prefix: unique_prefix(),
        deadline: Duration::from_secs(5),
    };
    let entropy = Arc::new(SeededEntropy::new(3));
    Arc::new(RedisRateLimiter::new(&settings, entropy).expect("the address of a server"))
}

fn redis() -> Arc<dyn RateLimiter> {
    redis_at(shared_url())
}

#[tokio::test]
async fn a_burst_is_allowed_and_no_more() {
    rate_limit::a_burst_is_allowed_and_no_more(memory()).await;
    rate_limit::a_burst_is_allowed_and_no_more(redis()).await;
}

#[tokio::test]
async fn waiting_as_told_is_enough() {
    rate_limit::waiting_as_told_is_enough(memory()).await;
    rate_limit::waiting_as_told_is_enough(redis()).await;
}

#[tokio::test]
async fn being_refused_costs_nothing() {
    rate_limit::being_refused_costs_nothing(memory()).await;
    rate_limit::being_refused_costs_nothing(redis()).await;
}

#[tokio::test]
async fn keys_are_counted_apart() {
    rate_limit::keys_are_counted_apart(memory()).await;
    rate_limit::keys_are_counted_apart(redis()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_gets_the_burst_and_no_more() {
    rate_limit::a_crowd_gets_the_burst_and_no_more(memory()).await;
    rate_limit::a_crowd_gets_the_burst_and_no_more(redis()).await;
}

const HOURLY: Rate = Rate {
    burst: 2,
    interval: Duration::from_secs(3_600),
};

#[tokio::test]
async fn memory_remembers_no_more_keys_than_it_may_and_the_busiest_longest() {
    let limiter = MemoryRateLimiter::bounded(100);
    for _ in 0..2 {
        limiter.check("busy", HOURLY).await.expect("a verdict");
    }
    for number in 0..1_000 {
        let key = format!("key {number}");
        limiter.check(&key, HOURLY).await.expect("a verdict");
        assert!(limiter.keys() <= 100);
    }
    let verdict = limiter.check("busy", HOURLY).await.expect("a verdict");
    assert!(matches!(verdict, Verdict::Wait(_)), "{verdict:?}");
}

#[tokio::test]
async fn two_processes_count_together_and_redis_forgets_by_itself() {
    let server = Server::start().await;
    let settings = RedisSettings::at(server.url().into());
    let process = || {
        let entropy = Arc::new(SeededEntropy::new(3));
        RedisRateLimiter::new(&settings, entropy).expect("the address of a server")
    };
    let (first, second) = (process(), process());
    let key = "someone@example.com";
    let verdicts = [
        first.check(key, HOURLY).await.expect("a verdict"),
        second.check(key, HOURLY).await.expect("a verdict"),
    ];
    let expected = [1, 0].map(|left| Verdict::Allowed { left });
    assert_eq!(verdicts, expected);
    let verdict = first.check(key, HOURLY).await.expect("a verdict");
    assert!(matches!(verdict, Verdict::Wait(_)), "{verdict:?}");
    let keys: Vec<String> = server.ask(&["KEYS", "*"]).await;
    assert!(keys.len() == 1 && !keys[0].contains("example"), "{keys:?}");
    let seconds: i64 = server.ask(&["TTL", &keys[0]]).await;
    assert!((1..=7_200).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn a_server_that_is_away_is_an_error_and_not_a_verdict() {
    let mut server = Server::start().await;
    server.kill();
    let result = redis_at(server.url()).check("key", HOURLY).await;
    assert!(result.is_err(), "{result:?}");
}
