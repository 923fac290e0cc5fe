//! The Debian package manager, for what a machine lacks.

use std::{fs, fs::File, process::Stdio};

use anyhow::{Context, Result, bail};
use tokio::{process::Command, sync::Mutex};

use crate::{command::describe, files::find_in_path};

/// Whether this process may install packages and change users.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Installs Debian packages, one caller at a time; the lists are fetched once, when first needed.
#[derive(Debug)]
pub struct Apt {
    lists_are_fresh: Mutex<bool>,
    say: fn(&str),
}

impl Default for Apt {
    fn default() -> Self {
        Self::telling(|_| {})
    }
}

impl Apt {
    /// One that says through `say` what it does: it may take a minute.
    #[must_use]
    pub fn telling(say: fn(&str)) -> Self {
        Self {
            lists_are_fresh: Mutex::new(false),
            say,
        }
    }

    /// Whether packages can be installed here at all.
    #[must_use]
    pub fn is_usable() -> bool {
        is_root() && find_in_path("apt-get").is_some()
    }

    /// Installs `packages`.
    ///
    /// # Errors
    /// When this is not root on a system with apt-get, or apt-get fails.
    pub async fn install(&self, packages: &[&str]) -> Result<()> {
        let names = packages.join(" ");
        if !Self::is_usable() {
            bail!(
                "install {names} (on Debian or Ubuntu: sudo apt-get install {names}), or run this as root"
            );
        }
        let mut lists_are_fresh = self.lists_are_fresh.lock().await;
        if !*lists_are_fresh {
            (self.say)("apt-get update");
            run(apt_get().arg("update")).await?;
            *lists_are_fresh = true;
        }
        (self.say)(&format!("apt-get install {names}"));
        let mut install = apt_get();
        install
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages);
        run(&mut install).await
    }
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command
        .arg("--quiet")
        .env("DEBIAN_FRONTEND", "noninteractive")
        // Without systemd, packages then start no server of their own on the well-known port.
        .env("RUNLEVEL", "1");
    command
}

/// Its words go to a file: a server that a package starts all the same would keep a pipe open for ever.
async fn run(command: &mut Command) -> Result<()> {
    let what = describe(command.as_std());
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("log");
    let file = File::create(&log)?;
    command
        .kill_on_drop(true)
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file);
    let status = command
        .status()
        .await
        .with_context(|| format!("cannot start `{what}`"))?;
    if !status.success() {
        let text = fs::read_to_string(&log).unwrap_or_default();
        bail!("`{what}` failed ({status}): {}", text.trim());
    }
    Ok(())
}
