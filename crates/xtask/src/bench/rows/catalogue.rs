//! Row 8: how fast the catalogue is written, by the store's own example, with nothing switched off to be faster.

use std::env;
use std::ffi::OsStr;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
use tintype_servers::{Apt, Durability, Postgres};
use tokio::process::Command;

use crate::bench::Bench;
use crate::bench::measure;
use crate::bench::report::{Report, Unit};
use crate::bench::scratch;
use crate::bench::stats::Goal;
use crate::console;

const DEADLINE: Duration = Duration::from_secs(10 * 60);

/// A line of `bench_catalogue`; the one about look-ups has no rate.
#[derive(Deserialize)]
struct Line {
    what: String,
    items_per_s: Option<f64>,
}

/// What is written: a page of a listing, and what came of its items. Each is held to the goal.
const WRITES: [(&str, &str); 2] = [("write_page", "items listed"), ("record", "items recorded")];

/// Measures the row.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let items = bench.sized("100000", "10000");
    let (mut sqlite, mut postgres) = (Vec::new(), Vec::new());
    for _ in 0..bench.pairs(5) {
        let logs = bench.scratch.fresh("catalogue")?;
        let file = logs.join("catalogue.db");
        sqlite.extend(run_once(bench, "sqlite", file.as_os_str(), items).await?);
        // A server each time: the example wants an empty database.
        let server = Postgres::start(&Apt::telling(console::step), Durability::Full).await?;
        postgres.extend(run_once(bench, "postgres", server.url().as_ref(), items).await?);
    }
    report.notes.push(format!(
        "catalogue: {items} items in batches of 500; Postgres waits for the disk as it does unless told otherwise, \
         with its files on {}",
        scratch::file_system_of(&env::temp_dir())
    ));
    for (what, words) in WRITES {
        for (engine, lines, goal) in [
            ("SQLite", &sqlite, 50_000.0),
            ("Postgres", &postgres, 100_000.0),
        ] {
            let of_this = lines.iter().filter(|line| line.what == what);
            let rates = of_this.filter_map(|line| line.items_per_s).collect();
            let metric = format!("{engine}: {words}");
            report.judge(8, metric, Unit::ItemsPerSecond, rates, Goal::AtLeast(goal));
        }
    }
    Ok(())
}

async fn run_once(bench: &Bench, engine: &str, place: &OsStr, items: &str) -> Result<Vec<Line>> {
    let logs = bench.scratch.path().join("catalogue");
    let mut command = Command::new(&bench.programs.catalogue);
    command.arg(engine).arg(place).arg(items);
    let finished = measure::run(vec![command], &logs, DEADLINE).await?;
    let finished = finished.succeeded("bench_catalogue")?;
    let lines = finished.stdout.lines().map(serde_json::from_str);
    lines
        .collect::<Result<_, _>>()
        .context("bench_catalogue printed something else than its lines")
}
