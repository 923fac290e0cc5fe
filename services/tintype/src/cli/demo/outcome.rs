//! What the demo showed: a table and the next commands for a person, JSON for scripts, an exit code.

use std::{path::Path, process::ExitCode, time::Duration};

use serde::Serialize;
use tintype_model::{
    progress::Progress,
    run::{RunMode, RunState, RunStatus},
};

use super::{compare::Comparison, home::Home};
use crate::{
    render::{Console, Mark, Table, bytes, count, out, program, quoted, span},
    wire::{RestoreReport, VerifyReport},
};

/// One run of the demo.
#[derive(Debug)]
pub(super) struct RunResult {
    pub(super) name: &'static str,
    pub(super) mode: RunMode,
    pub(super) status: RunStatus,
    pub(super) progress: Progress,
    /// Downloads by Google's own books.
    pub(super) google_downloads: u64,
    pub(super) took: Duration,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) runs: [RunResult; 3],
    /// Items that appeared before the third run.
    pub(super) added: u64,
    pub(super) verified: VerifyReport,
    pub(super) restored: RestoreReport,
    pub(super) compared: Comparison,
}

/// Something that must be so.
#[derive(Debug, Serialize)]
struct Promise {
    name: &'static str,
    kept: bool,
    detail: String,
}

/// What `--json` prints.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    status: &'static str,
    runs: Vec<RunReport>,
    added: u64,
    verified: &'a VerifyReport,
    restored: &'a RestoreReport,
    compared: &'a Comparison,
    promises: Vec<Promise>,
    folder: Option<&'a Path>,
    exit_code: u8,
}

#[derive(Serialize)]
struct RunReport {
    name: &'static str,
    mode: RunMode,
    state: &'static str,
    progress: Progress,
    google_downloads: u64,
    seconds: f64,
}

impl Outcome {
    fn promises(&self) -> Vec<Promise> {
        let [first, second, third] = &self.runs;
        let states = self.runs.iter().map(|run| run.status.state);
        let promise = |name, kept, detail: String| Promise { name, kept, detail };
        let (second, third) = (second.google_downloads, third.google_downloads);
        let compared = &self.compared;
        vec![
            promise(
                "every run succeeds",
                states.clone().all(|it| it == RunState::Succeeded),
                states.map(RunState::as_str).collect::<Vec<_>>().join(", "),
            ),
            promise(
                "the first run copies every item",
                first.progress.stored == first.progress.listed && first.progress.stored > 0,
                format!("{} of {}", first.progress.stored, first.progress.listed),
            ),
            promise(
                "the second run downloads nothing",
                second == 0,
                format!("{second} downloads"),
            ),
            promise(
                "the third run downloads the added items only",
                third == self.added,
                format!("{third} downloads for {} items", self.added),
            ),
            promise(
                "the archive is intact",
                self.verified.is_intact() && self.verified.objects > 0,
                format!("{} problems", self.verified.problem_count),
            ),
            promise(
                "every restored byte is the one that Google served",
                compared.is_equal(),
                format!(
                    "{} differing bytes in {} files, {} missing, {} unexpected",
                    compared.differing_bytes, compared.files, compared.missing, compared.unexpected
                ),
            ),
        ]
    }

    fn is_good(&self) -> bool {
        self.promises().iter().all(|it| it.kept)
    }

    /// 0 when everything is as it should be; says what is not.
    pub(super) fn exit_code(&self, console: &Console) -> ExitCode {
        for broken in self.promises().iter().filter(|it| !it.kept) {
            console.failure(
                &format!("not so: {} ({})", broken.name, broken.detail),
                None,
            );
        }
        ExitCode::from(u8::from(!self.is_good()))
    }

    /// The result as JSON.
    pub(super) fn report<'a>(&'a self, home: &'a Home) -> Report<'a> {
        let runs = self.runs.iter().map(|run| RunReport {
            name: run.name,
            mode: run.mode,
            state: run.status.state.as_str(),
            progress: run.progress,
            google_downloads: run.google_downloads,
            seconds: run.took.as_secs_f64(),
        });
        Report {
            status: if self.is_good() { "ok" } else { "failed" },
            runs: runs.collect(),
            added: self.added,
            verified: &self.verified,
            restored: &self.restored,
            compared: &self.compared,
            promises: self.promises(),
            folder: home.stays().then(|| home.root()),
            exit_code: u8::from(!self.is_good()),
        }
    }

    /// The result for a person.
    pub(super) fn tell(&self, console: &Console, home: &Home) {
        console.say("");
        let mut table = Table::new([
            "run",
            "listed",
            "new",
            "downloaded",
            "requests",
            "bytes",
            "time",
        ]);
        for run in &self.runs {
            let done = &run.progress;
            table.row([
                run.name.to_owned(),
                count(done.listed),
                count(done.new),
                count(run.google_downloads),
                count(done.requests),
                bytes(done.bytes),
                span(run.took),
            ]);
        }
        table.lines().iter().for_each(|line| out(line));
        out("");
        out(&format!(
            "verified objects   {}",
            count(self.verified.objects)
        ));
        out(&format!(
            "problems           {}",
            count(self.verified.problem_count)
        ));
        out(&format!(
            "files restored     {}",
            count(self.restored.written)
        ));
        out(&format!(
            "differing bytes    {}",
            count(self.compared.differing_bytes)
        ));
        if !self.is_good() {
            return;
        }
        out("\nNext:");
        for (command, what) in next(home) {
            out(&format!("  {command}\n      {what}"));
        }
        let root = quoted(home.root());
        out(&format!(
            "\nEverything lies in {root}; remove it with: rm -r {root}"
        ));
        console.mark(Mark::Good, "demo", "everything is as it should be");
    }
}

fn next(home: &Home) -> Vec<(String, &'static str)> {
    let program = program();
    let archive = quoted(&home.archive());
    let again = quoted(&home.root().join("restored-again"));
    let identity = match home.identity().exists() {
        true => format!(" --identity {}", quoted(&home.identity())),
        false => String::new(),
    };
    vec![
        (
            format!("{program} verify {archive}{identity}"),
            "change a byte of any file in there first, and see it named",
        ),
        (
            format!("{program} restore {archive} --to {again}{identity}"),
            "the photos as plain files",
        ),
        (
            format!("{program} demo --library ~/Pictures"),
            "the same with your own photos; nothing is written there",
        ),
        (
            format!("{program} emulator"),
            "the fake Google alone, to try things against",
        ),
        (format!("{program} backup --help"), "your real account"),
    ]
}
