//! The one binary: `demo`, `backup`, `verify`, `restore`, `emulator`, with everything embedded, and `serve` for the roles of a
//! hosted install.

mod cli;
mod config;
mod engine;
mod failure;
mod follow;
mod place;
mod remote;
mod render;
mod serve;
mod setup;
mod wire;

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use tikv_jemallocator::Jemalloc;
use tintype_runtime::{
    Lifecycle,
    telemetry::{self, LogFormat},
};

use crate::{cli::Cli, failure::Failure};

/// Workers run for weeks; this allocator gives back what they do not use any more.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// After the first signal, leases are handed back within this time.
const GRACE: Duration = Duration::from_secs(20);

/// Threads for file system calls, at most: each costs memory, and disks gain nothing from more.
const FILE_THREADS: usize = 8;

fn main() -> ExitCode {
    let cli = Cli::parse_from(cli::arguments(std::env::args_os()));
    let json = cli.wants_json();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().max_blocking_threads(FILE_THREADS);
    let done = match runtime.build() {
        Ok(runtime) => runtime.block_on(run(cli)),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(code) => code,
        Err(failure) => failure.report(json),
    }
}

async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    if let Some(level) = cli.logs() {
        telemetry::init(LogFormat::Plain, level)?;
    }
    let life = Lifecycle::new();
    tokio::spawn(life.on_signals(GRACE)?);
    let abandoned = if cli.drains() {
        life.stopping()
    } else {
        life.draining()
    };
    let done = tokio::select! {
        done = cli.run(&life) => done,
        () = abandoned.cancelled() => Err(Failure::interrupted()),
    };
    life.finish().await;
    done
}
