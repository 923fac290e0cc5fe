//! The floor: `examples/floor.rs` and `examples/floor_upload.rs` of the Google crate.

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
    let mut command = command(&bench.programs.floor, emulator);
    command.arg(folder).arg(transfers.to_string());
    command
}

/// Uploads the files of `folder` into a new album.
pub(in crate::bench) fn upload(
    bench: &Bench,
    emulator: &Emulator,
    folder: &Path,
    album: &str,
    transfers: u16,
) -> Command {
    let mut command = command(&bench.programs.floor_upload, emulator);
    command.arg(folder).arg(album).arg(transfers.to_string());
    command
}

fn command(program: &Path, emulator: &Emulator) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("HTTPS_PROXY", emulator.proxy())
        .env("SSL_CERT_FILE", emulator.authority())
        .arg(emulator.token_file());
    command
}
