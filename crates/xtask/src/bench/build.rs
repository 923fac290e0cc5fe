//! The programs that are measured, as they are shipped: release builds.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{command, console};

/// Release builds of ours.
pub(super) struct Programs {
    /// The binary.
    pub(super) tintype: PathBuf,
    /// The bare HTTP client that downloads, an example of the Google crate.
    pub(super) floor: PathBuf,
    /// The one that uploads, another one.
    pub(super) floor_upload: PathBuf,
    /// The catalogue's own benchmark, an example of the store crate.
    pub(super) catalogue: PathBuf,
    /// What the benchmark of the services does on an install, an example of the black-box tests.
    pub(super) fleet: PathBuf,
    /// The quota's benchmark, another one.
    pub(super) quota: PathBuf,
    /// The queue's own benchmark, an example of the queue crate.
    pub(super) publish: PathBuf,
    /// The vault's own benchmark, an example of its core.
    pub(super) tokens: PathBuf,
    /// Where cargo builds; benchmarks write beside it.
    pub(super) target: PathBuf,
}

/// An example, and the package that it is of.
pub(super) type Example = (&'static str, &'static str);

/// What the benchmark of transfers runs beside the binary.
pub(super) const OF_TRANSFERS: &[Example] = &[
    ("tintype-google", "floor"),
    ("tintype-store", "bench_catalogue"),
];
/// What the benchmark of uploads runs beside the binary.
pub(super) const OF_UPLOADS: &[Example] = &[("tintype-google", "floor_upload")];
/// What the benchmark of the services runs beside the binary.
pub(super) const OF_SERVICES: &[Example] = &[
    ("tintype-tests", "bench_fleet"),
    ("tintype-tests", "bench_quota"),
    ("tintype-queue", "bench_publish"),
    ("tintype-vault-core", "bench_tokens"),
];

impl Programs {
    /// Builds the binary and these examples.
    ///
    /// # Errors
    /// When something does not build.
    pub(super) async fn build(root: &Path, examples: &[Example]) -> Result<Self> {
        console::step("building the release");
        // In one go: built apart, their dependencies would get different features and be built again.
        let mut build = command::cargo(root);
        build
            .args(["build", "--release", "--locked", "--package", "tintype"])
            .args(["--bin", "tintype"]);
        for (package, example) in examples {
            build.args(["--package", package, "--example", example]);
        }
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
            floor_upload: release.join("examples/floor_upload"),
            catalogue: release.join("examples/bench_catalogue"),
            fleet: release.join("examples/bench_fleet"),
            quota: release.join("examples/bench_quota"),
            publish: release.join("examples/bench_publish"),
            tokens: release.join("examples/bench_tokens"),
            target,
        })
    }
}
