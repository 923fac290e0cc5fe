//! A person at home: an account at Google, a token file, a folder to back up to.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::Duration,
};

use tempfile::TempDir;
use tintype_emulator::{
    Control, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Emulator, EmulatorConfig, Library,
    QuotaLimits, RunningEmulator,
};
use tintype_testkit::{
    process::{Spawned, Stream},
    provided,
};

/// Longer than any command here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The one JSON object on standard output.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(self.stdout.trim())
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }

    #[track_caller]
    pub(crate) fn assert_code(&self, code: i32) {
        assert_eq!(
            self.code(),
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
    }
}

/// `tintype` with arguments, away from this person's own environment.
pub(crate) fn tintype(arguments: &[&str]) -> Command {
    let mut command = Command::new(provided::tintype());
    command.args(arguments);
    for name in [
        "HTTPS_PROXY",
        "SSL_CERT_FILE",
        "TINTYPE_CLIENT_SECRET",
        "TINTYPE_CRASH_AT",
    ] {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end.
pub(crate) async fn run(command: Command) -> Ended {
    let mut process = Spawned::start(command);
    let status = process.wait(PATIENCE).await;
    Ended {
        status,
        stdout: process.text(Stream::Stdout),
        stderr: process.text(Stream::Stderr),
    }
}

/// The person.
pub(crate) struct Household {
    pub(crate) google: RunningEmulator,
    pub(crate) control: Control,
    pub(crate) dir: TempDir,
}

impl Household {
    pub(crate) async fn new(library: Library) -> Self {
        let mut config = EmulatorConfig::with_library(library);
        config.switches.quota = QuotaLimits::unlimited();
        let google = Emulator::start(config).await.expect("the emulator starts");
        let dir = TempDir::new().expect("a folder");
        std::fs::write(dir.path().join("token.json"), google.token_blob()).expect("written");
        let control = google.control();
        Self {
            google,
            control,
            dir,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn archive(&self) -> PathBuf {
        self.path("archive")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// A server with everything in it on the household's data folder, and its address.
    pub(crate) async fn serve(&self) -> (Spawned, String) {
        let settings = self.path("tintype.toml");
        let toml = format!(
            "[google]\nurl = \"{}\"\n[gateway]\nlisten = \"127.0.0.1:0\"\n",
            self.google.base_url()
        );
        std::fs::write(&settings, toml).expect("written");
        let mut process = Spawned::start(tintype(&[
            "serve",
            "--profile",
            "embedded",
            "--config",
            text(&settings),
            "--data-dir",
            text(&self.data()),
        ]));
        let line = process
            .wait_for_line(PATIENCE, |line| line.contains("gateway.address"))
            .await;
        let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let address = line["gateway.address"].as_str().expect("an address");
        (process, format!("http://{address}"))
    }

    /// `tintype backup` of the account to `destination`.
    pub(crate) fn backup_to(&self, destination: &str, more: &[&str]) -> Command {
        let mut command = tintype(&["backup", "--json"]);
        if !more.contains(&"--quota-downloads") {
            command.args([
                "--quota-requests",
                "1000000",
                "--quota-downloads",
                "1000000",
            ]);
        }
        command
            .args(["--client-id", DEFAULT_CLIENT_ID])
            .args(["--google-url", &self.google.base_url(), "--to", destination])
            .arg("--token-file")
            .arg(self.path("token.json"))
            .arg("--data-dir")
            .arg(self.data())
            .args(more)
            .env("TINTYPE_CLIENT_SECRET", DEFAULT_CLIENT_SECRET);
        command
    }

    pub(crate) fn backup(&self, more: &[&str]) -> Command {
        self.backup_to(text(&self.archive()), more)
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
