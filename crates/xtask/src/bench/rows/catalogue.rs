//! Row 8: how fast the catalogue is written, by the store's own example.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
use tokio::process::Command;

use crate::bench::Bench;
use crate::bench::measure;
use crate::bench::report::{Report, Unit};
use crate::bench::stats::Goal;
use crate::system::Apt;
use crate::test::postgres::{Durability, Server};

const DEADLINE: Duration = Duration::from_secs(10 * 60);

/// A line of `bench_catalogue`.
#[derive(Deserialize)]
struct Line {
    store: String,
    items_per_second: f64,
}

/// Measures the row.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let server = Server::start(&mut Apt::default(), Durability::Full).await?;
    let (mut sqlite, mut postgres) = (Vec::new(), Vec::new());
    for _ in 0..bench.pairs(5) {
        for line in run_once(bench, &server).await? {
            match line.store.as_str() {
                "sqlite" => sqlite.push(line.items_per_second),
                _ => postgres.push(line.items_per_second),
            }
        }
    }
    report.judge(
        8,
        "catalogue writes, SQLite",
        Unit::ItemsPerSecond,
        sqlite,
        Goal::AtLeast(50_000.0),
    );
    report.judge(
        8,
        "catalogue writes, Postgres",
        Unit::ItemsPerSecond,
        postgres,
        Goal::AtLeast(100_000.0),
    );
    Ok(())
}

async fn run_once(bench: &Bench, server: &Server) -> Result<Vec<Line>> {
    let logs = bench.scratch.fresh("catalogue")?;
    let mut command = Command::new(&bench.programs.catalogue);
    command
        .env("TINTYPE_TEST_POSTGRES_URL", server.url())
        .arg(logs.join("catalogue.db"))
        .arg(bench.sized("500000", "20000"));
    let finished = measure::run(vec![command], &logs, DEADLINE).await?;
    let finished = finished.succeeded("bench_catalogue")?;
    let lines = finished.stdout.lines().map(serde_json::from_str);
    lines
        .collect::<Result<_, _>>()
        .context("bench_catalogue printed something else than its lines")
}
