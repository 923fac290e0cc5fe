//! How a run ended that this process worked on: for the person, for scripts, as an exit code.

use std::time::Duration;

use serde::Serialize;
use tintype_app::App;
use tintype_model::{
    ErrorKind, RunId, TenantId,
    item::ItemState,
    plan::{Plan, PlanKind},
    progress::Progress,
    quota::QuotaLimits,
    run::{Run, RunMode, RunState},
};

use crate::{
    config::Profile,
    failure::{Failure, action_for},
    follow::exit_of_waiting,
    place::Place,
    render::{Console, Mark, bytes, count, counted, out, printable, program, quoted, span},
};

/// Catalogue rows that one look brings.
const LOOK: u32 = 1000;
/// Failed items that a person is shown; `--json` has all.
const SHOWN: usize = 20;
/// The exit code when some items failed.
const PARTIAL: u8 = 5;
/// The exit code after a signal.
const INTERRUPTED: u8 = 130;

/// An item that could not be had.
#[derive(Debug, Serialize)]
struct FailedItem {
    id: String,
    file_name: String,
    code: &'static str,
    reason: String,
}

/// An item that Google made although another one of the same bytes was there.
#[derive(Debug, Serialize)]
struct Duplicate {
    id: String,
    file_name: String,
}

/// What there is to say of the run.
pub(super) struct Outcome {
    kind: PlanKind,
    id: RunId,
    /// `None`: this process was asked to stop while the run went on.
    run: Option<Run>,
    progress: Progress,
    items: u64,
    failed: Vec<FailedItem>,
    duplicates: Vec<Duplicate>,
    took: Duration,
    limits: QuotaLimits,
    /// The archive's place; of an upload, where the files are.
    place: String,
    data_dir: String,
}

/// What `--json` prints.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    status: &'static str,
    run: RunId,
    mode: Option<RunMode>,
    snapshot: Option<String>,
    items: u64,
    progress: Progress,
    seconds: f64,
    reason: Option<Reason<'a>>,
    resumes_at: Option<String>,
    failed_items: &'a [FailedItem],
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicates: Option<&'a [Duplicate]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    data_dir: &'a str,
    exit_code: u8,
}

#[derive(Serialize)]
struct Reason<'a> {
    code: &'static str,
    message: &'a str,
}

impl Outcome {
    /// Reads what the catalogue says of the run now.
    pub(super) async fn gather(
        app: &App,
        plan: &Plan,
        id: RunId,
        run: Option<Run>,
        took: Duration,
        place: &Place,
        profile: &Profile,
    ) -> Result<Self, Failure> {
        let store = &app.ports().store;
        let snapshot = store.latest_snapshot(plan.tenant, plan.id).await?;
        let is_partial = run
            .as_ref()
            .is_some_and(|run| run.status.state == RunState::Partial);
        let failed = match is_partial {
            true => failed_items(app, plan.tenant, plan).await?,
            false => Vec::new(),
        };
        Ok(Self {
            kind: plan.kind,
            id,
            progress: store.progress(plan.tenant, id).await?,
            items: snapshot.map_or(0, |it| it.items),
            run,
            failed,
            duplicates: match plan.kind.uploads() {
                true => duplicates(app, plan, id).await?,
                false => Vec::new(),
            },
            took,
            limits: profile.limits,
            place: place.to_string(),
            data_dir: profile.data.display().to_string(),
        })
    }

    /// 0 done, 5 some items failed, 3 and 4 waiting, 130 interrupted, 1 otherwise.
    pub(super) fn exit_code(&self) -> u8 {
        let Some(run) = &self.run else {
            return INTERRUPTED;
        };
        match run.status.state {
            RunState::Succeeded => 0,
            RunState::Partial => PARTIAL,
            RunState::Failed | RunState::Cancelled => 1,
            _ => exit_of_waiting(run),
        }
    }

