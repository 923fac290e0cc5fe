//! The floor: `examples/floor.rs` of the Google crate.

use std::path::Path;

use tokio::process::Command;

use crate::bench::Bench;
use crate::bench::emulator::Emulator;

/// Downloads everything into `folder`.
pub(super) fn download(
    bench: &Bench,
    emulator: &Emulator,
    folder: &Path,
    transfers: u16,
) -> Command {
    let mut command = Command::new(&bench.programs.floor);
    command
        .env_clear()
        .env("HTTPS_PROXY", emulator.proxy())
        .env("SSL_CERT_FILE", emulator.authority())
        .arg(emulator.token_file())
        .arg(folder)
        .arg(transfers.to_string());
    command
}
