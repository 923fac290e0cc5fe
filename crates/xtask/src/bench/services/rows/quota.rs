//! Row 12: permits a second, round trips to Redis, and whole days in virtual time, on a ledger in PostgreSQL.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tintype_servers::{Apt, Durability, Postgres, Redis};
use tokio::process::Command;

use super::KIB;
use crate::bench::Bench;
use crate::bench::emulator::Library;
use crate::bench::measure;
use crate::bench::report::{Report, Unit, figure, per_item};
use crate::bench::services::fleet::{Fleet, Shape};
use crate::bench::stats::Goal;
use crate::console;

const ROW: u8 = 12;
const DEADLINE: Duration = Duration::from_secs(30 * 60);
const AT_ONCE: u16 = 32;
/// A day of 24 hours, one of 23 and one of 25, each from shortly after midnight in Los Angeles.
const DAYS: [&str; 3] = [
    "2026-06-10T07:00:05Z",
    "2026-03-08T08:00:05Z",
    "2026-11-01T07:00:05Z",
];
/// Downloads and requests a day of a new cloud project.
const LIMITS: [u64; 2] = [75_000, 10_000];
const PROCESSES: u64 = 20;

/// A line of `bench_quota permits`.
#[derive(Deserialize)]
struct Speed {
    what: String,
    per_s: f64,
    #[serde(default)]
    permits: u64,
    #[serde(default)]
    limit: u64,
}

/// The line of `bench_quota day`.
#[derive(Deserialize)]
struct Day {
    spent: u64,
    round_trips: u64,
}

/// The line of `redis`.
#[derive(Deserialize)]
struct Asked {
    scripts: u64,
    of_quota: u64,
}

/// Measures the row.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let mut overspent = 0;
    backups(bench, report).await?;
    speed(bench, report, &mut overspent).await?;
    days(bench, report, &mut overspent).await?;
    report.judge(
        ROW,
        "units spent beyond the limit, of all of these",
        Unit::Count,
        vec![figure(overspent)],
        Goal::AtMost(0.0),
    );
    Ok(())
}

/// Round trips of real work: a backup by two workers.
async fn backups(bench: &Bench, report: &mut Report) -> Result<()> {
    let library = Library::photos(bench.sized(10_000, 1_000), KIB);
    let emulator = bench.emulator(library, 0).await?;
    let shape = Shape {
        workers: 2,
        max_downloads: AT_ONCE,
    };
    let mut fleet = Fleet::start(bench, &emulator, shape).await?;
    let (mut of_quota, mut of_all) = (Vec::new(), Vec::new());
    for _ in 0..bench.pairs(3) {
        fleet.connect(&[library]).await?;
        let before: Asked = fleet.ask_once(&["redis"]).await?;
        fleet.back_up(library.items).await?;
        let after: Asked = fleet.ask_once(&["redis"]).await?;
        of_quota.push(per_item(after.of_quota - before.of_quota, library.items));
        of_all.push(per_item(after.scripts - before.scripts, library.items));
    }
    let metric = format!(
        "a backup of {} items: round trips of the quota an item",
        library.items
    );
    report.judge(ROW, metric, Unit::PerItem, of_quota, Goal::AtMost(0.02));
    let metric = "the same with events and the bell";
    report.judge(ROW, metric, Unit::PerItem, of_all, None);
    Ok(())
}

async fn speed(bench: &Bench, report: &mut Report, overspent: &mut u64) -> Result<()> {
    let permits = bench.sized("20000000", "2000000");
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..bench.pairs(5) {
        // The ledger remembers the day: a new one each time.
        let place = Place::start(bench).await?;
        for line in place.ask::<Speed>(bench, "permits", &[permits]).await? {
            if line.what == "permits" {
                *overspent += line.permits.saturating_sub(line.limit);
                ours.push(line.per_s);
            } else {
                bare.push(line.per_s);
            }
        }
    }
    let metric = "permits, four processes' worth of counters";
    report.judge(ROW, metric, Unit::PerSecond, ours, Goal::AtLeast(500_000.0));
    let metric = "reference: Redis asked for each, 64 at once";
    report.judge(ROW, metric, Unit::PerSecond, bare, None);
    Ok(())
}

async fn days(bench: &Bench, report: &mut Report, overspent: &mut u64) -> Result<()> {
    let (mut unspent, mut trips) = (Vec::new(), Vec::new());
    for begins in bench.sized(&DAYS[..], &DAYS[..1]) {
        for limit in LIMITS {
            let place = Place::start(bench).await?;
            let words = [*begins, &limit.to_string(), &PROCESSES.to_string()];
            for day in place.ask::<Day>(bench, "day", &words).await? {
                *overspent += day.spent.saturating_sub(limit);
                unspent.push(figure(limit.saturating_sub(day.spent)) / figure(limit) * 100.0);
                trips.push(per_item(day.round_trips, day.spent));
            }
        }
    }
    let worst = unspent.iter().copied().fold(0.0, f64::max);
    report.judge(
        ROW,
        format!("virtual days of {PROCESSES} processes, work waiting: unspent at midnight, worst"),
        Unit::Percent,
        vec![worst],
        Goal::AtMost(0.5),
    );
    report.judge(ROW, "all of them", Unit::Percent, unspent, None);
    let metric = "round trips a unit";
    report.judge(ROW, metric, Unit::PerItem, trips, None);
    Ok(())
}

/// A migrated catalogue and a Redis server of its own.
struct Place {
    postgres: Postgres,
    redis: Redis,
}

impl Place {
    async fn start(bench: &Bench) -> Result<Self> {
        let apt = Apt::telling(console::step);
        let (postgres, redis) =
            tokio::try_join!(Postgres::start(&apt, Durability::Full), Redis::start(&apt))?;
        let logs = bench.scratch.fresh("quota")?;
        let mut command = Command::new(&bench.programs.tintype);
        command
            .env("TINTYPE_POSTGRES__URL", postgres.url())
            .args(["serve", "--role", "migrate"]);
        let finished = measure::run(vec![command], &logs, DEADLINE).await?;
        finished.succeeded("tintype serve --role migrate")?;
        Ok(Self { postgres, redis })
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        bench: &Bench,
        what: &str,
        words: &[&str],
    ) -> Result<Vec<T>> {
        let logs = bench.scratch.fresh("quota")?;
        let mut command = Command::new(&bench.programs.quota);
        command
            .arg(what)
            .args([self.postgres.url(), self.redis.url()])
            .args(words);
        let finished = measure::run(vec![command], &logs, DEADLINE).await?;
        let finished = finished.succeeded("bench_quota")?;
        let lines = finished.stdout.lines().map(serde_json::from_str);
        lines
            .collect::<Result<_, _>>()
            .context("bench_quota printed something else than its lines")
    }
}
