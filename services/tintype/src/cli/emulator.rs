//! `tintype emulator`: a fake of Google Photos over real HTTP, until Ctrl-C.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::Args;
use serde::Serialize;
use tintype_emulator::{
    CallKind, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Emulator, EmulatorConfig,
    EmulatorError, Generated, InterceptConfig, Library, QuotaLimits, RunningEmulator, Switches,
};
use tintype_runtime::Lifecycle;

use super::size;
use crate::{
    failure::Failure,
    render::{self, out},
};

const EXAMPLES: &str = "\
Examples:
  tintype emulator                                 six sample photos on a free port
  tintype emulator --addr 127.0.0.1:8080 --items 5000 --size 200KiB
  tintype emulator --library ~/Pictures            serves your files, never writes there
  tintype emulator --intercept --ca-out ca.pem     for unmodified clients of Google:
      HTTPS_PROXY=http://127.0.0.1:PORT SSL_CERT_FILE=ca.pem rclone lsf gphotos:";

/// What the emulator holds and how it behaves.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct EmulatorArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    addr: SocketAddr,
    /// So many invented photos instead of the samples
    #[arg(long, value_name = "N")]
    items: Option<u64>,
    /// Size of each invented photo
    #[arg(long, value_name = "SIZE", value_parser = size::parse, default_value = "60KiB", requires = "items")]
    size: u64,
    /// Serve the photos and videos of this folder
    #[arg(long, value_name = "DIR", conflicts_with = "items")]
    library: Option<PathBuf>,
    /// Also open a proxy that stands for Google's hosts, for HTTPS_PROXY
    #[arg(long)]
    intercept: bool,
    /// Write the proxy's throw-away certificate authority to this file, for SSL_CERT_FILE
    #[arg(long, value_name = "FILE", requires = "intercept")]
    ca_out: Option<PathBuf>,
    /// For benchmarks: no quota, and calls are counted but not listed
    #[arg(long)]
    fast: bool,
    /// Every call waits so long before it is answered
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// People with an account, each with the same library
    #[arg(long, value_name = "EMAIL", value_delimiter = ',', default_value = DEFAULT_ACCOUNT)]
    accounts: Vec<String>,
    /// Print one line of JSON instead of words
    #[arg(long)]
    pub(super) json: bool,
}

/// What `--json` prints when the emulator listens.
#[derive(Debug, Serialize)]
struct Started {
    url: String,
    control_url: String,
    client_id: &'static str,
    client_secret: &'static str,
    token_blob: String,
    accounts: Vec<AccountToken>,
    proxy_url: Option<String>,
    download_proxy_url: String,
    ca_file: Option<PathBuf>,
    ca_pem: Option<String>,
}

#[derive(Debug, Serialize)]
struct AccountToken {
    email: String,
    token_blob: String,
}

impl EmulatorArgs {
    /// Serves until the process is asked to stop.
    pub(super) async fn run(self, life: &Lifecycle) -> Result<ExitCode, Failure> {
        let json = self.json;
        let (running, started) = self.start().await?;
        if json {
            render::json(&started);
        } else {
            started.tell();
        }
        life.draining().cancelled().await;
        running.shutdown().await;
        Ok(ExitCode::SUCCESS)
    }

    async fn start(self) -> Result<(RunningEmulator, Started), Failure> {
        let library = self.library();
        let config = EmulatorConfig {
            bind: self.addr,
            library: library.clone(),
            accounts: self.accounts.clone(),
            fast: self.fast,
            switches: self.switches(),
            intercept: self.intercept.then(|| InterceptConfig {
                ca_file: self.ca_out.clone(),
                ..InterceptConfig::default()
            }),
            ..EmulatorConfig::default()
        };
        let running = Emulator::start(config).await.map_err(unusable)?;
        let control = running.control();
        let mut accounts = Vec::new();
        for (place, email) in self.accounts.iter().enumerate() {
            // The first account has the library and a grant from the start.
            let token_blob = if place == 0 {
                running.token_blob()
            } else {
                control.add_library(email, DEFAULT_CLIENT_ID, library.clone())?;
                control.token_blob(email, DEFAULT_CLIENT_ID)?
            };
            let email = email.clone();
            accounts.push(AccountToken { email, token_blob });
        }
        let url = running.base_url();
        let started = Started {
            control_url: format!("{url}/__emulator"),
            url,
            client_id: DEFAULT_CLIENT_ID,
            client_secret: DEFAULT_CLIENT_SECRET,
            token_blob: running.token_blob(),
            accounts,
            proxy_url: running.proxy_url(),
            download_proxy_url: running.download_proxy_url(),
            ca_pem: self.intercept.then(|| running.ca_pem().to_owned()),
            ca_file: self.ca_out,
        };
        Ok((running, started))
    }

    fn library(&self) -> Library {
        match (&self.library, self.items) {
            (Some(folder), _) => Library::Folder(folder.clone()),
            (None, Some(items)) => Library::Generated(Generated::photos(items, self.size)),
            (None, None) => Library::Sample,
        }
    }

    fn switches(&self) -> Switches {
        let mut switches = Switches::default();
        if self.fast {
            switches.quota = QuotaLimits::unlimited();
        }
        if self.latency > 0 {
            switches.latency_ms = CallKind::ALL.map(|kind| (kind, self.latency)).into();
        }
        switches
    }
}

/// A folder or port that cannot be used is a wrong option.
pub(super) fn unusable(error: EmulatorError) -> Failure {
    match error {
        EmulatorError::File { path, source } => Failure::file("reading", &path, &source),
        EmulatorError::Listen { address, source } => {
            Failure::usage(format!("cannot listen on {address}: {source}"))
                .with_action("choose another address with --addr, or port 0 for a free one")
        }
        other => other.into(),
    }
}

impl Started {
    fn tell(&self) {
        out("Google Photos is emulated. Ctrl-C ends it; nothing is kept.\n");
        out(&format!("  url            {}", self.url));
        out(&format!("  control API    {}", self.control_url));
        out(&format!("  client id      {}", self.client_id));
        out(&format!("  client secret  {}", self.client_secret));
        out(&format!("  originals      {}", self.download_proxy_url));
        if let Some(proxy) = &self.proxy_url {
            out(&format!("  proxy          {proxy}"));
            match &self.ca_file {
                Some(file) => out(&format!("  authority      {}", file.display())),
                None => out("  authority      give --ca-out FILE to have it written"),
            }
        }
        for account in &self.accounts {
            out(&format!(
                "\n  token of {}\n  {}",
                account.email, account.token_blob
            ));
        }
        out("\nBack it up: save the token as token.json and the secret as secret.txt, then");
        out(&format!(
            "  tintype backup --google-url {} --client-id {} \\\n    --client-secret-file secret.txt --token-file token.json --to ./backup --data-dir ./data",
            self.url, self.client_id
        ));
    }
}
