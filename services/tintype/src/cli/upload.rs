//! `tintype upload`: files, or a backup, into a person's real account, with the engine of the hosted service.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use tintype_app::{
    App,
    runs::{Preflight, RunChoice},
};
use tintype_model::{
    SnapshotId,
    credential::TokenBlob,
    plan::{Plan, PlanKind, PlanOptions, UploadFrom, UploadOptions},
    storage::{BatchMode, BatchOptions, GooglePhotosSettings, Storage},
};
use tintype_ports::Clock as _;
use tintype_runtime::{Lifecycle, SystemClock};

use super::{
    here::Here,
    job::{self, Job},
    oauth_client::OAuthClient,
    outcome::Outcome,
    read_small,
};
use crate::{
    config::Profile,
    engine::Engine,
    failure::Failure,
    place::Place,
    render::{Console, Mark, bytes, count, counted, printable},
    setup::{self, Account, Fingerprints},
};

const EXAMPLES: &str = "\
Examples:
  tintype upload --client-file client.json --token-file token.json --from ~/Pictures
  tintype upload … --from ~/Pictures --preflight        only look: how many days, what Google will refuse
  tintype upload … --from ~/photos-backup               put a backup of this machine back into Google Photos

A folder becomes an album. What is in the account already is not sent again; the same command goes on
with a run that was interrupted. Google lets a cloud project make 10,000 calls a day, so about 9,800
photos; a run that needs more goes on the next day (--wait).";

/// When items are made of bytes that were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Mode {
    /// Together, each batch made and looked at before long
    Sync,
    /// Together, while bytes go on being sent
    Async,
    /// Each by itself
    Off,
}

impl From<Mode> for BatchMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Sync => Self::Sync,
            Mode::Async => Self::Async,
            Mode::Off => Self::Off,
        }
    }
}

/// How items are made.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Batch {
    /// When items are made of bytes that were sent
    #[arg(long, value_name = "MODE", value_enum, default_value_t = Mode::Sync)]
    pub(super) batch_mode: Mode,
    /// Items that are made together, 1 to 49; 0 chooses
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=49))]
    pub(super) batch_size: u8,
    /// Seconds that a batch which is not full waits for more; 0 chooses
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=3600))]
    pub(super) batch_timeout: u32,
}

impl From<Batch> for BatchOptions {
    fn from(batch: Batch) -> Self {
        Self {
            mode: batch.batch_mode.into(),
            size: batch.batch_size,
            timeout_seconds: batch.batch_timeout,
        }
    }
}

/// What to upload, and where to.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Upload {
    #[command(flatten)]
    client: OAuthClient,
    /// File with what `rclone authorize "google photos"` printed; - reads standard input
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// What to upload: a folder, a bucket (s3://…), or where `tintype backup` of this machine wrote to
    #[arg(long, value_name = "PLACE")]
    from: String,
    /// Which snapshot of a backup [default: the newest]
    #[arg(long, value_name = "ID")]
    snapshot: Option<SnapshotId>,
    /// Make no albums
    #[arg(long)]
    no_albums: bool,
    /// Only look: what there is, what Google will refuse, how many days it takes
    #[arg(long)]
    preflight: bool,
    #[command(flatten)]
    batch: Batch,
    #[command(flatten)]
    here: Here,
    /// Stay when the run has to wait, for quota, a new token or the source
    #[arg(long)]
    wait: bool,
    /// Print the result as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

/// What the command line says, understood.
struct Inputs {
    account: Account,
    place: Place,
    profile: Profile,
}

impl Upload {
    /// Runs one upload, or goes on with the one that was interrupted.
    pub(super) async fn run(self: Box<Self>, life: &Lifecycle) -> Result<ExitCode, Failure> {
        let inputs = self.inputs()?;
        let console = Console::new();
        let engine = Engine::start(&inputs.profile).await?;
        let outcome = self.work(&engine, &inputs, &console, life).await;
        job::conclude(engine, outcome, &console, life, self.json).await
    }

    fn inputs(&self) -> Result<Inputs, Failure> {
        let (client_id, client_secret) = self.client.read()?;
        let token = TokenBlob::parse_at(&read_small(&self.token_file)?, SystemClock.now())?;
        let settings = GooglePhotosSettings {
            batch: self.batch.into(),
            ..GooglePhotosSettings::new(client_id.project().clone())
        };
        Ok(Inputs {
            account: Account {
                client_id,
                client_secret,
                refresh_token: token.refresh_token,
                settings,
            },
            place: Place::parse(&self.from)?,
            profile: self.here.profile()?,
        })
    }

