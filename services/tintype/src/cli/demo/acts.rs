//! The acts of the demo, in order: connect, first run, nothing new, added photos, verify, restore, compare.

use std::time::{Duration, Instant};

use tintype_app::{App, runs::RunChoice};
use tintype_model::{
    plan::{Layout, Plan, PlanOptions},
    progress::Progress,
    run::{RunMode, RunState},
};
use tintype_runtime::Lifecycle;

use super::{
    Demo, compare,
    google::Google,
    home::Home,
    outcome::{Outcome, RunResult},
};
use crate::{
    failure::Failure,
    follow::{Ended, Follow},
    place::Place,
    render::{Console, Mark, RunView, bytes, counted, span},
    setup::{self, Fingerprints},
    wire::{self, Reader, RestoreOptions, VerifyOptions},
};

/// Everybody on stage.
pub(super) struct Acts<'a> {
    pub(super) demo: &'a Demo,
    pub(super) app: &'a App,
    pub(super) google: &'a Google,
    pub(super) home: &'a Home,
    pub(super) console: &'a Console,
    pub(super) life: &'a Lifecycle,
}

impl Acts<'_> {
    /// Plays all of it.
    pub(super) async fn play(&self) -> Result<Outcome, Failure> {
        let items = counted(self.google.items(), "item");
        self.console.say(&format!(
            "A fake Google Photos with {items} runs at {}",
            self.google.url()?.as_str().trim_end_matches('/')
        ));
        let plan = self.connect().await?;
        let first = self.run(&plan, "first").await?;
        let second = self.run(&plan, "nothing new").await?;
        let added = self.google.add_photos()?;
        self.console
            .title(&format!("{} appear at Google", counted(added, "new item")));
        let third = self.run(&plan, "added photos").await?;

        self.console.title("Verifying the archive, offline");
        let place = Place::folder(self.home.archive());
        let identity = self.home.identity();
        let identity = self.demo.encrypt.then_some(identity.as_path());
        let reader = Reader::open(&place, identity).await?;
        let verified = reader
            .verify(&VerifyOptions::default(), self.console)
            .await?;
        let problems = verified.problem_count;
        let mark = if problems == 0 { Mark::Good } else { Mark::Bad };
        let evidence = format!(
            "{}, {}",
            counted(verified.objects, "object"),
            counted(problems, "problem")
        );
        self.console.mark(mark, "verified", &evidence);

        self.console.title("Restoring into an empty folder");
        let to = self.home.restored();
        let restored = reader
            .restore(&to, &RestoreOptions::default(), self.console)
            .await?;
        let evidence = format!(
            "{}, {}",
            counted(restored.written, "file"),
            bytes(restored.bytes)
        );
        let mark = if restored.failed_count == 0 {
            Mark::Good
        } else {
            Mark::Bad
        };
        self.console.mark(mark, "restored", &evidence);
        let compared = compare::all(self.google, &to, self.console).await?;
        let mark = if compared.is_equal() {
            Mark::Good
        } else {
            Mark::Bad
        };
        let evidence = format!(
            "{}, {}",
            counted(compared.files, "file"),
            counted(compared.differing_bytes, "differing byte")
        );
        self.console.mark(mark, "compared with Google", &evidence);
        Ok(Outcome {
            runs: [first, second, third],
            added,
            verified,
            restored,
            compared,
        })
    }

    async fn connect(&self) -> Result<Plan, Failure> {
        self.console
            .title("Connecting Google Photos with a pasted token");
        let account = self.google.account(&self.google.token_blob())?;
        self.console.mark(
            Mark::Good,
            "credentials parse",
            "client id, secret, refresh token",
        );
        let tenant = setup::tenant(self.app).await?;
        let source = setup::connect_account(self.app, tenant, &account, self.console).await?;
        let place = Place::folder(self.home.archive());
        let fingerprints = Fingerprints::in_folder(&self.home.data());
        let destination = setup::destination(self.app, tenant, &place, &fingerprints).await?;
        setup::plan(self.app, &source, &destination, &self.options()?).await
    }

    fn options(&self) -> Result<PlanOptions, Failure> {
        let mut options = PlanOptions::default();
        if self.demo.mirror {
            options.layout = Layout::Mirror;
        }
        if self.demo.encrypt {
            let recipient = wire::new_identity(&self.home.identity())?;
            options.recipients.push(recipient);
        }
        Ok(options)
    }

    async fn run(&self, plan: &Plan, name: &'static str) -> Result<RunResult, Failure> {
        self.console.title(&format!("Backing up: {name}"));
        let before = self.google.downloads();
        let begun = Instant::now();
        let run = self
            .app
            .start_run(plan.tenant, plan.id, RunChoice::Routine)
            .await?;
        let follow = Follow {
            tenant: plan.tenant,
            run: run.id,
            wait: false,
            stop: self.life.draining(),
        };
        let mut view = RunView::new(self.console, "copying");
        let ended = follow.show(self.app, &mut view).await?;
        drop(view);
        let result = RunResult {
            name,
            mode: run.mode,
            status: match ended {
                Ended::Over(run) | Ended::Waits(run) => run.status,
                Ended::Interrupted => return Err(Failure::interrupted()),
            },
            progress: follow.progress(self.app).await?,
            google_downloads: self.google.downloads() - before,
            took: begun.elapsed(),
        };
        self.tell(&result);
        Ok(result)
    }

    fn tell(&self, run: &RunResult) {
        let Progress {
            listed,
            new,
            stored,
            bytes: size,
            ..
        } = run.progress;
        let good = run.status.state == RunState::Succeeded;
        let mark = if good { Mark::Good } else { Mark::Bad };
        let whole = match run.mode {
            RunMode::Full => "the whole library",
            RunMode::Routine => "newest first, until nothing is new",
            RunMode::Picks => "what you picked",
        };
        self.console.mark(
            mark,
            "listed",
            &format!("{}, {whole}", counted(listed, "item")),
        );
        let copied = format!(
            "{} of {new} new, {}, {}",
            counted(stored, "item"),
            bytes(size),
            pace(size, run.took)
        );
        self.console.mark(mark, "copied", &copied);
        let quota = format!(
            "{}, {}",
            counted(run.progress.requests, "request"),
            counted(run.progress.downloads, "download")
        );
        self.console.mark(mark, "quota spent", &quota);
        if let Some(reason) = &run.status.reason {
            self.console
                .mark(mark, run.status.state.as_str(), &reason.message);
        }
    }
}

fn pace(size: u64, took: Duration) -> String {
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    match size {
        0 => span(took),
        _ => format!(
            "{}/s, {}",
            bytes(size.saturating_mul(1000) / millis),
            span(took)
        ),
    }
}