    /// The result as JSON.
    pub(super) fn report(&self) -> Report<'_> {
        let status = self.run.as_ref().map(|run| &run.status);
        let place = Some(self.place.as_str());
        let reason = status.and_then(|it| it.reason.as_ref());
        Report {
            status: status.map_or("interrupted", |it| it.state.as_str()),
            run: self.id,
            mode: self.run.as_ref().map(|run| run.mode),
            snapshot: self
                .run
                .as_ref()
                .and_then(|run| run.snapshot)
                .map(|it| it.to_string()),
            items: self.items,
            progress: self.progress,
            seconds: self.took.as_secs_f64(),
            reason: reason.map(|it| Reason {
                code: it.kind.code(),
                message: &it.message,
            }),
            resumes_at: status
                .and_then(|it| it.resumes_at)
                .map(|it| it.to_rfc3339()),
            failed_items: &self.failed,
            duplicates: Some(self.duplicates.as_slice()).filter(|_| self.kind.uploads()),
            destination: place.filter(|_| !self.kind.uploads()),
            source: place.filter(|_| self.kind.uploads()),
            data_dir: &self.data_dir,
            exit_code: self.exit_code(),
        }
    }

    /// The result for a person: what was done on standard output, trouble on standard error.
    pub(super) fn tell(&self, console: &Console) {
        let Some(run) = &self.run else {
            console.say("interrupted: the same command goes on where this one stopped");
            return;
        };
        match run.status.state {
            RunState::Succeeded => self.tell_success(console),
            RunState::Partial => {
                self.tell_success(console);
                self.tell_failed(console);
            }
            _ => self.tell_trouble(run, console),
        }
    }

    fn tell_success(&self, console: &Console) {
        let done = &self.progress;
        console.mark(Mark::Good, "listed", &counted(done.listed, "item"));
        let changes = format!(
            "{} new, {} changes to items and albums, {} gone at {}",
            count(done.new),
            count(done.changed),
            count(done.gone),
            match self.kind.uploads() {
                true => "the source",
                false => "Google",
            }
        );
        console.mark(Mark::Good, "found", &changes);
        // The bytes are those of both together.
        let and_originals = match done.originals {
            0 => String::new(),
            originals => format!(" and {}", counted(originals, "original")),
        };
        let moved = format!(
            "{}{and_originals}, {} in {}",
            counted(done.stored, "item"),
            bytes(done.bytes),
            span(self.took)
        );
        let verb = match self.kind.uploads() {
            true => "uploaded",
            false => "copied",
        };
        console.mark(Mark::Good, verb, &moved);
        if done.originals > 0 {
            let replaced = format!("{} by their originals", counted(done.originals, "item"));
            console.mark(Mark::Good, "replaced", &replaced);
        }
        let requests = format!(
            "{} of {} requests a day",
            count(done.requests),
            count(self.limits.requests_per_day)
        );
        if self.kind.uploads() {
            console.mark(Mark::Good, "quota spent", &requests);
            self.tell_duplicates(console);
            return;
        }
        let quota = format!(
            "{requests}, {} of {} downloads a day",
            count(done.downloads),
            count(self.limits.downloads_per_day)
        );
        console.mark(Mark::Good, "quota spent", &quota);
        if self.items == 0 && done.listed == 0 {
            tell_why_empty(console);
            return;
        }
        console.mark(Mark::Good, "snapshot", &counted(self.items, "item"));
        let archive = quoted(self.place.as_ref());
        console.say(&format!("\nCheck it with: {} verify {archive}", program()));
    }

    fn tell_duplicates(&self, console: &Console) {
        if self.duplicates.is_empty() {
            return;
        }
        console.say(&format!(
            "\n{} Google made twice, although asked with the same token. No app can take them away; you can:",
            counted(self.duplicates.len() as u64, "item")
        ));
        for item in self.duplicates.iter().take(SHOWN) {
            console.mark(Mark::Bad, &printable(&item.file_name), &printable(&item.id));
        }
        if self.duplicates.len() > SHOWN {
            let more = count((self.duplicates.len() - SHOWN) as u64);
            console.say(&format!("  and {more} more; --json lists all"));
        }
    }

    fn tell_failed(&self, console: &Console) {
        console.say(&format!(
            "\n{} could not be {}; the next run tries again:",
            counted(self.failed.len() as u64, "item"),
            match self.kind.uploads() {
                true => "uploaded",
                false => "copied",
            }
        ));
        for item in self.failed.iter().take(SHOWN) {
            let (name, reason) = (printable(&item.file_name), printable(&item.reason));
            // A file's id tells nobody anything; its path stands in the reason.
            let told = match self.kind.uploads() {
                true => reason.to_string(),
                false => format!("{reason} ({})", printable(&item.id)),
            };
            console.mark(Mark::Bad, &name, &told);
        }
        if self.failed.len() > SHOWN {
            let more = count((self.failed.len() - SHOWN) as u64);
            console.say(&format!("  and {more} more; --json lists all"));
        }
    }

    fn tell_trouble(&self, run: &Run, console: &Console) {
        let reason = run.status.reason.as_ref();
        let message = reason.map_or("no reason was given", |it| it.message.as_str());
        let state = match run.status.state {
            RunState::WaitingQuota => "waiting for quota",
            RunState::WaitingAuth => "waiting for a new sign-in",
            RunState::WaitingUser => "waiting for you",
            RunState::Cancelled => "cancelled",
            RunState::Paused => "paused",
            _ => "failed",
        };
        let action = reason.and_then(|it| action_for(it.kind));
        console.failure(&format!("{state}: {message}"), action);
        if self.progress.stored > 0 {
            let stored = counted(self.progress.stored, "item");
            console.say(&format!("  {stored} of this run are done and stay"));
        }
        if self.progress.originals > 0 {
            let originals = counted(self.progress.originals, "original");
            console.say(&format!("  {originals} of this run are there and stay"));
        }
    }
}

