//! The chores of this repository, one module each: `cargo xtask --help` lists them.

mod bench;
mod ci;
mod command;
mod console;
mod deny;
mod deps;
mod metrics;
mod paths;
mod stop;
mod system;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of the Tintype repository")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Start what the tests need, then run every test of the workspace
    Test(test::Options),
    /// Start private PostgreSQL, RabbitMQ and Redis servers and print where they are, until Ctrl-C
    Services,
    /// Check who may import whom, and how the repository is laid out
    Deps,
    /// Check licences, banned crates and sources with cargo-deny
    Deny(deny::Options),
    /// Write deploy/observability/METRICS.md from the table of metrics
    Metrics(metrics::Options),
    /// Measure ours beside the references, release builds, and print the ratios
    Bench(bench::Options),
    /// Everything a change must pass: format, deps, clippy, page of metrics, cargo-deny, tests
    Ci,
}

/// Dropping the future of a chore stops what it started, so a signal needs no clean-up of its own.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = tokio::select! {
        result = run(cli.chore) => result,
        signal = stop::requested() => {
            console::step(&format!("{signal}: servers and tests were stopped"));
            return signal.exit_code();
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::failure(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(chore: Chore) -> anyhow::Result<()> {
    match chore {
        Chore::Test(options) => test::run(options).await,
        Chore::Services => test::services::run().await,
        Chore::Deps => deps::run(),
        Chore::Deny(options) => deny::run(options).await,
        Chore::Metrics(options) => metrics::run(options).await,
        Chore::Bench(options) => bench::run(options).await,
        Chore::Ci => ci::run().await,
    }
}
