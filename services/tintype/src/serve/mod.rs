//! `tintype serve`: a hosted install's roles, of which one process may have several; or everything embedded in one process.

pub(crate) mod config;
mod embedded;
pub(crate) mod ops;
mod roles;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, ValueEnum};
use tintype_model::ErrorKind;
use tintype_runtime::{
    Lifecycle, metrics,
    telemetry::{self, LogFormat, Telemetry, TelemetrySettings},
};

use crate::failure::Failure;
use config::Config;

/// Requests under way end within this after the first signal.
const GRACE: Duration = Duration::from_secs(10);

const EXAMPLES: &str = "\
Examples:
  tintype serve --profile embedded
  tintype serve --config tintype.toml --role vault
  tintype serve --config tintype.toml --role gateway --role scheduler --role worker
  TINTYPE_POSTGRES__URL=postgres://… tintype serve --role migrate

SIGTERM or Ctrl-C: take no new work, hand leases back; again: stop at once.";

/// The last spans reach the collector within this, or are lost.
const FLUSH: Duration = Duration::from_secs(3);

/// Where things are kept and how processes talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Profile {
    /// Everything in this process and one folder: gateway, scheduler, worker, vault
    Embedded,
    /// PostgreSQL, RabbitMQ, Redis and a vault; each process has the roles it is given
    Services,
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Answer the REST API; needs [gateway]
    Gateway,
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
    /// Where things are kept and how processes talk
    #[arg(long, value_enum, default_value = "services")]
    profile: Profile,
    /// What this process does in the services profile; may be given several times
    #[arg(
        long = "role",
        value_name = "ROLE",
        required_if_eq("profile", "services")
    )]
    roles: Vec<Role>,
    /// Settings in TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of the embedded profile
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Serve {
    /// Serves until it is asked to stop.
    pub(crate) async fn run(self, life: &Lifecycle) -> Result<ExitCode, Failure> {
        let config = Config::read(self.config.as_deref())?;
        self.telemetry(&config)?.flush_at_the_end_of(life, FLUSH);
        let counted =
            metrics::install().map_err(|error| Failure::caused_by(ErrorKind::Internal, &error))?;
        let (kept, stop) = (counted.clone(), life.stopping());
        tokio::spawn(async move { kept.keep_up(stop).await });
        match self.profile {
            Profile::Embedded if !self.roles.is_empty() => {
                Err(Failure::usage("--role: the embedded profile has all roles")
                    .with_action("leave --role out, or choose --profile services"))
            }
            Profile::Embedded => {
                embedded::run(&config, self.data_dir, counted, life).await?;
                Ok(ExitCode::SUCCESS)
            }
            Profile::Services if self.data_dir.is_some() => Err(Failure::usage(
                "--data-dir: the services profile keeps nothing in a folder",
            )
            .with_action("leave it out, or choose --profile embedded")),
            Profile::Services => {
                roles::run(&config, &self.roles, counted, life).await?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }

    /// Logs as JSON for a collector of logs, and traces where one is named.
    fn telemetry(&self, config: &Config) -> Result<Telemetry, Failure> {
        let role = match self.profile {
            Profile::Embedded => "embedded".to_owned(),
            Profile::Services => {
                let names = self.roles.iter().filter_map(ValueEnum::to_possible_value);
                let names: Vec<String> = names.map(|it| it.get_name().to_owned()).collect();
                names.join("+")
            }
        };
        let told = &config.telemetry;
        let usual = TelemetrySettings::from_env(&role);
        let settings = TelemetrySettings {
            endpoint: told.otlp_endpoint.clone().or(usual.endpoint),
            sampling: told.sampling.unwrap_or(usual.sampling),
            format: LogFormat::Json,
            ..usual
        };
        Ok(telemetry::start(&settings)?)
    }
}
