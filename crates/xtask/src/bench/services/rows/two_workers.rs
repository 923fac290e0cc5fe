//! Row 10: a second worker, where the work waits for Google and not for this machine.

use anyhow::Result;
use serde_json::json;

use super::KIB;
use crate::bench::Bench;
use crate::bench::emulator::{Emulator, Library};
use crate::bench::report::{Report, Unit};
use crate::bench::services::fleet::{Fleet, Shape};
use crate::bench::stats::{Goal, ratios};
use crate::console;

const ROW: u8 = 10;
/// Of each download, so that a worker's speed is its downloads at once ÷ this.
const DOWNLOAD_MS: u64 = 200;
/// Few enough that two workers keep far below what one machine can do.
const AT_ONCE: u16 = 16;

/// Measures the row.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let library = Library::photos(bench.sized(4000, 400), 20 * KIB);
    let emulator = bench.emulator(library, 0).await?;
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for round in 0..bench.pairs(5) {
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                one.push(run(bench, &emulator, library, 1).await?);
            } else {
                two.push(run(bench, &emulator, library, 2).await?);
            }
        }
    }
    report.judge(
        ROW,
        "two workers faster than one",
        Unit::Times,
        ratios(&one, &two),
        Goal::AtLeast(1.9),
    );
    let items = library.items;
    let metric =
        format!("{items} photos, {DOWNLOAD_MS} ms a download, {AT_ONCE} at once a worker: two");
    report.judge(ROW, metric, Unit::Seconds, two, None);
    report.judge(ROW, "reference: one", Unit::Seconds, one, None);
    Ok(())
}

/// A new install each time: workers that found their concurrency before would have a lead.
async fn run(bench: &Bench, emulator: &Emulator, library: Library, workers: u16) -> Result<f64> {
    let shape = Shape {
        workers,
        max_downloads: AT_ONCE,
    };
    emulator
        .set(&json!({"latency_ms": {"download": 0}}))
        .await?;
    let mut fleet = Fleet::start(bench, emulator, shape).await?;
    fleet.connect(&[library]).await?;
    emulator
        .set(&json!({"latency_ms": {"download": DOWNLOAD_MS}}))
        .await?;
    let wall_s = fleet.back_up(library.items).await?.wall_s;
    console::step(&format!("workers: {workers}: {wall_s:.2} s"));
    Ok(wall_s)
}
