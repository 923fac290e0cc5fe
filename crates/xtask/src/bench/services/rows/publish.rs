//! Row 15: jobs a second through quorum queues with confirms, by the queue's own example.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
use tintype_servers::{Apt, RabbitMq};
use tokio::process::Command;

use crate::bench::Bench;
use crate::bench::measure;
use crate::bench::report::{Report, Unit};
use crate::bench::stats::Goal;
use crate::console;

const ROW: u8 = 15;
const DEADLINE: Duration = Duration::from_secs(10 * 60);
/// What the scheduler relays at once.
const BATCH: &str = "256";

/// A line of `bench_publish`.
#[derive(Deserialize)]
struct Line {
    what: String,
    per_s: f64,
}

/// Measures the row.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let messages = bench.sized("60000", "6000");
    let broker = RabbitMq::start(&Apt::telling(console::step)).await?;
    let mut lines = Vec::new();
    for _ in 0..bench.pairs(5) {
        let logs = bench.scratch.fresh("publish")?;
        let mut command = Command::new(&bench.programs.publish);
        command.arg(broker.url()).args([messages, BATCH]);
        let finished = measure::run(vec![command], &logs, DEADLINE).await?;
        let finished = finished.succeeded("bench_publish")?;
        for line in finished.stdout.lines() {
            let line: Line = serde_json::from_str(line)
                .context("bench_publish printed something else than its lines")?;
            lines.push(line);
        }
    }
    for (what, metric, goal) in [
        (
            "publish",
            "jobs published and confirmed, in batches",
            Some(10_000.0),
        ),
        (
            "take and acknowledge",
            "jobs taken and acknowledged by 12 slots",
            None,
        ),
        (
            "one at a time",
            "reference: published and confirmed one at a time",
            None,
        ),
    ] {
        let of_this = lines.iter().filter(|line| line.what == what);
        let rates = of_this.map(|line| line.per_s).collect();
        report.judge(ROW, metric, Unit::PerSecond, rates, goal.map(Goal::AtLeast));
    }
    report.notes.push(format!(
        "publish: {messages} jobs of 100 tenants over 8 quorum queues of one node, {BATCH} in a batch"
    ));
    Ok(())
}
