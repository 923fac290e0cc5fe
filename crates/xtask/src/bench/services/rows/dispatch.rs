//! Row 11: how long a run waits, on a system that has nothing else to do, until Google hears of it.

use anyhow::{Result, ensure};
use serde::Deserialize;

use super::KIB;
use crate::bench::Bench;
use crate::bench::emulator::{Ledger, Library};
use crate::bench::report::{Report, Unit, figure};
use crate::bench::services::fleet::{Fleet, Shape};
use crate::bench::stats::Goal;

const ROW: u8 = 11;
const LATENCY_MS: u64 = 50;
/// As many as the engine takes by itself.
const AT_ONCE: u16 = 256;
/// Shards that a worker has at work at once.
const SLOTS: f64 = 6.0;
/// Items of the shard that the goal speaks of.
const SHARD: f64 = 500.0;
/// More calls than any of these runs makes.
const CALLS: usize = 100_000;

/// A line of `dispatch`.
#[derive(Deserialize)]
struct Queued {
    queued_at_ms: f64,
    written_ms: f64,
    state: String,
}

/// Measures the row.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let few = Library::photos(10, KIB);
    let emulator = bench.emulator_with(few, 0, Ledger::Calls).await?;
    let shape = Shape {
        workers: 1,
        max_downloads: AT_ONCE,
    };
    let mut fleet = Fleet::start(bench, &emulator, shape).await?;

    // How long a shard takes where downloads do.
    let many = Library::photos(bench.sized(3000, 300), 200 * KIB);
    fleet.connect(&[many]).await?;
    emulator.set_latency(LATENCY_MS).await?;
    let wall_s = fleet.back_up(many.items).await?.wall_s;
    emulator.set_latency(0).await?;
    let shard_ms = wall_s * 1e3 / figure(many.items) * SHARD * SLOTS;

    fleet.connect(&[few]).await?;
    fleet.back_up(few.items).await?;
    fleet.tell(&["dispatch", "3"]).await?;
    emulator.forget_calls().await?;
    let runs = bench.sized("300", "20");
    let queued: Vec<Queued> = fleet.ask(&["dispatch", runs]).await?;
    let calls = emulator.times_of_calls(CALLS).await?;
    let mut waits = Vec::with_capacity(queued.len());
    for run in &queued {
        ensure!(run.state == "succeeded", "a run ended as {}", run.state);
        waits.push(wait_of(run, &calls)?);
    }
    let written: Vec<f64> = queued.iter().map(|run| run.written_ms).collect();

    let metric = "idle: run queued to first call of Google, p99";
    let p99 = vec![quantile(&waits, 0.99)];
    report.judge(ROW, metric, Unit::Milliseconds, p99, Goal::AtMost(50.0));
    let half = quantile(&waits, 0.5);
    report.judge(
        ROW,
        format!("the half of it, of a shard of {SHARD} items as one of {SLOTS} at {LATENCY_MS} ms a request"),
        Unit::Percent,
        vec![half / shard_ms * 100.0],
        Goal::AtMost(1.0),
    );
    report.judge(ROW, "all of them", Unit::Milliseconds, waits, None);
    let metric = "reference: writing the run down, which is in it";
    report.judge(ROW, metric, Unit::Milliseconds, written, None);
    let metric = "reference: such a shard";
    report.judge(ROW, metric, Unit::Milliseconds, vec![shard_ms], None);
    Ok(())
}

/// From the moment before the run was asked for to the first call that came later. Runs follow each other, so it is this run's.
fn wait_of(run: &Queued, calls: &[i64]) -> Result<f64> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of this century fit"
    )]
    let mut later = calls
        .iter()
        .map(|at| *at as f64 + ROUNDED_DOWN_MS - run.queued_at_ms)
        .filter(|wait| *wait > 0.0);
    let first = later.next();
    ensure!(first.is_some(), "a run made no call");
    Ok(first.unwrap_or_default())
}

/// The emulator's clock has no parts of milliseconds; the whole one is charged.
const ROUNDED_DOWN_MS: f64 = 1.0;

/// The figure that this part of all do not exceed.
fn quantile(figures: &[f64], part: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index of a short list"
    )]
    let index = ((sorted.len() as f64 * part).ceil() as usize).saturating_sub(1);
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_figure_that_was_measured() {
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(quantile(&hundred, 0.99), 99.0);
        assert_eq!(quantile(&hundred, 0.5), 50.0);
        assert_eq!(quantile(&[7.0], 0.99), 7.0);
    }

    #[test]
    fn a_run_waits_for_the_first_call_after_it_was_queued() {
        let run = Queued {
            queued_at_ms: 1000.5,
            written_ms: 1.0,
            state: "succeeded".to_owned(),
        };
        assert_eq!(wait_of(&run, &[900, 999, 1030, 1031]).unwrap(), 30.5);
        assert!(wait_of(&run, &[900]).is_err());
    }
}
