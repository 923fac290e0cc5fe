//! `tintype admin`: what an operator looks at, and how work is put back that was set aside.

mod dead_letters;
mod leases;
mod queues;
mod quota;
mod requeue;
mod set_aside;
mod workers;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use serde::Serialize;
use tintype_app::App;
use tintype_runtime::Lifecycle;

use crate::{
    config::{DataFolder, Profile},
    failure::Failure,
    render::{self, Table, out},
    serve::config::Config,
    wire,
};

const EXAMPLES: &str = "\
Examples:
  tintype admin --config tintype.toml queues
  tintype admin --config tintype.toml dead-letters list
  tintype admin --config tintype.toml dead-letters redrive
  tintype admin --config tintype.toml requeue shd_…
  tintype admin --data-dir ~/.local/share/tintype quota --json

The settings are those of a scheduler: PostgreSQL, RabbitMQ, Redis, the vault. In the embedded profile the data folder must not
be in use.";

/// Whose install, and what to do there.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Admin {
    /// Settings of a hosted install in TOML
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// The data folder of an embedded install
    #[arg(
        long,
        value_name = "DIR",
        global = true,
        conflicts_with = "config",
        env = "TINTYPE_DATA_DIR"
    )]
    data_dir: Option<PathBuf>,
    /// Print the result as JSON on standard output
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// How full each job queue is
    Queues,
    /// Messages that are never delivered again
    #[command(subcommand)]
    DeadLetters(dead_letters::Task),
    /// Who works on what
    Leases(Limit),
    /// Shards that failed too often and rest until they are put back
    SetAside(Limit),
    /// What each cloud project may still spend today
    Quota,
    /// Workers that are there, and the scheduler that leads
    Workers,
    /// Put shards back into the backlog
    Requeue(requeue::Requeue),
}

/// How much is shown.
#[derive(Debug, Args)]
struct Limit {
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

impl Admin {
    /// Does it.
    pub(super) async fn run(self, life: &Lifecycle) -> Result<ExitCode, Failure> {
        match &self.data_dir {
            Some(folder) => {
                if !folder.is_dir() {
                    let message = format!("--data-dir: there is no folder {}", folder.display());
                    return Err(Failure::usage(message));
                }
                let _held = DataFolder::lock(folder)?;
                let embedded = wire::open(&Profile::in_folder(folder.clone())).await?;
                let done = self.task.run(embedded.app(), self.json).await;
                embedded.close().await;
                done
            }
            None => {
                let config = Config::read(self.config.as_deref())?;
                let services = wire::services(&config, life).await?;
                self.task.run(services.app(), self.json).await
            }
        }
    }
}

impl Task {
    async fn run(self, app: &App, json: bool) -> Result<ExitCode, Failure> {
        match self {
            Self::Queues => queues::run(app, json).await?,
            Self::DeadLetters(task) => task.run(app, json).await?,
            Self::Leases(Limit { limit }) => leases::run(app, limit, json).await?,
            Self::SetAside(Limit { limit }) => set_aside::run(app, limit, json).await?,
            Self::Quota => quota::run(app, json).await?,
            Self::Workers => workers::run(app, json).await?,
            Self::Requeue(task) => return task.run(app, json).await,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints rows: as JSON, as a table, or what there is to say when there are none.
fn show(json: bool, rows: &[impl Serialize], none: &str, table: impl FnOnce() -> Table) {
    if json {
        render::json(&serde_json::json!({ "data": rows }));
    } else if rows.is_empty() {
        out(none);
    } else {
        for line in table().lines() {
            out(&line);
        }
    }
}
