//! A PostgreSQL server of the tests' own: private folder, free port, gone when they end.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::sleep;

use crate::command::{self, Running};
use crate::console;
use crate::paths;
use crate::system::{self, Apt};

/// From start to accepting connections; a laptop needs under a second.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Between choosing a free port and listening on it another process may take it.
const ATTEMPTS: usize = 3;

/// Whether what the server was given outlives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Tests: the data is thrown away, so nobody waits for a disk.
    None,
    /// Benchmarks: every commit waits for the disk, as PostgreSQL does unless told otherwise.
    Full,
}

impl Durability {
    fn settings(self) -> &'static [&'static str] {
        match self {
            Self::None => &[
                "fsync=off",
                "synchronous_commit=off",
                "full_page_writes=off",
            ],
            Self::Full => &[],
        }
    }
}

/// A running server; dropping it stops it and removes its folder.
pub(crate) struct Server {
    // Declared before the folder, so that the server is gone when its files go.
    _process: Running,
    _folder: TempDir,
    port: u16,
}

impl Server {
    /// Starts a server, installing PostgreSQL when it is missing.
    ///
    /// # Errors
    /// With what to install, when PostgreSQL is missing and this is not root; with the end of the
    /// server's log, when it does not start.
    pub(crate) async fn start(apt: &mut Apt, durability: Durability) -> Result<Self> {
        let binaries = find_or_install(apt).await?;
        let account = Account::to_run_as(&binaries)?;
        let folder = tempfile::Builder::new()
            .prefix("tintype-postgres-")
            .tempdir()?;
        account.take_over(folder.path())?;
        let data = folder.path().join("data");
        initialise(&binaries, &account, &data).await?;

        let mut attempt = 1;
        let (process, port) = loop {
            let log = folder.path().join(format!("log-{attempt}"));
            match start_once(&binaries, &account, (&data, durability), &log).await {
                Ok(started) => break started,
                Err(error) if attempt == ATTEMPTS => return Err(error),
                Err(_) => attempt += 1,
            }
        };
        console::step(&format!(
            "PostgreSQL of {} on port {port}",
            binaries.display()
        ));
        Ok(Self {
            _process: process,
            _folder: folder,
            port,
        })
    }

    /// The address of the superuser.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

async fn find_or_install(apt: &mut Apt) -> Result<PathBuf> {
    if let Some(found) = find().await {
        return Ok(found);
    }
    apt.install(&["postgresql"])
        .await
        .context("the tests need the PostgreSQL server programs")?;
    find()
        .await
        .context("postgresql was installed, but its server programs were not found")
}

/// The folder that holds both `initdb` and `postgres`: asked of `pg_config`, in `PATH`, or where Debian
/// puts them (the newest first).
async fn find() -> Option<PathBuf> {
    let mut folders = Vec::new();
    if let Ok(answer) = command::output(Command::new("pg_config").arg("--bindir")).await {
        folders.push(PathBuf::from(answer.trim()));
    }
    if let Some(initdb) = paths::find_in_path("initdb") {
        folders.extend(initdb.parent().map(Path::to_path_buf));
    }
    let mut debian: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter_map(|dir| Some((dir.file_name()?.to_str()?.parse().ok()?, dir.join("bin"))))
        .collect();
    debian.sort();
    folders.extend(debian.into_iter().rev().map(|(_, folder)| folder));
    folders
        .into_iter()
        .find(|dir| dir.join("initdb").is_file() && dir.join("postgres").is_file())
}

/// Whom the server runs as: PostgreSQL refuses to run as root.
struct Account {
    ids: Option<(u32, u32)>,
}

impl Account {
    fn to_run_as(binaries: &Path) -> Result<Self> {
        if !system::is_root() {
            return Ok(Self { ids: None });
        }
        let accounts = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        let ids = ["postgres", "nobody"]
            .iter()
            .find_map(|name| ids_of(name, &accounts));
        if ids.is_none() {
            bail!(
                "{} will not run as root, and there is no user postgres or nobody to run it as",
                binaries.display()
            );
        }
        Ok(Self { ids })
    }

    fn take_over(&self, folder: &Path) -> io::Result<()> {
        self.ids.map_or(Ok(()), |(user, group)| {
            chown(folder, Some(user), Some(group))
        })
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.ids {
            command.uid(user).gid(group);
        }
        // Its own process group: Ctrl-C ends the tests first, then the server. And a folder it may enter.
        command.process_group(0).current_dir("/").env("LC_ALL", "C");
        command
    }
}

/// User and group number of an account, out of the text of `/etc/passwd`.
fn ids_of(name: &str, accounts: &str) -> Option<(u32, u32)> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next()? == name;
        let (user, group) = (fields.nth(1)?, fields.next()?);
        found.then_some((user.parse().ok()?, group.parse().ok()?))
    })
}

async fn initialise(binaries: &Path, account: &Account, data: &Path) -> Result<()> {
    let mut initdb = account.command(&binaries.join("initdb"));
    initdb
        .args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-sync",
        ])
        .args(["--locale=C", "--no-instructions", "--pgdata"])
        .arg(data);
    command::output(&mut initdb)
        .await
        .context("cannot create a PostgreSQL data folder")?;
    Ok(())
}

async fn start_once(
    binaries: &Path,
    account: &Account,
    (data, durability): (&Path, Durability),
    log: &Path,
) -> Result<(Running, u16)> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port();
    let output = File::create(log)?;
    let mut postgres = account.command(&binaries.join("postgres"));
    postgres.arg("-D").arg(data).arg("-p").arg(port.to_string());
    for setting in [
        "listen_addresses=127.0.0.1",
        // No socket file: its path has a limit that a long temporary folder breaks.
        "unix_socket_directories=",
        "max_connections=300",
        "jit=off",
    ]
    .iter()
    .chain(durability.settings())
    {
        postgres.arg("-c").arg(setting);
    }
    postgres.stdout(output.try_clone()?).stderr(output);
    // SIGQUIT: stop at once, without the checkpoint that nobody will read.
    let mut process = Running::start_ended_by(&mut postgres, Signal::QUIT)?;

    let deadline = Instant::now() + READY_WITHIN;
    while !is_ready(data) {
        if process.ended()?.is_some() || Instant::now() > deadline {
            bail!("PostgreSQL did not start: {}", last_lines(log));
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok((process, port))
}

/// The eighth line of `postmaster.pid` is the server's state: what `pg_ctl start --wait` looks at.
fn is_ready(data: &Path) -> bool {
    fs::read_to_string(data.join("postmaster.pid")).is_ok_and(|text| {
        text.lines()
            .nth(7)
            .is_some_and(|state| state.trim() == "ready")
    })
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join(" | ")
}

#[cfg(test)]
mod tests {
    use super::ids_of;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\npostgresql:x:7:8::/:\npostgres:x:104:111:,,,:/var/lib/postgresql:/bin/sh\n";
        assert_eq!(ids_of("postgres", accounts), Some((104, 111)));
        assert_eq!(ids_of("nobody", accounts), None);
    }
}
