//! `tintype serve`: the roles of a hosted install. One process may have several.

pub(crate) mod config;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use tintype_model::ErrorKind;
use tintype_runtime::Lifecycle;
use tokio::task::JoinSet;

use crate::{failure::Failure, wire};
use config::Config;

const EXAMPLES: &str = "\
Examples:
  tintype serve --config tintype.toml --role vault
  tintype serve --config tintype.toml --role scheduler --role worker
  TINTYPE_POSTGRES__URL=postgres://… tintype serve --role migrate

SIGTERM or Ctrl-C: take no new work, hand leases back; again: stop at once.";

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Keep credentials; needs [vault_server]
    Vault,
    /// Work on shards
    Worker,
    /// Decide what is worked on next; of several, one leads
    Scheduler,
    /// Bring the databases up to date, as their owner, and end
    Migrate,
}

/// What to serve, and with which settings.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// What this process does; may be given several times
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<Role>,
    /// Settings in TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Serve {
    /// Serves until it is asked to stop.
    pub(crate) async fn run(self, life: &Lifecycle) -> Result<ExitCode, Failure> {
        let config = Config::read(self.config.as_deref())?;
        let has = |role| self.roles.contains(&role);
        if has(Role::Migrate) {
            wire::migrate(&config).await?;
        }
        let mut tasks: JoinSet<Result<(), Failure>> = JoinSet::new();
        if has(Role::Vault) {
            let vault = wire::vault(&config).await?;
            let life = life.clone();
            tasks.spawn(async move { vault.run(&life).await });
        }
        if has(Role::Worker) || has(Role::Scheduler) {
            let services = wire::services(&config, life).await?;
            if has(Role::Scheduler) {
                let (app, stop) = (services.app().clone(), life.draining());
                tasks.spawn(async move {
                    app.schedule(stop).await;
                    Ok(())
                });
            }
            if has(Role::Worker) {
                let (app, stop) = (services.app().clone(), life.draining());
                tasks.spawn(async move {
                    app.work(stop).await;
                    Ok(())
                });
            }
        }
        tracing::info!(roles = ?self.roles, "serving");
        let mut ended = Ok(());
        while let Some(task) = tasks.join_next().await {
            let outcome = task.unwrap_or_else(|error| {
                let message = format!("a role ended in a defect: {error}");
                Err(Failure::new(ErrorKind::Internal, message))
            });
            // One role that fails takes the process along: whoever started it starts it anew.
            if outcome.is_err() {
                life.drain();
            }
            ended = ended.and(outcome);
        }
        ended.map(|()| ExitCode::SUCCESS)
    }
}
