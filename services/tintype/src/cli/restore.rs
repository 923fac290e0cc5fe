//! `tintype restore URL --to DIR`: copies the photos of a snapshot out of an archive, without catalogue or account.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use clap::Args;
use serde::Serialize;
use tintype_model::SnapshotId;

use crate::{
    failure::Failure,
    place::Place,
    render::{self, Console, Mark, bytes, counted, out, printable, span},
    wire::{Reader, RestoreOptions, RestoreReport},
};

/// Failed files that a person is shown; `--json` has all that are kept.
const SHOWN: usize = 50;
/// The exit code when some files could not be restored.
const PARTIAL: u8 = 5;

const EXAMPLES: &str = "\
Examples:
  tintype restore ~/photos-backup --to ~/restored
  tintype restore ~/photos-backup --to ~/restored --identity key.txt
  tintype restore ~/photos-backup --to ~/as-of-may --snapshot snp_0190f5…

A restore that was interrupted goes on when it is repeated. Exit codes: 0 all is restored, 5 some files
are not and are named, 2 the archive cannot be read like this.";

/// Which snapshot, and where to.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Restore {
    /// The archive: a folder, file:///…, or s3://bucket/prefix?endpoint=https://…&region=…
    #[arg(value_name = "URL")]
    archive: String,
    /// Folder that the files are written to; made when it is missing
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// The snapshot to restore: an id, or latest
    #[arg(long, value_name = "ID", default_value = "latest")]
    snapshot: Choice,
    /// File with the age identity that opens an encrypted archive
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Replace files that are there already
    #[arg(long)]
    overwrite: bool,
    /// Print the result as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

/// One snapshot or the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Choice(Option<SnapshotId>);

impl std::str::FromStr for Choice {
    type Err = tintype_model::ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "latest" => Ok(Self(None)),
            id => id.parse().map(|id| Self(Some(id))),
        }
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    status: &'static str,
    archive: String,
    to: &'a Path,
    #[serde(flatten)]
    restored: &'a RestoreReport,
    seconds: f64,
    exit_code: u8,
}

impl Restore {
    /// Restores the files.
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let place = Place::parse(&self.archive)?;
        let to = std::path::absolute(&self.to)?;
        let reader = Reader::open(&place, self.identity.as_deref()).await?;
        let console = Console::new();
        let begun = Instant::now();
        let options = RestoreOptions {
            snapshot: self.snapshot.0,
            overwrite: self.overwrite,
            ..RestoreOptions::default()
        };
        let restored = reader.restore(&to, &options, &console).await?;
        let is_whole = restored.failed_count == 0;
        let exit_code = if is_whole { 0 } else { PARTIAL };
        tell_failed(&restored, &console);
        if self.json {
            render::json(&Report {
                status: if is_whole { "restored" } else { "partial" },
                archive: place.to_string(),
                to: &to,
                restored: &restored,
                seconds: begun.elapsed().as_secs_f64(),
                exit_code,
            });
        } else {
            tell(&restored, &to, begun);
        }
        Ok(ExitCode::from(exit_code))
    }
}

fn tell(restored: &RestoreReport, to: &Path, begun: Instant) {
    let mut line = format!(
        "{} restored to {}: {} in {}",
        counted(restored.written, "file"),
        to.display(),
        bytes(restored.bytes),
        span(begun.elapsed())
    );
    if restored.skipped > 0 {
        let skipped = counted(restored.skipped, "file");
        line.push_str(&format!(
            "; {skipped} were there already, equal byte for byte"
        ));
    }
    out(&line);
}

fn tell_failed(restored: &RestoreReport, console: &Console) {
    for (path, reason) in restored.failed.iter().take(SHOWN) {
        console.mark(Mark::Bad, &printable(path), &printable(reason));
    }
    let hidden = restored.failed_count.saturating_sub(SHOWN as u64);
    if hidden > 0 {
        console.say(&format!(
            "  and {}; --json lists them",
            counted(hidden, "more file")
        ));
    }
}
