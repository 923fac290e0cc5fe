//! Row 14: access tokens from the vault's process over mutual TLS, beside its core without a door.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use tintype_servers::{Apt, Durability, Postgres};
use tokio::process::Command;

use crate::bench::Bench;
use crate::bench::emulator::Library;
use crate::bench::measure;
use crate::bench::report::{Report, Unit, figure};
use crate::bench::services::fleet::{Fleet, Shape};
use crate::bench::stats::Goal;
use crate::console;

const ROW: u8 = 14;
const DEADLINE: Duration = Duration::from_secs(5 * 60);
/// Tokens a second.
const RATE: &str = "1000";
const TENANTS: usize = 50;
const AT_ONCE: u64 = 500;

/// A line of `tokens`, and of `bench_tokens`.
#[derive(Deserialize)]
struct Times {
    per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// The line of `stampede`.
#[derive(Deserialize)]
struct Stampede {
    answered_with_another: u64,
}

/// Measures the row.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let seconds = bench.sized("10", "2");
    let library = Library::photos(1, 1);
    let emulator = bench.emulator(library, 0).await?;
    let shape = Shape {
        workers: 1,
        max_downloads: 1,
    };
    let mut fleet = Fleet::start(bench, &emulator, shape).await?;
    fleet.connect(&[library; TENANTS]).await?;

    let (mut through_the_door, mut core) = (Vec::new(), Vec::new());
    let mut refreshes = Vec::new();
    for _ in 0..bench.pairs(5) {
        let times: Times = fleet.ask_once(&["tokens", RATE, seconds]).await?;
        through_the_door.push(times);
        core.push(core_alone(bench, seconds).await?);

        // A tenant whose token was never refused: the vault asks Google again only after a while. It has one already.
        fleet.connect(&[library]).await?;
        fleet.tell(&["tokens", "1", "1"]).await?;
        fleet.google().forget_calls().await?;
        let calls = AT_ONCE.to_string();
        let answer: Stampede = fleet.ask_once(&["stampede", &calls]).await?;
        ensure!(
            answer.answered_with_another == AT_ONCE,
            "{} of {AT_ONCE} calls were answered with another token",
            answer.answered_with_another
        );
        refreshes.push(figure(fleet.google().calls().await?.tokens()));
        fleet.connect(&[library; TENANTS]).await?;
    }
    let pick = |of: &[Times], what: fn(&Times) -> f64| of.iter().map(what).collect();
    let metric = format!("tokens, {RATE} a second for {seconds} s over mTLS, each logged: p99");
    let p99 = pick(&through_the_door, |it| it.p99_ms);
    report.judge(ROW, metric, Unit::Milliseconds, p99, Goal::AtMost(5.0));
    let p50 = pick(&through_the_door, |it| it.p50_ms);
    report.judge(ROW, "the same, p50", Unit::Milliseconds, p50, None);
    let per_s = pick(&through_the_door, |it| it.per_s);
    report.judge(ROW, "answered", Unit::PerSecond, per_s, None);
    let metric = "reference: the vault's core without a door, p99";
    let p99 = pick(&core, |it| it.p99_ms);
    report.judge(ROW, metric, Unit::Milliseconds, p99, None);
    report.judge(
        ROW,
        format!("refreshes for {AT_ONCE} calls at once"),
        Unit::Count,
        refreshes,
        Goal::AtMost(1.0),
    );
    Ok(())
}

async fn core_alone(bench: &Bench, seconds: &str) -> Result<Times> {
    // A server each time: the example wants an empty database.
    let server = Postgres::start(&Apt::telling(console::step), Durability::Full).await?;
    let logs = bench.scratch.fresh("tokens")?;
    let mut command = Command::new(&bench.programs.tokens);
    command.arg(server.url()).args([RATE, seconds]);
    let finished = measure::run(vec![command], &logs, DEADLINE).await?;
    let finished = finished.succeeded("bench_tokens")?;
    serde_json::from_str(&finished.stdout)
        .context("bench_tokens printed something else than its line")
}
