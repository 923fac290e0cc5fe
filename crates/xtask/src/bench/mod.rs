//! `cargo xtask bench`: what ours costs beside its references, measured in the same run. It measures and prints; it asserts
//! no times.

mod build;
mod calls;
mod emulator;
mod http;
mod measure;
mod peers;
mod report;
mod rows;
mod scratch;
mod services;
mod stats;
mod table;
mod transfer;
mod upload;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use self::build::{Example, Programs};
use self::emulator::{Emulator, Ledger, Library};
use self::report::Report;
use self::scratch::{Machine, Scratch};
use crate::console;

/// What `cargo xtask bench` takes.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    which: Which,
}

#[derive(clap::Subcommand)]
enum Which {
    /// Downloads: speed, memory and requests of a backup, beside rclone and a bare HTTP client
    Transfer(transfer::Options),
    /// Uploads: speed, requests and memory, beside rclone and a bare HTTP client
    Upload(upload::Options),
    /// A hosted install: vault, schedulers, workers and what they share, beside one process
    Services(services::Options),
}

/// What every benchmark takes.
#[derive(clap::Args)]
struct Common {
    /// Small sizes and one pair of runs: shows that the benchmark works, not how fast anything is
    #[arg(long)]
    quick: bool,
    /// Pairs of runs in each comparison [default: 5, or 3 where one takes minutes]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    pairs: Option<u8>,
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
    rclone: Option<PathBuf>,
    scratch: Scratch,
    machine: Machine,
    quick: bool,
    pairs: Option<u8>,
}

impl Bench {
    /// Builds what is measured, and looks at the machine.
    async fn prepare(root: &Path, common: &Common, examples: &[Example]) -> Result<Self> {
        let programs = match common.built {
            true => Programs::built(root).await?,
            false => Programs::build(root, examples).await?,
        };
        let folder = match &common.dir {
            Some(folder) => folder.clone(),
            None => programs.target.join("bench"),
        };
        let scratch = Scratch::inside(&folder)?;
        Ok(Self {
            programs,
            rclone: None,
            machine: Machine::of(scratch.path()),
            scratch,
            quick: common.quick,
            pairs: common.pairs,
        })
    }

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
        self.emulator_with(library, latency_ms, Ledger::Counts)
            .await
    }

    /// The same, with a ledger of choice.
    async fn emulator_with(
        &self,
        library: Library,
        latency_ms: u64,
        ledger: Ledger,
    ) -> Result<Emulator> {
        let folder = self.scratch.fresh("emulator")?;
        Emulator::start(&self.programs.tintype, folder, library, latency_ms, ledger).await
    }

    fn rclone(&self) -> Result<&Path> {
        let found = self.rclone.as_deref();
        found.context("this benchmark was started without rclone")
    }

    fn report(&self, about: &'static [&'static str]) -> Report {
        Report::new(self.machine.clone(), self.quick, about)
    }

    /// Measures a row. One that fails is told, and the others are measured all the same.
    async fn measure(
        &self,
        title: &str,
        report: &mut Report,
        row: impl AsyncFnOnce(&Self, &mut Report) -> Result<()>,
    ) {
        console::step(title);
        if let Err(error) = row(self, report).await {
            console::failure(&error);
            report.failures.push(format!("{title}: {error:#}"));
        }
        if let Err(error) = self.scratch.clear() {
            console::failure(&error);
        }
    }
}

/// Runs a benchmark and prints its tables.
///
/// # Errors
/// When something it needs cannot be had, or a row could not be measured; a goal that is not met is no error.
pub(crate) async fn run(options: Options) -> Result<()> {
    match options.which {
        Which::Transfer(options) => transfer::run(options).await,
        Which::Upload(options) => upload::run(options).await,
        Which::Services(options) => services::run(options).await,
    }
}

fn conclude(report: &Report, common: &Common) -> Result<()> {
    print!("{}", table::render(report));
    if let Some(file) = &common.json {
        let text = serde_json::to_string_pretty(report)?;
        fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))?;
    }
    if !report.failures.is_empty() {
        bail!("{} figures could not be had", report.failures.len());
    }
    Ok(())
}