/// Said at the moment it matters: an account that shows nothing is nearly always this.
fn tell_why_empty(console: &Console) {
    console.mark(Mark::Open, "snapshot", "0 items");
    out(
        "\nGoogle listed no items, which is what it shows to an app that has not uploaded any: since 2025-03-31\n\
         the Library API gives an app only what that app's own OAuth client created. Your other photos can still be\n\
         backed up in three lawful ways: items this client uploads itself, items you pick at Google (the same command\n\
         with --pick), and the archives of Google Takeout.",
    );
}

async fn failed_items(
    app: &App,
    tenant: TenantId,
    plan: &Plan,
) -> Result<Vec<FailedItem>, Failure> {
    let mut failed = Vec::new();
    let mut after = None;
    loop {
        let rows = app
            .ports()
            .store
            .items(tenant, plan.id, after, LOOK)
            .await?;
        let Some(last) = rows.last() else {
            return Ok(failed);
        };
        after = Some(last.seq);
        for item in rows {
            if item.state == ItemState::Stored || item.gone {
                continue;
            }
            let (code, reason) = match item.fault {
                Some(fault) => (fault.kind.code(), fault.message),
                None => (ErrorKind::Unavailable.code(), "not copied yet".to_owned()),
            };
            failed.push(FailedItem {
                id: item.provider_id.to_string(),
                file_name: item.metadata.filename,
                code,
                reason,
            });
        }
    }
}

/// What the run found to be there twice.
async fn duplicates(app: &App, plan: &Plan, run: RunId) -> Result<Vec<Duplicate>, Failure> {
    let store = &app.ports().store;
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store
            .twins(plan.tenant, plan.destination, after.as_ref(), LOOK)
            .await?;
        let Some(last) = page.last() else {
            return Ok(found);
        };
        after = Some(last.id.clone());
        let of_run = page.into_iter().filter(|twin| twin.run == run);
        found.extend(of_run.map(|twin| Duplicate {
            id: twin.id.to_string(),
            file_name: twin.filename,
        }));
    }
}
