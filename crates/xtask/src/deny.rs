//! cargo-deny over the dependency tree, at a pinned version that is built once and kept.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::command;
use crate::console;
use crate::paths;

/// Understands every field of `deny.toml`; older ones do not.
const VERSION: &str = "0.20.2";
/// An installed cargo-deny of at least this minor version (0.x) serves as well.
const OLDEST_MINOR: u32 = 18;

/// What `cargo xtask deny` takes.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to check; `advisories` fetches its database from the network
    #[arg(value_name = "CHECK", default_values_t = ["bans", "licenses", "sources"].map(String::from))]
    checks: Vec<String>,
}

impl Options {
    /// The checks that need nothing but the crates themselves.
    pub(crate) fn offline() -> Self {
        Self {
            checks: ["bans", "licenses", "sources"].map(String::from).to_vec(),
        }
    }
}

/// Runs cargo-deny, installing it when missing.
///
/// # Errors
/// When it cannot be installed, or finds something that `deny.toml` forbids.
pub(crate) async fn run(options: Options) -> Result<()> {
    let root = paths::workspace_root()?;
    let program = find_or_install(&root).await?;
    let mut check = Command::new(program);
    check
        .current_dir(&root)
        .args(["--locked", "check", "--hide-inclusion-graph"]);
    command::run(check.args(&options.checks))
        .await
        .context("the dependencies break deny.toml")
}

async fn find_or_install(root: &Path) -> Result<PathBuf> {
    if let Some(program) = paths::find_in_path("cargo-deny")
        && is_recent(&program).await
    {
        return Ok(program);
    }
    let home = paths::tools_dir()?.join(format!("cargo-deny-{VERSION}"));
    let program = home.join("bin/cargo-deny");
    if !program.is_file() {
        install(root, &home).await?;
    }
    Ok(program)
}

async fn is_recent(program: &Path) -> bool {
    let version = command::output(Command::new(program).arg("--version")).await;
    version.is_ok_and(|text| minor_version(&text).is_some_and(|minor| minor >= OLDEST_MINOR))
}

/// The minor version in `cargo-deny 0.18.3`; a major above 0 counts as newer than any.
fn minor_version(text: &str) -> Option<u32> {
    let mut numbers = text.split_whitespace().nth(1)?.split('.');
    match numbers.next()? {
        "0" => numbers.next()?.parse().ok(),
        _ => Some(u32::MAX),
    }
}

async fn install(root: &Path, home: &Path) -> Result<()> {
    console::step(&format!(
        "installing cargo-deny {VERSION} (a few minutes, once)"
    ));
    let build = tempfile::tempdir()?;
    let mut install = command::cargo(root);
    install
        .args(["install", "cargo-deny", "--locked", "--debug", "--quiet", "--version", VERSION])
        .arg("--root")
        .arg(home)
        .arg("--target-dir")
        .arg(build.path())
        // It runs for seconds: building it fast matters more than its speed.
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0");
    command::run(&mut install)
        .await
        .context("cannot install cargo-deny")
}

#[cfg(test)]
mod tests {
    use super::minor_version;

    #[test]
    fn the_minor_version_is_read_from_what_cargo_deny_prints() {
        assert_eq!(minor_version("cargo-deny 0.18.3"), Some(18));
        assert_eq!(minor_version("cargo-deny 1.0.0"), Some(u32::MAX));
        assert_eq!(minor_version("cargo-deny"), None);
    }
}
