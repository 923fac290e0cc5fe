//! `tintype demo`: a library at a fake Google is backed up three times, verified, restored and compared byte for byte.

mod acts;
mod compare;
mod google;
mod home;
mod outcome;

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use tintype_runtime::Lifecycle;

use self::{acts::Acts, google::Google, home::Home};
use super::size;
use crate::{config::Profile, engine::Engine, failure::Failure, render::Console};

const EXAMPLES: &str = "\
Examples:
  tintype demo                            real sample photos and 300 invented ones
  tintype demo --library ~/Pictures       your own photos; nothing is written there
  tintype demo --items 5000 --size 200KiB --latency 50
  tintype demo --encrypt --keep ./demo    keep everything in a folder of your choice

Nothing leaves this machine. Exit code 0 says that the second run downloaded nothing, the third run just
the added photos, the archive is intact, and every restored byte is the one that was served.";

/// What the demo shows.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Demo {
    /// Show it with the photos and videos of this folder; nothing is written there
    #[arg(long, value_name = "DIR", conflicts_with_all = ["items", "size"])]
    library: Option<PathBuf>,
    /// Invented photos beside the samples
    #[arg(long, value_name = "N", default_value_t = 300)]
    items: u64,
    /// Size of each invented photo
    #[arg(long, value_name = "SIZE", value_parser = size::parse, default_value = "60KiB")]
    size: u64,
    /// Keep everything in this new or empty folder [default: a new folder for temporary files, which stays unless --json]
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Google waits so long before each answer
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// Encrypt the archive
    #[arg(long)]
    encrypt: bool,
    /// Plain files by month instead of the archive layout
    #[arg(long, conflicts_with = "encrypt")]
    mirror: bool,
    /// Print the result as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

impl Demo {
    /// Shows everything, and fails when anything is not as it should be.
    pub(super) async fn run(self, life: &Lifecycle) -> Result<ExitCode, Failure> {
        let console = Console::new();
        let home = Home::make(self.keep.as_deref(), self.json)?;
        let google = Google::start(&self).await?;
        let profile = Profile {
            google: Some(google.url()?),
            limits: google.limits(),
            ..Profile::in_folder(home.data())
        };
        let engine = Engine::start(&profile).await?;
        let acts = Acts {
            demo: &self,
            app: engine.app(),
            google: &google,
            home: &home,
            console: &console,
            life,
        };
        let outcome = acts.play().await;
        engine.drain().await?;
        google.stop().await;
        let outcome = outcome?;
        if self.json {
            crate::render::json(&outcome.report(&home));
        } else {
            outcome.tell(&console, &home);
        }
        Ok(outcome.exit_code(&console))
    }
}
