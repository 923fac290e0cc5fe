//! Builds the workspace once and runs its tests: with nextest when it is there, else with cargo.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tokio::process::Command;

use super::{Environment, Options};
use crate::command;
use crate::console;

/// Builds everything that tests need; returns where the `tintype` program is.
///
/// # Errors
/// When something does not build.
pub(super) async fn build(root: &Path) -> Result<PathBuf> {
    console::step("building");
    // Binaries and tests in one go: built apart, their dependencies would get different features.
    let build = ["build", "--locked", "--workspace", "--bins", "--tests"];
    command::run(command::cargo(root).args(build)).await?;
    built_binary(root).await
}

/// Runs the tests under `environment`; what the runner prints last is the last thing printed.
///
/// # Errors
/// When a test fails.
pub(super) async fn run(root: &Path, environment: Environment, options: &Options) -> Result<()> {
    let cargo = || {
        let mut command = command::cargo(root);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command
    };

    if !nextest_is_there(root).await {
        console::step("testing with cargo test (cargo-nextest is not installed)");
        return command::run(cargo().args(plain_arguments(options)))
            .await
            .context("tests failed");
    }
    if runs_everything(options) {
        // nextest leaves the examples in doc comments to cargo.
        console::step("testing the examples in doc comments");
        let examples = ["test", "--locked", "--workspace", "--doc", "--quiet"];
        command::run(cargo().args(examples))
            .await
            .context("examples in doc comments failed")?;
    }
    console::step("testing with nextest");
    command::run(cargo().args(nextest_arguments(options)))
        .await
        .context("tests failed")
}

fn runs_everything(options: &Options) -> bool {
    options.filter.is_none() && options.rest.is_empty()
}

fn nextest_arguments(options: &Options) -> Vec<OsString> {
    let mut arguments = to_words("nextest run --locked --workspace --no-tests fail --profile");
    arguments.push(if options.full {
        "full".into()
    } else if env::var_os("CI").is_some() {
        "ci".into()
    } else {
        "default".into()
    });
    arguments.extend(options.filter.iter().map(OsString::from));
    arguments.extend(options.rest.iter().cloned());
    arguments
}

fn plain_arguments(options: &Options) -> Vec<OsString> {
    let mut arguments = to_words("test --locked --workspace");
    arguments.extend(options.filter.iter().map(OsString::from));
    arguments.extend(options.rest.iter().cloned());
    arguments
}

fn to_words(text: &str) -> Vec<OsString> {
    text.split(' ').map(OsString::from).collect()
}

async fn nextest_is_there(root: &Path) -> bool {
    command::output(command::cargo(root).args(["nextest", "--version"]))
        .await
        .is_ok()
}

/// `tintype` in whatever target folder this build uses.
async fn built_binary(root: &Path) -> Result<PathBuf> {
    let mut query: Command = command::cargo(root);
    query.args(["metadata", "--format-version=1", "--no-deps", "--offline"]);
    let answer = command::output(&mut query).await?;
    let metadata = cargo_metadata::MetadataCommand::parse(&answer)?;
    Ok(metadata
        .target_directory
        .as_std_path()
        .join("debug/tintype"))
}
