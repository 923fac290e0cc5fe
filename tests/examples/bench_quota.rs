//! The quota as many processes share it, on real servers: ledger in PostgreSQL, pool in Redis. One JSON line a figure.
//!
//! `bench_quota permits POSTGRES_URL REDIS_URL [PERMITS]`: how fast units can be had, beside asking Redis for each.
//! `bench_quota day POSTGRES_URL REDIS_URL BEGINS_AT LIMIT PROCESSES`: a day in virtual time, from an instant in RFC 3339 to
//! midnight in Los Angeles, in which there is always a little more work than quota.
//! Both want a migrated catalogue and a Redis server of their own.

use std::{
    env,
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::try_join_all;
use secrecy::SecretString;
use serde_json::json;
use tintype_model::quota::{CloudProject, QuotaDay, QuotaKind, QuotaLimits};
use tintype_ports::{
    Clock, Entropy, Quota,
    fake::{ManualClock, SeededEntropy},
    quota::QuotaError,
};
use tintype_quota::{RedisQuota, RedisSettings};
use tintype_store::{PostgresSettings, PostgresStore};

type Failure = Box<dyn Error + Send + Sync>;

/// Processes that spend as fast as they can, and callers in each.
const SPENDERS: u64 = 4;
const CALLERS: u64 = 8;
/// Questions under way when each permit is one.
const BARE_AT_ONCE: u64 = 64;
const BARE_PERMITS: u64 = 200_000;
/// As often as a process looks at its purses.
const STEP: TimeDelta = TimeDelta::seconds(5);
/// Work beyond the quota, so that some waits at midnight.
const DEMAND: f64 = 1.05;
/// From here on nothing is admitted any more.
const LAST_CALLS: TimeDelta = TimeDelta::seconds(10);

struct Install {
    store: PostgresStore,
    redis: String,
    clock: Arc<ManualClock>,
    limit: u64,
}

impl Install {
    async fn open(postgres: &str, redis: &str, now: &str, limit: u64) -> Result<Self, Failure> {
        Ok(Self {
            store: PostgresStore::connect(postgres, PostgresSettings::default()).await?,
            redis: redis.to_owned(),
            clock: Arc::new(ManualClock::new(now.parse()?)),
            limit,
        })
    }

    fn process(&self, seed: u64) -> Result<RedisQuota, Failure> {
        let limits = QuotaLimits {
            requests_per_day: self.limit,
            downloads_per_day: self.limit,
        };
        Ok(RedisQuota::new(
            &RedisSettings::at(SecretString::from(self.redis.as_str())),
            Arc::new(self.store.clone()),
            Arc::new(move |_| limits),
            Arc::<ManualClock>::clone(&self.clock),
            Arc::new(SeededEntropy::new(seed)),
        )?)
    }

    async fn connection(&self) -> Result<redis::aio::MultiplexedConnection, Failure> {
        let client = redis::Client::open(self.redis.as_str())?;
        Ok(client.get_multiplexed_async_connection().await?)
    }

    /// Scripts that Redis ran so far.
    async fn round_trips(&self) -> Result<u64, Failure> {
        let mut connection = self.connection().await?;
        let stats: String = redis::cmd("INFO")
            .arg("commandstats")
            .query_async(&mut connection)
            .await?;
        let line = stats
            .lines()
            .find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
        let count = line.and_then(|line| line.split(',').next()?.parse().ok());
        Ok(count.unwrap_or(0))
    }
}

fn project() -> Result<CloudProject, Failure> {
    Ok("123456789012".parse()?)
}

#[expect(clippy::cast_precision_loss, reason = "rates are rounded anyway")]
fn rate(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

async fn permits(postgres: &str, redis: &str, permits: u64) -> Result<(), Failure> {
    let install = Install::open(postgres, redis, "2026-06-10T16:00:00Z", permits).await?;
    let project = project()?;
    let before = install.round_trips().await?;
    let begun = Instant::now();
    let mut callers = Vec::new();
    for seed in 0..SPENDERS {
        let quota = Arc::new(install.process(seed)?);
        for _ in 0..CALLERS {
            let (quota, project) = (Arc::clone(&quota), project.clone());
            callers.push(tokio::spawn(async move {
                let mut spent = 0;
                loop {
                    match quota.spend(&project, QuotaKind::Download, 1).await {
                        Ok(()) => spent += 1,
                        Err(QuotaError::Exhausted { .. }) => return Ok::<u64, QuotaError>(spent),
                        Err(error) => return Err(error),
                    }
                }
            }));
        }
    }
    let mut spent = 0;
    for caller in callers {
        spent += caller.await??;
    }
    let took = begun.elapsed();
    println!(
        "{}",
        json!({
            "what": "permits",
            "permits": spent,
            "limit": permits,
            "per_s": rate(spent, took),
            "round_trips": install.round_trips().await? - before,
        })
    );

    let connection = install.connection().await?;
    let begun = Instant::now();
    let askers = (0..BARE_AT_ONCE).map(|_| {
        let mut connection = connection.clone();
        async move {
            for _ in 0..BARE_PERMITS / BARE_AT_ONCE {
                let _: i64 = redis::cmd("DECR")
                    .arg("bare")
                    .query_async(&mut connection)
                    .await?;
            }
            Ok::<(), redis::RedisError>(())
        }
    });
    try_join_all(askers).await?;
    let per_s = rate(BARE_PERMITS, begun.elapsed());
    println!("{}", json!({"what": "bare", "per_s": per_s}));
    Ok(())
}

/// A process that always finds work.
struct Process {
    quota: RedisQuota,
    owed: f64,
    /// Once refused it waits for the time that it was told.
    waits_until: Option<DateTime<Utc>>,
}

#[expect(clippy::cast_precision_loss, reason = "units of a day are few")]
async fn day(
    postgres: &str,
    redis: &str,
    begins: &str,
    limit: u64,
    processes: u64,
) -> Result<(), Failure> {
    let install = Install::open(postgres, redis, begins, limit).await?;
    let (project, clock) = (project()?, &install.clock);
    let ends_at = QuotaDay::at(clock.now()).ends_at();
    let entropy = SeededEntropy::new(limit + processes);
    let seconds = (ends_at - clock.now() - LAST_CALLS).num_seconds() as f64;
    let mean = limit as f64 * DEMAND / processes as f64 / seconds * STEP.num_seconds() as f64;
    let mut all = Vec::new();
    for seed in 0..processes {
        all.push(Process {
            quota: install.process(seed)?,
            owed: 0.0,
            waits_until: None,
        });
    }
    let before = install.round_trips().await?;
    let mut spent = 0;
    while clock.now() < ends_at {
        for process in &mut all {
            let now = clock.now();
            if process.waits_until.is_some_and(|until| now < until) {
                continue;
            }
            process.owed += mean * 2.0 * entropy.unit();
            while process.owed >= 1.0 {
                process.owed -= 1.0;
                match process.quota.spend(&project, QuotaKind::Download, 1).await {
                    Ok(()) => spent += 1,
                    Err(QuotaError::Exhausted { resumes_at, .. }) => {
                        process.waits_until = Some(resumes_at);
                        break;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            process.quota.tend().await;
        }
        clock.advance(STEP);
    }
    println!(
        "{}",
        json!({
            "what": "day",
            "begins": begins,
            "limit": limit,
            "processes": processes,
            "spent": spent,
            "round_trips": install.round_trips().await? - before,
        })
    );
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["permits", postgres, redis] => permits(postgres, redis, 20_000_000).await,
        ["permits", postgres, redis, count] => permits(postgres, redis, count.parse()?).await,
        ["day", postgres, redis, begins, limit, processes] => {
            day(postgres, redis, begins, limit.parse()?, processes.parse()?).await
        }
        _ => Err("usage: bench_quota permits POSTGRES REDIS [PERMITS] | \
             day POSTGRES REDIS BEGINS_AT LIMIT PROCESSES"
            .into()),
    }
}
