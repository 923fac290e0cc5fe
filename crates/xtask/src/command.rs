//! Child processes that end when the chore ends.

use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tintype_servers::describe;
use tokio::process::{Child, Command};

pub(crate) use tintype_servers::output;

/// How long a child may take to end after SIGTERM: nextest gives its tests ten seconds.
const GRACE: Duration = Duration::from_secs(15);

/// Cargo, run in `root` as a person would run it: without what `cargo run` told xtask about itself.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    for (name, _) in env::vars_os() {
        if is_about_xtask(&name) {
            command.env_remove(&name);
        }
    }
    command
}

/// Build scripts that watch such a variable would run again under every other caller.
fn is_about_xtask(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_CRATE_",
        "CARGO_BIN_",
        "CARGO_PRIMARY_",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

/// Runs a command to its end, its output passed through.
///
/// # Errors
/// When it cannot be started, or ends with anything but success.
pub(crate) async fn run(command: &mut Command) -> Result<()> {
    let what = describe(command.as_std());
    let mut child = Running::start(command)?;
    let status = child.wait().await?;
    if !status.success() {
        bail!("`{what}` failed ({status})");
    }
    Ok(())
}

/// A child that is asked to end, and then made to, when dropped.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// Starts a command.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let what = describe(command.as_std());
        let child = command
            .spawn()
            .with_context(|| format!("cannot start `{what}`"))?;
        Ok(Self { child })
    }

    /// The process id, until the child was waited for.
    pub(crate) fn pid(&self) -> Option<Pid> {
        self.child
            .id()
            .and_then(|id| Pid::from_raw(id.cast_signed()))
    }

    /// Waits for the child's own end.
    pub(crate) async fn wait(&mut self) -> Result<ExitStatus> {
        self.child
            .wait()
            .await
            .context("cannot wait for a child process")
    }

    /// The exit status, when the child has ended already.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child
            .try_wait()
            .context("cannot ask for a child process")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // No id: the child was waited for, and its number may belong to another process by now.
        let Some(pid) = self.pid() else {
            return;
        };
        // It may have ended in this very moment; the loop below finds out.
        let _ = kill_process(pid, Signal::TERM);
        let deadline = Instant::now() + GRACE;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        // Past its grace: SIGKILL, then reap.
        let _ = self.child.start_kill();
        let _ = self.child.try_wait();
    }
}
