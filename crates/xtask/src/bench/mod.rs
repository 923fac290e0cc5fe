//! `cargo xtask bench`: what ours costs beside real rclone and beside a bare HTTP client, on the same emulator
//! in the same run. It measures and prints; it asserts no times.

mod build;
mod emulator;
mod http;
mod measure;
mod peers;
mod report;
mod rows;
mod scratch;
mod stats;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use self::build::Programs;
use self::emulator::{Emulator, Library};
use self::report::Report;
use self::rows::Row;
use self::scratch::{Machine, Scratch};
use crate::system::Apt;
use crate::test::rclone;
use crate::{console, paths};

/// What `cargo xtask bench` takes.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    which: Which,
}

#[derive(clap::Subcommand)]
enum Which {
    /// Downloads: speed, memory and requests of a backup, beside rclone and a bare HTTP client
    Transfer(Transfer),
}

#[derive(clap::Args)]
struct Transfer {
    /// Small sizes and one pair of runs: shows that the benchmark works, not how fast anything is
    #[arg(long)]
    quick: bool,
    /// Pairs of runs in each comparison [default: 5, or 3 where one takes minutes]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    pairs: Option<u8>,
    /// Only this row; can be given several times
    #[arg(long, value_name = "NAME", value_enum)]
    only: Vec<Row>,
    /// Measure the programs of the last run, without building them anew
    #[arg(long)]
    built: bool,
    /// Write everything found to this file as well
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where to write the copies, some 30 GB at most [default: the target folder]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// What every row has at hand.
struct Bench {
    programs: Programs,
    rclone: PathBuf,
    scratch: Scratch,
    quick: bool,
    pairs: Option<u8>,
}

impl Bench {
    /// The full value, or the one of `--quick`.
    fn sized<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Pairs of runs, `usual` unless asked otherwise.
    fn pairs(&self, usual: u8) -> u8 {
        self.pairs.unwrap_or(self.sized(usual, 1))
    }

    /// A new emulator that holds `library`, every call taking `latency_ms`.
    async fn emulator(&self, library: Library, latency_ms: u64) -> Result<Emulator> {
        let folder = self.scratch.fresh("emulator")?;
        Emulator::start(&self.programs.tintype, folder, library, latency_ms).await
    }
}

/// Runs the benchmark and prints its tables.
///
/// # Errors
/// When something it needs cannot be had, or a row could not be measured; a goal that is not met is no error.
pub(crate) async fn run(options: Options) -> Result<()> {
    let Which::Transfer(options) = options.which;
    let root = paths::workspace_root()?;
    let rclone = rclone::find_or_fetch(&root, &Apt::telling(console::step)).await?;
    let programs = match options.built {
        true => Programs::built(&root).await?,
        false => Programs::build(&root).await?,
    };
    let folder = options.dir.unwrap_or_else(|| programs.target.join("bench"));
    let scratch = Scratch::inside(&folder)?;
    let machine = Machine::of(scratch.path());
    let bench = Bench {
        programs,
        rclone,
        scratch,
        quick: options.quick,
        pairs: options.pairs,
    };
    let report = measure_rows(&bench, machine, &options.only).await;
    print!("{}", table::render(&report));
    if let Some(file) = &options.json {
        write_json(&report, file)?;
    }
    if !report.failures.is_empty() {
        bail!("{} figures could not be had", report.failures.len());
    }
    Ok(())
}

/// A row that fails is told, and the others are measured all the same.
async fn measure_rows(bench: &Bench, machine: Machine, only: &[Row]) -> Report {
    let mut report = Report::new(machine, bench.quick);
    for row in Row::ALL {
        if !only.is_empty() && !only.contains(&row) {
            continue;
        }
        console::step(row.title());
        if let Err(error) = row.measure(bench, &mut report).await {
            console::failure(&error);
            report.failures.push(format!("{}: {error:#}", row.title()));
        }
        if let Err(error) = bench.scratch.clear() {
            console::failure(&error);
        }
    }
    report
}

fn write_json(report: &Report, file: &Path) -> Result<()> {
    let text = serde_json::to_string_pretty(report)?;
    fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))
}
