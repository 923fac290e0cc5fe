//! A private PostgreSQL server.

use std::{
    fs, io,
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::{
    apt::{Apt, is_root},
    command,
    files::find_in_path,
    ports,
    server::{Program, Server},
};

/// Whether what the server was given outlives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Tests: the data is thrown away, so nobody waits for a disk. A kill of the server loses what was acknowledged last.
    None,
    /// Tests that kill the server: what was acknowledged survives that, but not a crash of the machine.
    Kill,
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
                // In the data folder, so that a killed server leaves nothing in /dev/shm.
                "dynamic_shared_memory_type=mmap",
            ],
            Self::Kill => &["fsync=off", "dynamic_shared_memory_type=mmap"],
            Self::Full => &[],
        }
    }
}

/// What a PostgreSQL server is made of.
#[derive(Debug)]
pub struct Installation {
    binaries: PathBuf,
    account: Account,
    durability: Durability,
    port: u16,
}

/// A private PostgreSQL server.
pub type Postgres = Server<Installation>;

impl Postgres {
    /// Starts a server, installing PostgreSQL when it is missing.
    ///
    /// # Errors
    /// With what to install, when PostgreSQL is missing and this is not root; with the end of the
    /// server's log, when it does not start.
    pub async fn start(apt: &Apt, durability: Durability) -> Result<Self> {
        let binaries = find_or_install(apt).await?;
        let account = Account::to_run_as(&binaries)?;
        let folder = tempfile::Builder::new()
            .prefix("tintype-postgres-")
            .tempdir()?;
        account.take_over(folder.path())?;
        initialise(&binaries, &account, &folder.path().join("data")).await?;
        let installation = Installation {
            binaries,
            account,
            durability,
            port: 0,
        };
        Self::first_start(installation, folder).await
    }

    /// The address of the superuser.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port())
    }

    /// Everything in a database, as SQL text: rows of all tables included.
    ///
    /// # Errors
    /// When `pg_dump`, which stands beside the server, cannot read it.
    pub async fn dump(&self, database: &str) -> Result<String> {
        let mut dump = Command::new(self.program.binaries.join("pg_dump"));
        let server = self.url();
        let (server, _) = server.rsplit_once('/').unwrap_or((&server, ""));
        dump.arg("--inserts").arg(format!("{server}/{database}"));
        command::output(&mut dump.into()).await
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.program.port
    }
}

impl Program for Installation {
    const NAME: &'static str = "PostgreSQL";
    // Fast: ends the sessions, writes a checkpoint.
    const ORDERLY: Signal = Signal::INT;
    // Immediate: without the checkpoint that nobody will read, but with its shared memory given back.
    const AT_ONCE: Signal = Signal::QUIT;

    fn choose_ports(&mut self) -> Result<()> {
        self.port = ports::free()?;
        Ok(())
    }

    fn command(&self, folder: &Path) -> Result<Command> {
        let mut postgres = self.account.command(&self.binaries.join("postgres"));
        postgres
            .arg("-D")
            .arg(folder.join("data"))
            .arg("-p")
            .arg(self.port.to_string());
        for setting in [
            "listen_addresses=127.0.0.1",
            // No socket file: its path has a limit that a long temporary folder breaks.
            "unix_socket_directories=",
            "max_connections=300",
            "jit=off",
        ]
        .iter()
        .chain(self.durability.settings())
        {
            postgres.arg("-c").arg(setting);
        }
        Ok(postgres)
    }

    /// The first line of `postmaster.pid` is the process, the eighth its state: what `pg_ctl start --wait` looks at.
    async fn is_ready(&self, folder: &Path, pid: u32) -> bool {
        fs::read_to_string(folder.join("data/postmaster.pid")).is_ok_and(|text| {
            let line = |number| text.lines().nth(number).map(str::trim);
            line(0) == Some(pid.to_string().as_str()) && line(7) == Some("ready")
        })
    }
}

async fn find_or_install(apt: &Apt) -> Result<PathBuf> {
    if let Some(found) = find().await {
        return Ok(found);
    }
    apt.install(&["postgresql"])
        .await
        .context("the PostgreSQL server programs are missing")?;
    find()
        .await
        .context("postgresql was installed, but its server programs were not found")
}

/// The folder that holds both `initdb` and `postgres`: asked of `pg_config`, in `PATH`, or where Debian
/// puts them (the newest first).
async fn find() -> Option<PathBuf> {
    let mut folders = Vec::new();
    let mut pg_config = tokio::process::Command::new("pg_config");
    if let Ok(answer) = command::output(pg_config.arg("--bindir")).await {
        folders.push(PathBuf::from(answer.trim()));
    }
    if let Some(initdb) = find_in_path("initdb") {
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
#[derive(Debug)]
struct Account {
    ids: Option<(u32, u32)>,
}

impl Account {
    fn to_run_as(binaries: &Path) -> Result<Self> {
        if !is_root() {
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
        // A folder it may enter.
        command.current_dir("/").env("LC_ALL", "C");
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
    command::output(&mut initdb.into())
        .await
        .context("cannot create a PostgreSQL data folder")?;
    Ok(())
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
