//! A hosted install: servers, vault, scheduler and workers, and the program that plays the gateway.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tintype_servers::{Apt, Durability, Postgres, RabbitMq, Redis};
use tokio::process::Command;

use crate::bench::Bench;
use crate::bench::emulator::{Emulator, Library};
use crate::bench::measure::{self, Resident};
use crate::command::Running;
use crate::console;

/// Longer than a million items take.
const DEADLINE: Duration = Duration::from_secs(2 * 60 * 60);

/// How large an install is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) workers: u16,
    /// Downloads at once of each worker, at most.
    pub(super) max_downloads: u16,
}

/// What the gateway's part says of full runs of all plans.
#[derive(Debug, Deserialize)]
pub(super) struct BackedUp {
    pub(super) wall_s: f64,
    states: Vec<String>,
    stored: Vec<u64>,
}

/// A running install. Dropping it stops it, servers last.
pub(super) struct Fleet<'a> {
    bench: &'a Bench,
    emulator: &'a Emulator,
    folder: PathBuf,
    workers: Vec<Running>,
    _others: Vec<Running>,
    _redis: Redis,
    _rabbitmq: RabbitMq,
    _postgres: Postgres,
}

impl<'a> Fleet<'a> {
    /// Starts everything and waits until it is ready for work.
    ///
    /// # Errors
    /// When something does not start.
    pub(super) async fn start(
        bench: &'a Bench,
        emulator: &'a Emulator,
        shape: Shape,
    ) -> Result<Self> {
        let apt = Apt::telling(console::step);
        let (postgres, rabbitmq, redis) = tokio::try_join!(
            Postgres::start(&apt, Durability::Full),
            RabbitMq::start(&apt),
            Redis::start(&apt)
        )?;
        let folder = bench.scratch.fresh("fleet")?;
        let servers = json!({
            "postgres": postgres.url(),
            "rabbitmq": rabbitmq.url(),
            "redis": redis.url(),
            "ca_cert": emulator.authority(),
            "max_downloads": shape.max_downloads,
        });
        fs::write(folder.join("install.json"), servers.to_string())?;
        let mut fleet = Self {
            bench,
            emulator,
            folder,
            workers: Vec::new(),
            _others: Vec::new(),
            _redis: redis,
            _rabbitmq: rabbitmq,
            _postgres: postgres,
        };
        fleet.tell(&["prepare"]).await?;
        for settings in ["vault.toml", "fleet.toml"] {
            fleet.migrate(settings).await?;
        }
        for (role, settings) in [("vault", "vault.toml"), ("scheduler", "fleet.toml")] {
            let running = fleet.serve(role, settings, role)?;
            fleet._others.push(running);
        }
        for number in 0..shape.workers {
            let running = fleet.serve("worker", "fleet.toml", &format!("worker-{number}"))?;
            fleet.workers.push(running);
        }
        fleet.tell(&["ready", &shape.workers.to_string()]).await?;
        Ok(fleet)
    }

    /// Connects a tenant for each of these libraries; the commands from now on are about them.
    ///
    /// # Errors
    /// When one cannot be connected.
    pub(super) async fn connect(&mut self, libraries: &[Library]) -> Result<()> {
        let mut customers = Vec::with_capacity(libraries.len());
        for library in libraries {
            let (name, refresh_token) = self.emulator.add_account(*library).await?;
            customers.push(json!({
                "name": name,
                "client_id": self.emulator.client_id(),
                "client_secret": self.emulator.client_secret(),
                "refresh_token": refresh_token,
            }));
        }
        let text = serde_json::to_string(&customers)?;
        fs::write(self.folder.join("customers.json"), text)?;
        self.tell(&["connect"]).await
    }

    /// A full run of every tenant that was connected last, checked.
    ///
    /// # Errors
    /// When a run does not succeed, or `items` were not stored by all together.
    pub(super) async fn back_up(&self, items: u64) -> Result<BackedUp> {
        let done: BackedUp = self.ask_once(&["back-up"]).await?;
        let well = done.states.iter().all(|state| state == "succeeded");
        ensure!(well, "runs ended as {:?}", done.states);
        let stored: u64 = done.stored.iter().sum();
        ensure!(stored == items, "{stored} of {items} items were stored");
        Ok(done)
    }

    /// Does a command of the gateway's part.
    ///
    /// # Errors
    /// When it fails.
    pub(super) async fn tell(&self, command: &[&str]) -> Result<()> {
        self.lines(command).await.map(drop)
    }

    /// Does a command that answers one line.
    ///
    /// # Errors
    /// When it fails or answers something else.
    pub(super) async fn ask_once<T: DeserializeOwned>(&self, command: &[&str]) -> Result<T> {
        let answers = self.ask(command).await?;
        let [answer] = <[T; 1]>::try_from(answers)
            .ok()
            .with_context(|| format!("{command:?} did not answer one line"))?;
        Ok(answer)
    }

    /// Does a command that answers lines.
    ///
    /// # Errors
    /// When it fails or answers something else.
    pub(super) async fn ask<T: DeserializeOwned>(&self, command: &[&str]) -> Result<Vec<T>> {
        let text = self.lines(command).await?;
        let lines = text.lines().map(serde_json::from_str);
        lines
            .collect::<Result<_, _>>()
            .with_context(|| format!("{command:?} answered something else than its lines"))
    }

    async fn lines(&self, words: &[&str]) -> Result<String> {
        let mut command = self.command(&self.bench.programs.fleet);
        command.arg(&self.folder).args(words);
        let finished = measure::run(vec![command], &self.folder, DEADLINE).await?;
        let what = format!("{} (logs in {})", words.join(" "), self.folder.display());
        Ok(finished.succeeded(&what)?.stdout)
    }

    /// The most memory that the workers together ever held, MiB.
    ///
    /// # Errors
    /// When a worker is gone.
    pub(super) fn peak_of_workers(&self) -> Result<f64> {
        let mut sum = 0.0;
        for worker in &self.workers {
            sum += Resident::of(worker)?.peak_mib;
        }
        Ok(sum)
    }

    /// The emulator that stands for Google.
    pub(super) fn google(&self) -> &Emulator {
        self.emulator
    }

    async fn migrate(&self, settings: &str) -> Result<()> {
        let mut command = self.command(&self.bench.programs.tintype);
        command
            .args(["serve", "--role", "migrate", "--config"])
            .arg(self.folder.join(settings));
        let finished = measure::run(vec![command], &self.folder, DEADLINE).await?;
        finished.succeeded("tintype serve --role migrate")?;
        Ok(())
    }

    fn serve(&self, role: &str, settings: &str, log: &str) -> Result<Running> {
        let mut command = self.command(&self.bench.programs.tintype);
        command
            .args(["serve", "--role", role, "--config"])
            .arg(self.folder.join(settings))
            .stdin(Stdio::null())
            .stdout(File::create(self.folder.join(format!("{log}.out")))?)
            .stderr(File::create(self.folder.join(format!("{log}.log")))?);
        Running::start(&mut command)
    }

    /// A program of ours, for which the emulator is Google.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", &self.folder)
            .env("HTTPS_PROXY", self.emulator.proxy())
            .env("SSL_CERT_FILE", self.emulator.authority());
        command
    }
}
