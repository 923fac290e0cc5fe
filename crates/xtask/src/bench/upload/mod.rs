//! `cargo xtask bench upload`: what it costs to put photos into an account, beside real rclone and beside a bare HTTP client.

mod contest;
mod peers;
mod rows;
mod source;

use anyhow::Result;

use self::rows::Row;
use super::{Bench, Common, build, conclude};
use crate::console;
use crate::system::Apt;
use crate::test::rclone;

const ABOUT: &[&str] = &[
    "Median (least–most). Each ratio is taken within a pair of runs that followed each other, each into an empty account of",
    "a new emulator, over the same proxy and TLS; one call at a time may write to an account, any other is answered 429. Ours",
    "is the whole command with an empty data folder: it makes its catalogue, lists, hashes, and keeps a journal of what was sent",
    "and made. Processor time and memory are the peer's alone. A line that begins with \"reference\" has no goal.",
];

/// What `cargo xtask bench upload` takes.
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
    let rclone = rclone::find_or_fetch(&root, &Apt::telling(console::step)).await?;
    let mut bench = Bench::prepare(&root, &options.common, build::OF_UPLOADS).await?;
    bench.rclone = Some(rclone);
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
