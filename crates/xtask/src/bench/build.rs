//! The programs that are measured, as they are shipped: release builds.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{command, console};

/// Release builds of ours.
pub(super) struct Programs {
    /// The binary.
    pub(super) tintype: PathBuf,
    /// The bare HTTP client, an example of the Google crate.
    pub(super) floor: PathBuf,
    /// The catalogue's own benchmark, an example of the store crate.
    pub(super) catalogue: PathBuf,
    /// Where cargo builds; benchmarks write beside it.
    pub(super) target: PathBuf,
}

impl Programs {
    /// Builds them.
    ///
    /// # Errors
    /// When something does not build.
    pub(super) async fn build(root: &Path) -> Result<Self> {
        console::step("building the release");
        // In one go: built apart, their dependencies would get different features and be built again.
        let mut build = command::cargo(root);
        build
            .args(["build", "--release", "--locked", "--package", "tintype"])
            .args(["--package", "tintype-google", "--package", "tintype-store"])
            .args(["--bin", "tintype", "--example", "floor"])
            .args(["--example", "bench_catalogue"]);
        command::run(&mut build).await?;
        Self::built(root).await
    }

    /// Those of the last build, whatever the sources say by now.
    ///
    /// # Errors
    /// When cargo does not say where it builds.
    pub(super) async fn built(root: &Path) -> Result<Self> {
        let mut query = command::cargo(root);
        query.args(["metadata", "--format-version=1", "--no-deps", "--offline"]);
        let answer = command::output(&mut query).await?;
        let target = cargo_metadata::MetadataCommand::parse(&answer)?
            .target_directory
            .into_std_path_buf();
        let release = target.join("release");
        Ok(Self {
            tintype: release.join("tintype"),
            floor: release.join("examples/floor"),
            catalogue: release.join("examples/bench_catalogue"),
            target,
        })
    }
}
