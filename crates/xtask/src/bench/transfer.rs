//! `cargo xtask bench transfer`: what ours costs beside real rclone and beside a bare HTTP client.

use anyhow::Result;

use super::rows::Row;
use super::{Bench, Common, build, conclude};
use crate::console;
use crate::system::Apt;
use crate::test::rclone;

const ABOUT: &[&str] = &[
    "Median (least–most). Each ratio is taken within a pair of runs that followed each other on one",
    "emulator, over the same proxy and TLS. Ours does all its work in every run: hash, catalogue, archive,",
    "everything durable before it counts as done. Processor time and memory are the peer's alone.",
];

/// What `cargo xtask bench transfer` takes.
#[derive(clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    common: Common,
    /// Only this row; can be given several times
    #[arg(long, value_name = "NAME", value_enum)]
    only: Vec<Row>,
}

/// Runs the benchmark and prints its tables.
pub(super) async fn run(options: Options) -> Result<()> {
    let root = crate::paths::workspace_root()?;
    let rclone = rclone::find_or_fetch(&root, &Apt::telling(console::step)).await?;
    let mut bench = Bench::prepare(&root, &options.common, build::OF_TRANSFERS).await?;
    bench.rclone = Some(rclone);
    let mut report = bench.report(ABOUT);
    for row in Row::ALL {
        if options.only.is_empty() || options.only.contains(&row) {
            bench
                .measure(row.title(), &mut report, async |bench, report| {
                    row.measure(bench, report).await
                })
                .await;
        }
    }
    conclude(&report, &options.common)
}
