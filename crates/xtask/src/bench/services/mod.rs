//! `cargo xtask bench services`: a hosted install as processes on servers of its own, each figure beside a reference that was
//! measured in the same run.

mod fleet;
mod rows;

use anyhow::Result;

use self::rows::Row;
use super::{Bench, Common, build, conclude};

const ABOUT: &[&str] = &[
    "Median (least–most). Release builds of vault, scheduler and workers, each a process; PostgreSQL waits for the disk at",
    "every commit, RabbitMQ keeps quorum queues with confirms, both with their files in the temporary folder. Google is an",
    "emulator behind a proxy with TLS. Everything shares this one machine. A line that begins with \"reference\" has no goal:",
    "it is what the lines before it are to be read beside.",
];

/// What `cargo xtask bench services` takes.
#[derive(clap::Args)]
pub(super) struct Options {
    /// Rows to measure [default: all]
    #[arg(value_name = "ROW", value_enum)]
    rows: Vec<Row>,
    #[command(flatten)]
    common: Common,
}

/// Runs the benchmark and prints its tables.
pub(super) async fn run(options: Options) -> Result<()> {
    let root = crate::paths::workspace_root()?;
    let bench = Bench::prepare(&root, &options.common, build::OF_SERVICES).await?;
    let mut report = bench.report(ABOUT);
    for row in Row::ALL {
        if options.rows.is_empty() || options.rows.contains(&row) {
            bench
                .measure(row.title(), &mut report, async |bench, report| {
                    row.measure(bench, report).await
                })
                .await;
        }
    }
    conclude(&report, &options.common)
}
