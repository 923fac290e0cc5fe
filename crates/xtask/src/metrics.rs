//! `cargo xtask metrics`: the page of all metrics, made from their table.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::{command, console, paths};

/// Where the page stands, below the root.
const PAGE: &str = "deploy/observability/METRICS.md";

/// What `cargo xtask metrics` takes.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Change nothing; fail when the page is not as made
    #[arg(long)]
    pub(crate) check: bool,
}

/// Writes the page, or compares it.
///
/// # Errors
/// When it cannot be made or written, or is to be checked and differs.
pub(crate) async fn run(options: Options) -> Result<()> {
    let root = paths::workspace_root()?;
    let file = root.join(PAGE);
    // The table is a program's own, so the program prints it: importing it would build all of it for every chore.
    let mut print = command::cargo(&root);
    print.args(["run", "--quiet", "--locked", "--package", "tintype-runtime"]);
    print.args(["--example", "metrics_page"]);
    let page = command::output(&mut print)
        .await
        .context("the page of metrics cannot be made")?;
    let there = fs::read_to_string(&file).unwrap_or_default();
    if there == page {
        console::step(&format!("{PAGE} is as made"));
        return Ok(());
    }
    if options.check {
        bail!("{PAGE} is not what the table makes of it; run `cargo xtask metrics`");
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).context("the folder of the page cannot be made")?;
    }
    fs::write(&file, page).with_context(|| format!("{PAGE} cannot be written"))?;
    console::step(&format!("{PAGE} is written"));
    Ok(())
}
