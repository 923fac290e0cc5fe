//! `tintype verify URL`: reads every byte of an archive and says what is wrong, without catalogue or account.

use std::{path::PathBuf, process::ExitCode, time::Instant};

use clap::Args;
use serde::Serialize;
use tintype_model::SnapshotId;

use crate::{
    failure::Failure,
    place::Place,
    render::{self, Console, Mark, bytes, count, counted, out, printable, span},
    wire::{Reader, VerifyOptions, VerifyReport},
};

/// Problems that a person is shown; `--json` has all that are kept.
const SHOWN: usize = 50;

const EXAMPLES: &str = "\
Examples:
  tintype verify ~/photos-backup
  tintype verify ~/photos-backup --identity key.txt       an encrypted archive
  tintype verify 's3://bucket/photos?endpoint=https://s3.example.com&region=eu-west-1' --jobs 32

Exit codes: 0 every byte is as it was written, 1 something is not, 2 the archive cannot be checked like this.";

/// Which archive, and how.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Verify {
    /// The archive: a folder, file:///…, or s3://bucket/prefix?endpoint=https://…&region=…
    #[arg(value_name = "URL")]
    archive: String,
    /// File with the age identity that opens an encrypted archive
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Check only this snapshot and what it needs
    #[arg(long, value_name = "ID")]
    snapshot: Option<SnapshotId>,
    /// Objects read at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// Print the result as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    status: &'static str,
    archive: String,
    #[serde(flatten)]
    found: &'a VerifyReport,
    seconds: f64,
    exit_code: u8,
}

impl Verify {
    /// Checks the archive.
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let place = Place::parse(&self.archive)?;
        let reader = Reader::open(&place, self.identity.as_deref()).await?;
        let console = Console::new();
        let begun = Instant::now();
        let options = VerifyOptions {
            snapshot: self.snapshot,
            parallel: usize::from(self.jobs),
        };
        let found = reader.verify(&options, &console).await?;
        let exit_code = u8::from(!found.is_intact());
        if self.json {
            render::json(&Report {
                status: if found.is_intact() {
                    "clean"
                } else {
                    "problems"
                },
                archive: place.to_string(),
                found: &found,
                seconds: begun.elapsed().as_secs_f64(),
                exit_code,
            });
        }
        tell(&found, &console, begun, self.json);
        Ok(ExitCode::from(exit_code))
    }
}

fn tell(found: &VerifyReport, console: &Console, begun: Instant, json: bool) {
    for problem in found.problems.iter().take(SHOWN) {
        let mut line = format!("{}: {}", problem.kind, printable(&problem.detail));
        if problem.item_count > 0 {
            let named: Vec<_> = problem
                .items
                .iter()
                .take(3)
                .map(|it| printable(it))
                .collect();
            let more = problem.item_count.saturating_sub(named.len() as u64);
            line.push_str(&format!("; needed by {}", named.join(", ")));
            if more > 0 {
                line.push_str(&format!(" and {} more", count(more)));
            }
        }
        console.mark(Mark::Bad, &problem.path, &line);
    }
    let hidden = found.problem_count.saturating_sub(SHOWN as u64);
    if hidden > 0 {
        console.say(&format!(
            "  and {}; --json lists them",
            counted(hidden, "more problem")
        ));
    }
    if json {
        return;
    }
    let checked = format!(
        "{} in {}, {}, {}",
        counted(found.items, "item"),
        counted(found.snapshots, "snapshot"),
        counted(found.objects, "object"),
        bytes(found.bytes),
    );
    let took = span(begun.elapsed());
    if found.is_intact() {
        out(&format!(
            "Intact: every byte of {checked} is as it was written ({took})."
        ));
        return;
    }
    out(&format!(
        "{} in {checked} ({took}).",
        counted(found.problem_count, "problem")
    ));
    console.action("restore what is whole, and back up to a new destination (another --to) while Google still has the rest");
}
