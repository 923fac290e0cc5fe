//! Everything a change must pass, cheapest first.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::{command, console, deny, deps, metrics, paths, test};

/// Runs every check and stops at the first that fails.
pub(crate) async fn run() -> Result<()> {
    let root = paths::workspace_root()?;
    let started = Instant::now();

    console::step("format");
    cargo(&root, &["fmt", "--all", "--check"])
        .await
        .context("run `cargo fmt --all`")?;

    console::step("dependencies and layout");
    deps::run()?;

    console::step("clippy");
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    cargo(&root, &clippy).await?;

    console::step("page of metrics");
    metrics::run(metrics::Options { check: true }).await?;

    console::step("licences, bans, sources");
    deny::run(deny::Options::offline()).await?;

    console::step(&format!(
        "checks passed after {} s; tests",
        started.elapsed().as_secs()
    ));
    test::run(test::Options::everything()).await
}

async fn cargo(root: &Path, args: &[&str]) -> Result<()> {
    command::run(command::cargo(root).args(args)).await
}