    /// `None`: it was only looked at.
    async fn work(
        &self,
        engine: &Engine,
        inputs: &Inputs,
        console: &Console,
        life: &Lifecycle,
    ) -> Result<Option<Outcome>, Failure> {
        let app = engine.app();
        let plan = self.prepare(app, inputs, console).await?;
        if self.preflight {
            let found = app.preflight(plan.tenant, plan.id).await?;
            show(&found, console);
            if self.json {
                crate::render::json(&report(&found));
            }
            return Ok(None);
        }
        let job = Job {
            plan: &plan,
            choice: RunChoice::Full,
            wait: self.wait,
            place: &inputs.place,
            profile: &inputs.profile,
            title: &format!("Uploading {}", inputs.place),
            doing: "uploading",
        };
        job.run(app, console, life).await.map(Some)
    }

    /// Finds or makes everything up to the plan.
    async fn prepare(
        &self,
        app: &App,
        inputs: &Inputs,
        console: &Console,
    ) -> Result<Plan, Failure> {
        let tenant = setup::tenant(app).await?;
        let fingerprints = Fingerprints::in_folder(&inputs.profile.data);
        let source = setup::source(app, tenant, &inputs.place, &fingerprints).await?;
        let account = setup::account(app, tenant, &inputs.account, &fingerprints, console).await?;
        let from = self.what(app, &source).await?;
        let options = PlanOptions {
            upload: Some(UploadOptions {
                from,
                albums: !self.no_albums,
            }),
            ..PlanOptions::default()
        };
        setup::plan(app, &source, &account, &options).await
    }

    /// A place that a backup of this machine writes to is sent by its snapshots, any other one by its files.
    async fn what(&self, app: &App, source: &Storage) -> Result<UploadFrom, Failure> {
        let store = &app.ports().store;
        let plans = store.plans(source.tenant).await?;
        let writes_there =
            |plan: &&Plan| plan.kind == PlanKind::Backup && plan.destination == source.id;
        if let Some(backup) = plans.iter().find(writes_there) {
            return Ok(UploadFrom::Snapshot {
                plan: backup.id,
                snapshot: self.snapshot,
            });
        }
        match self.snapshot {
            None => Ok(UploadFrom::Files),
            Some(_) => Err(Failure::usage(format!(
                "--snapshot: {} is no backup of this machine",
                source.name
            ))
            .with_action(
                "give the --data-dir that it was written with, or restore it to a folder and upload that",
            )),
        }
    }
}

fn show(found: &Preflight, console: &Console) {
    console.title("What an upload would do");
    let files = format!(
        "{}, of which {} were uploaded before",
        counted(found.files, "file"),
        count(found.done)
    );
    console.mark(Mark::Good, "found", &files);
    let uploads = format!(
        "{}, {} of the account's storage",
        counted(found.uploads, "file"),
        bytes(found.bytes)
    );
    console.mark(Mark::Good, "to upload", &uploads);
    let days = match &found.forecast {
        Some(forecast) if forecast.quota_days == 1 => {
            format!(
                "{}, which today's quota allows",
                counted(found.requests, "request")
            )
        }
        Some(forecast) => format!(
            "{}, so {} of quota, done by {}",
            counted(found.requests, "request"),
            counted(u64::from(forecast.quota_days), "day"),
            forecast.done_by.format("%Y-%m-%d %H:%M UTC")
        ),
        None => counted(found.requests, "request"),
    };
    console.mark(Mark::Good, "quota", &days);
    let refused: u64 = found.refused.values().sum();
    if refused > 0 {
        console.mark(Mark::Bad, "refused", &counted(refused, "file"));
        for file in &found.named {
            let (path, reason) = (printable(&file.path), printable(&file.reason));
            console.say(&format!("    {path}: {reason}"));
        }
    }
    for file in &found.unreadable {
        let (path, reason) = (printable(&file.path), printable(&file.reason));
        console.mark(Mark::Bad, &path, &reason);
    }
}

fn report(found: &Preflight) -> serde_json::Value {
    let named = |files: &[tintype_app::runs::RefusedFile]| {
        let view = |file: &tintype_app::runs::RefusedFile| serde_json::json!({"path": file.path, "reason": file.reason});
        files.iter().map(view).collect::<Vec<_>>()
    };
    serde_json::json!({
        "files": found.files,
        "done": found.done,
        "uploads": found.uploads,
        "bytes": found.bytes,
        "requests": found.requests,
        "refused": found.refused,
        "refused_files": named(&found.named),
        "unreadable": named(&found.unreadable),
        "forecast": found.forecast,
    })
}
