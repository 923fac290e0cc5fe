//! What all private servers have in common: they start, are hurt, and come back on the same port with the same data.

use std::{
    fmt,
    fs::File,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::{files::last_lines, process::Process};

/// From start to answering; an idle laptop needs under five seconds for any of them.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// Between choosing a free port and listening on it another process may take it.
const ATTEMPTS: usize = 3;

/// A kind of server.
pub trait Program: fmt::Debug + Send + Sync {
    /// What people call it.
    const NAME: &'static str;
    /// Ends it in order, with everything written.
    const ORDERLY: Signal;
    /// Ends it at once, leaving nothing behind in the system.
    const AT_ONCE: Signal;

    /// Chooses the ports it listens on.
    ///
    /// # Errors
    /// When none is free.
    fn choose_ports(&mut self) -> Result<()>;

    /// The command that runs it in the foreground, with its data in `folder`.
    ///
    /// # Errors
    /// When its configuration cannot be written.
    fn command(&self, folder: &Path) -> Result<Command>;

    /// Whether the process `pid` answers.
    fn is_ready(&self, folder: &Path, pid: u32) -> impl Future<Output = bool> + Send;
}

/// A server of our own. Dropping it ends it and removes its folder.
#[derive(Debug)]
pub struct Server<P: Program> {
    pub(crate) program: P,
    // Declared before the folder, so that the server is gone when its files go.
    process: Option<Process>,
    folder: TempDir,
}

impl<P: Program> Server<P> {
    pub(crate) async fn first_start(program: P, folder: TempDir) -> Result<Self> {
        let mut server = Self {
            program,
            process: None,
            folder,
        };
        let mut attempt = 1;
        loop {
            server.program.choose_ports()?;
            match server.start_again().await {
                Ok(()) => return Ok(server),
                Err(error) if attempt == ATTEMPTS => return Err(error),
                Err(_) => attempt += 1,
            }
        }
    }

    /// Ends it without warning (SIGKILL to all of its processes), as a power cut would. It stays down until
    /// [`Self::restart`].
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Ends it in order. It stays down until [`Self::restart`].
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end(P::ORDERLY);
        }
    }

    /// Starts it on the same ports with the same data; ends it in order before, when it runs. Returns once it answers.
    ///
    /// # Errors
    /// With the end of its log, when it does not start.
    pub async fn restart(&mut self) -> Result<()> {
        self.stop();
        self.start_again().await
    }

    /// Freezes all of its processes (SIGSTOP): connections stay open, nothing answers.
    pub fn pause(&mut self) {
        if let Some(process) = &mut self.process {
            process.signal_all(Signal::STOP);
        }
    }

    /// Lets it go on after [`Self::pause`].
    pub fn resume(&mut self) {
        if let Some(process) = &mut self.process {
            process.signal_all(Signal::CONT);
        }
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has logged since its last start.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("output.log")
    }

    async fn start_again(&mut self) -> Result<()> {
        let folder = self.folder.path();
        let log = self.log();
        let output = File::create(&log)?;
        let mut command = self.program.command(folder)?;
        command.stdout(output.try_clone()?).stderr(output);
        let mut process = Process::start(&mut command, P::AT_ONCE, Some(folder))
            .with_context(|| format!("cannot start {}", P::NAME))?;
        let deadline = Instant::now() + READY_WITHIN;
        while !self.program.is_ready(folder, process.id()).await {
            if process.has_ended() || Instant::now() > deadline {
                bail!("{} did not start: {}", P::NAME, last_lines(&log));
            }
            sleep(Duration::from_millis(50)).await;
        }
        self.process = Some(process);
        Ok(())
    }
}
