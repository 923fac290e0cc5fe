//! A private Redis server, and its snapshots.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    apt::Apt,
    files::find_in_path,
    ports,
    server::{Program, Server},
};

/// Answers of a healthy server to a short command, saving included.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
const SNAPSHOT: &str = "dump.rdb";

/// What a Redis server is made of.
#[derive(Debug)]
pub struct Installation {
    program: PathBuf,
    port: u16,
}

/// A private Redis server. It writes nothing to disk by itself, so it comes back empty after an end of any kind, unless a
/// snapshot was put in place.
pub type Redis = Server<Installation>;

impl Redis {
    /// Starts a server, installing Redis when it is missing.
    ///
    /// # Errors
    /// With what to install, when Redis is missing and this is not root; with the end of the server's log, when it does not
    /// start.
    pub async fn start(apt: &Apt) -> Result<Self> {
        let program = match find_in_path("redis-server") {
            Some(found) => found,
            None => {
                apt.install(&["redis-server"])
                    .await
                    .context("the Redis server is missing")?;
                find_in_path("redis-server")
                    .context("redis-server was installed, but is not in PATH")?
            }
        };
        let folder = tempfile::Builder::new()
            .prefix("tintype-redis-")
            .tempdir()?;
        Self::first_start(Installation { program, port: 0 }, folder).await
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.program.port
    }

    /// All that it holds now, as a snapshot file. From here on it comes back with this, not empty.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn snapshot(&self) -> Result<Vec<u8>> {
        let answer = ask(self.port(), "SAVE").await?;
        if answer != "+OK" {
            bail!("Redis saved no snapshot: {answer}");
        }
        Ok(fs::read(self.folder().join(SNAPSHOT))?)
    }

    /// Kills it and starts it again with an older snapshot, as after a restore from a backup; `None` starts it empty.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart_from(&mut self, snapshot: Option<&[u8]>) -> Result<()> {
        self.kill();
        let file = self.folder().join(SNAPSHOT);
        match snapshot {
            Some(bytes) => fs::write(&file, bytes)?,
            None if file.exists() => fs::remove_file(&file)?,
            None => {}
        }
        self.restart().await
    }
}

impl Program for Installation {
    const NAME: &'static str = "Redis";
    const ORDERLY: Signal = Signal::TERM;
    const AT_ONCE: Signal = Signal::KILL;

    fn choose_ports(&mut self) -> Result<()> {
        self.port = ports::free()?;
        Ok(())
    }

    fn command(&self, folder: &Path) -> Result<Command> {
        let mut redis = Command::new(&self.program);
        redis
            .args(["--port", &self.port.to_string()])
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--daemonize", "no", "--dbfilename", SNAPSHOT, "--dir"])
            .arg(folder)
            .current_dir(folder);
        Ok(redis)
    }

    async fn is_ready(&self, _folder: &Path, _pid: u32) -> bool {
        ask(self.port, "PING")
            .await
            .is_ok_and(|answer| answer == "+PONG")
    }
}

/// One command without arguments, and the first line of its answer.
async fn ask(port: u16, command: &str) -> Result<String> {
    let talk = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream
            .write_all(format!("{command}\r\n").as_bytes())
            .await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n") {
            if stream.read_buf(&mut answer).await? == 0 {
                break;
            }
        }
        anyhow::Ok(String::from_utf8_lossy(&answer).trim_end().to_owned())
    };
    timeout(ANSWERS_WITHIN, talk)
        .await
        .context("Redis does not answer")?
}
