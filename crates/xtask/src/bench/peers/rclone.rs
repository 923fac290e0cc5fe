//! The reference: real rclone, unmodified, with nothing turned off.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use tokio::process::Command;

use crate::bench::Bench;
use crate::bench::emulator::{Emulator, YEARS};

/// How rclone makes items of the bytes that it sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bench) enum Batching {
    /// Each by itself.
    Off,
    /// So many together; none of their transfers ends before.
    Sync(u16),
}

/// rclone with a remote `google:` of the emulator.
pub(in crate::bench) struct Rclone {
    program: PathBuf,
    home: PathBuf,
    proxy: String,
    authority: PathBuf,
    config: String,
}

impl Rclone {
    /// Writes its configuration into `home`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(in crate::bench) fn configure(
        bench: &Bench,
        emulator: &Emulator,
        home: &Path,
    ) -> Result<Self> {
        let config = format!(
            "[google]\ntype = google photos\nclient_id = {}\nclient_secret = {}\ntoken = {}\n",
            emulator.client_id(),
            emulator.client_secret(),
            emulator.token_blob()
        );
        fs::write(home.join("rclone.conf"), &config)?;
        Ok(Self {
            program: bench.rclone()?.to_path_buf(),
            home: home.to_path_buf(),
            proxy: emulator.proxy().to_owned(),
            authority: emulator.authority(),
            config,
        })
    }

    /// Copies a folder of the remote.
    pub(in crate::bench) fn copy(&self, from: &str, to: &Path, transfers: u16) -> Command {
        self.copy_with("rclone.conf", from, to, transfers)
    }

    /// A process for each year. Each has its own configuration file: a refreshed token is written into it.
    pub(super) fn copy_by_year(&self, to: &Path, transfers: u16) -> Result<Vec<Command>> {
        let mut commands = Vec::new();
        for year in YEARS {
            let config = format!("rclone-{year}.conf");
            fs::write(self.home.join(&config), &self.config)?;
            let from = format!("media/by-year/{year}");
            let into = to.join(year.to_string());
            commands.push(self.copy_with(&config, &from, &into, transfers));
        }
        Ok(commands)
    }

    /// Copies a folder to the remote.
    pub(in crate::bench) fn upload(
        &self,
        from: &Path,
        to: &str,
        transfers: u16,
        batching: Batching,
    ) -> Command {
        let mut command = self.command("rclone.conf");
        command
            .arg("copy")
            .arg(from)
            .arg(format!("google:{to}"))
            .args(["--transfers", &transfers.to_string()]);
        match batching {
            Batching::Off => command.args(["--gphotos-batch-mode", "off"]),
            Batching::Sync(size) => command
                .args(["--gphotos-batch-mode", "sync"])
                .args(["--gphotos-batch-size", &size.to_string()]),
        };
        command
    }

    /// The names of a folder of the remote, a line each.
    pub(in crate::bench) fn names(&self, of: &str) -> Command {
        let mut command = self.command("rclone.conf");
        command.arg("lsf").arg(format!("google:{of}"));
        command
    }

    fn copy_with(&self, config: &str, from: &str, to: &Path, transfers: u16) -> Command {
        let mut command = self.command(config);
        command
            .arg("copy")
            .arg(format!("google:{from}"))
            .arg(to)
            .args(["--transfers", &transfers.to_string()])
            .args(["--checkers", &transfers.to_string()]);
        command
    }

    fn command(&self, config: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("HOME", &self.home)
            .env("HTTPS_PROXY", &self.proxy)
            .env("SSL_CERT_FILE", &self.authority)
            .arg("--quiet")
            .arg("--config")
            .arg(self.home.join(config));
        command
    }
}
