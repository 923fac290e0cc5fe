//! Ours: the release binary as a person runs it. Hash, catalogue, archive and durability are in every figure.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use tokio::process::Command;

use crate::bench::Bench;
use crate::bench::emulator::Emulator;
use crate::bench::measure;

/// A day's quota that no benchmark reaches; it is counted and kept all the same.
const PLENTY: &str = "1000000000";
const VERIFY_WITHIN: Duration = Duration::from_secs(30 * 60);

/// Where a backup keeps what.
#[derive(Clone, Debug)]
pub(in crate::bench) struct Places {
    home: PathBuf,
    archive: PathBuf,
}

impl Places {
    /// Catalogue and state in `home`, the archive in `archive`.
    pub(in crate::bench) fn inside(home: &Path, archive: &Path) -> Self {
        Self {
            home: home.to_path_buf(),
            archive: archive.to_path_buf(),
        }
    }
}

/// How much of the library a run looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bench) enum Look {
    /// What may have changed since the last full look.
    Routine,
    /// All of it.
    Full,
}

/// `tintype backup`, with at most so many downloads at once, or what it finds by itself.
pub(in crate::bench) fn backup(
    bench: &Bench,
    emulator: &Emulator,
    places: &Places,
    transfers: Option<u16>,
    look: Look,
) -> Command {
    let mut command = command(bench, emulator, &places.home, "backup");
    command.arg("--to").arg(&places.archive);
    command.args(["--quota-requests", PLENTY, "--quota-downloads", PLENTY]);
    if let Some(transfers) = transfers {
        command.args(["--transfers", &transfers.to_string()]);
    }
    if look == Look::Full {
        command.arg("--full");
    }
    command
}

/// `tintype upload` of a folder, with everything as it comes; catalogue and state in `home`.
pub(in crate::bench) fn upload(
    bench: &Bench,
    emulator: &Emulator,
    home: &Path,
    folder: &Path,
) -> Command {
    let mut command = command(bench, emulator, home, "upload");
    command.arg("--from").arg(folder);
    command
}

/// A command of ours for which the emulator is Google.
fn command(bench: &Bench, emulator: &Emulator, home: &Path, verb: &str) -> Command {
    let mut command = Command::new(&bench.programs.tintype);
    command
        .env_clear()
        .env("HOME", home)
        // The way that rclone goes: CONNECT, then TLS.
        .env("HTTPS_PROXY", emulator.proxy())
        .args([verb, "--json", "--client-id", emulator.client_id()])
        .arg("--client-secret-file")
        .arg(emulator.secret_file())
        .arg("--token-file")
        .arg(emulator.token_file())
        .arg("--ca-cert")
        .arg(emulator.authority())
        .arg("--data-dir")
        .arg(home.join("data"));
    command
}

/// Reads the whole archive back and compares every hash; not measured.
///
/// # Errors
/// When a byte is wrong or an object is missing.
pub(super) async fn verify(bench: &Bench, archive: &Path) -> Result<()> {
    let logs = bench.scratch.fresh("verify")?;
    let mut command = Command::new(&bench.programs.tintype);
    command.arg("verify").arg(archive);
    let finished = measure::run(vec![command], &logs, VERIFY_WITHIN).await?;
    finished.succeeded("tintype verify")?;
    Ok(())
}
