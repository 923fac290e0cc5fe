//! `tintype backup`: a person's real account, with the engine of the hosted service.

mod inputs;

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use tintype_app::{App, runs::RunChoice};
use tintype_model::{
    plan::{Layout, Plan, PlanOptions},
    storage::ProxyUrl,
};
use tintype_runtime::Lifecycle;

use self::inputs::Inputs;
use super::{
    here::Here,
    job::{self, Job},
    oauth_client::OAuthClient,
    outcome::Outcome,
};
use crate::{
    engine::Engine,
    failure::Failure,
    render::Console,
    setup::{self, Fingerprints},
    wire,
};

const EXAMPLES: &str = "\
Examples:
  rclone authorize \"google photos\" CLIENT_ID CLIENT_SECRET > token.json   once, with a browser
  tintype backup --client-file client.json --token-file token.json --to ~/photos-backup
  tintype backup --client-id 123-abc.apps.googleusercontent.com --client-secret-file secret.txt \\
      --token-file token.json --to 's3://bucket/photos?endpoint=https://s3.example.com&region=eu-west-1'
  tintype backup … --recipient age1…          encrypted for the holder of an age identity
  tintype backup … --pick                     what you choose at Google, whichever app it came from

The same command again copies what is new, and goes on with a run that was interrupted.
A new token in the token file takes the place of the old one. Keys of a bucket are read from
TINTYPE_S3_ACCESS_KEY_ID and TINTYPE_S3_SECRET_ACCESS_KEY.

Google shows an app only the photos that the app's own OAuth client uploaded (since 2025-03-31).";

/// What to back up, and where to.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Backup {
    #[command(flatten)]
    client: OAuthClient,
    /// File with what `rclone authorize "google photos"` printed; - reads standard input
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// Destination: a folder, or s3://bucket/prefix?endpoint=https://…&region=…
    #[arg(long, value_name = "DEST")]
    to: String,
    /// List the whole library, to notice what is gone and what was added with an old date
    #[arg(long)]
    full: bool,
    /// Back up what you pick in Google Photos, whichever app it came from: prints a link and waits until you are done. The token
    /// needs the scope photospicker.mediaitems.readonly
    #[arg(long, conflicts_with = "full")]
    pick: bool,
    /// Plain files by month instead of the archive layout; cannot be encrypted
    #[arg(long, conflicts_with = "recipients")]
    mirror: bool,
    /// Encrypt for this age recipient; can be given several times
    #[arg(long = "recipient", value_name = "age1…")]
    recipients: Vec<String>,
    /// Leave out what was created before this year
    #[arg(long, value_name = "YEAR", default_value_t = 2000, value_parser = clap::value_parser!(i32).range(1..=9999))]
    start_year: i32,
    /// Also back up what is archived
    #[arg(long)]
    include_archived: bool,
    /// Full-resolution proxy (gphotosdl) that downloads are tried at first; what it does not give comes from Google
    #[arg(long, value_name = "URL")]
    proxy: Option<ProxyUrl>,
    #[command(flatten)]
    here: Here,
    /// Stay when the run has to wait, for quota, a new token or the destination
    #[arg(long)]
    wait: bool,
    /// Print the result as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

impl Backup {
    /// Runs one backup, or goes on with the one that was interrupted.
    pub(super) async fn run(self: Box<Self>, life: &Lifecycle) -> Result<ExitCode, Failure> {
        let inputs = self.inputs()?;
        wire::check(&self.options())?;
        let console = Console::new();
        let engine = Engine::start(&inputs.profile).await?;
        let outcome = self.back_up(&engine, &inputs, &console, life).await;
        job::conclude(engine, outcome.map(Some), &console, life, self.json).await
    }

    async fn back_up(
        &self,
        engine: &Engine,
        inputs: &Inputs,
        console: &Console,
        life: &Lifecycle,
    ) -> Result<Outcome, Failure> {
        let app = engine.app();
        let plan = self.prepare(app, inputs, console).await?;
        let choice = match (self.full, self.pick) {
            (true, _) => RunChoice::Full,
            (_, true) => RunChoice::Picks,
            _ => RunChoice::Routine,
        };
        let job = Job {
            plan: &plan,
            choice,
            // Nobody picks before the link is shown.
            wait: self.wait || self.pick,
            place: &inputs.place,
            profile: &inputs.profile,
            title: &format!("Backing up to {}", inputs.place),
            doing: "copying",
        };
        job.run(app, console, life).await
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
        let source = setup::account(app, tenant, &inputs.account, &fingerprints, console).await?;
        let destination = setup::destination(app, tenant, &inputs.place, &fingerprints).await?;
        setup::plan(app, &source, &destination, &self.options()).await
    }

    fn options(&self) -> PlanOptions {
        PlanOptions {
            layout: match self.mirror {
                true => Layout::Mirror,
                false => Layout::Archive,
            },
            recipients: self.recipients.clone(),
            upload: None,
        }
    }
}
