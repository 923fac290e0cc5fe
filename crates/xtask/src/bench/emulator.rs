//! The emulated Google of a benchmark: a process of its own, so that its work is in nobody's figures.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::sleep;

use super::calls::Calls;
use super::http;
use crate::command::Running;

const READY_WITHIN: Duration = Duration::from_secs(30);
/// 2022-01-01 and 2025-12-31 23:59:59 UTC: four years, so that a quarter of the items is a year.
const OLDEST_MS: i64 = 1_640_995_200_000;
const NEWEST_MS: i64 = 1_767_225_599_000;
/// The years of the items, oldest first.
pub(super) const YEARS: [u16; 4] = [2022, 2023, 2024, 2025];

/// What the account holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Library {
    pub(super) items: u64,
    /// Of each item; photos are raised to what a picture needs, some 700.
    pub(super) bytes: u64,
    pub(super) videos: bool,
}

impl Library {
    pub(super) const fn photos(items: u64, bytes: u64) -> Self {
        Self {
            items,
            bytes,
            videos: false,
        }
    }

    pub(super) const fn videos(items: u64, bytes: u64) -> Self {
        Self {
            items,
            bytes,
            videos: true,
        }
    }

    /// No items at all.
    pub(super) const fn nothing() -> Self {
        Self::photos(0, 0)
    }

    /// All bytes.
    pub(super) const fn total(self) -> u64 {
        self.items * self.bytes
    }

    /// As the control API takes it. Names do not repeat within 9,999 items.
    fn as_json(self) -> Value {
        json!({"generated": {
            "count": self.items,
            "min_bytes": self.bytes,
            "max_bytes": self.bytes,
            "video_every": u64::from(self.videos),
            "repeat_name_every": 0,
            "oldest_ms": OLDEST_MS,
            "newest_ms": NEWEST_MS,
        }})
    }
}

/// What an emulator writes down of the calls that reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ledger {
    /// How many there were of each kind: as fast as it gets.
    Counts,
    /// Each of them with its time.
    Calls,
}

/// What `tintype emulator --json` prints first.
#[derive(Deserialize)]
struct Greeting {
    url: String,
    proxy_url: String,
    client_id: String,
    client_secret: String,
    token_blob: String,
}

/// A running emulator and what a client needs to know of it.
pub(super) struct Emulator {
    _process: Running,
    greeting: Greeting,
    folder: PathBuf,
    accounts: AtomicU32,
}

impl Emulator {
    /// Starts one without quota, reached through its proxy, with nothing but `library`.
    ///
    /// # Errors
    /// When it does not start or refuses the library; the error ends with its last words.
    pub(super) async fn start(
        tintype: &Path,
        folder: PathBuf,
        library: Library,
        latency_ms: u64,
        ledger: Ledger,
    ) -> Result<Self> {
        let (greeting_file, log_file) = (folder.join("greeting.json"), folder.join("log"));
        let mut command = Command::new(tintype);
        command
            .args(["emulator", "--json", "--items", "0", "--intercept"])
            .args((ledger == Ledger::Counts).then_some("--fast"))
            .arg("--latency")
            .arg(latency_ms.to_string())
            .arg("--ca-out")
            .arg(folder.join("ca.pem"))
            .stdin(Stdio::null())
            .stdout(File::create(&greeting_file)?)
            .stderr(File::create(&log_file)?);
        let mut process = Running::start(&mut command)?;
        let deadline = Instant::now() + READY_WITHIN;
        let greeting: Greeting = loop {
            let text = fs::read_to_string(&greeting_file)?;
            if let Some((line, _)) = text.split_once('\n') {
                break serde_json::from_str(line).context("the emulator's greeting has changed")?;
            }
            if process.ended()?.is_some() || Instant::now() > deadline {
                let log = fs::read_to_string(&log_file)?;
                bail!("the emulator did not start: {text}{log}");
            }
            sleep(Duration::from_millis(10)).await;
        };
        fs::write(folder.join("token.json"), &greeting.token_blob)?;
        fs::write(folder.join("secret.txt"), &greeting.client_secret)?;
        let emulator = Self {
            _process: process,
            greeting,
            folder,
            accounts: AtomicU32::new(0),
        };
        if ledger == Ledger::Calls {
            emulator.set(&json!({"enforce_quota": false})).await?;
        }
        emulator
            .control("POST", "libraries", &json!({"library": library.as_json()}))
            .await?;
        Ok(emulator)
    }

    /// Adds an account with its own library, and answers its address and a refresh token.
    pub(super) async fn add_account(&self, library: Library) -> Result<(String, String)> {
        // A name used twice would give one account two libraries.
        let number = self.accounts.fetch_add(1, Ordering::Relaxed);
        let email = format!("customer-{number}@example.com");
        let account = json!({"email": email});
        self.control("POST", "accounts", &account).await?;
        let library = json!({"account": email, "library": library.as_json()});
        self.control("POST", "libraries", &library).await?;
        let owner = json!({"account": email});
        let grant = self.control("POST", "grants", &owner).await?;
        let token = grant["refresh_token"].as_str();
        let token = token.context("the emulator's grants have changed")?;
        Ok((email, token.to_owned()))
    }

    /// Times of the first `most` API calls since the ledger was emptied, in order, milliseconds since the epoch. Sign-in is
    /// none; an emulator that only counts has none.
    pub(super) async fn times_of_calls(&self, most: usize) -> Result<Vec<i64>> {
        let path = format!("ledger?limit={most}");
        let answer = self.control("GET", &path, &Value::Null).await?;
        let entries = answer["entries"].as_array().map_or(&[][..], Vec::as_slice);
        let is_api = |entry: &&Value| {
            let kind = entry["kind"].as_str().unwrap_or_default();
            !matches!(kind, "connect" | "token" | "consent" | "revoke")
        };
        let times = entries
            .iter()
            .filter(is_api)
            .map(|entry| entry["at_ms"].as_i64());
        times
            .collect::<Option<_>>()
            .context("the emulator's ledger has changed")
    }

    /// Changes switches: any part of what `GET /__emulator/switches` answers.
    pub(super) async fn set(&self, switches: &Value) -> Result<()> {
        self.control("PATCH", "switches", switches).await?;
        Ok(())
    }

    /// From now on every request takes so long.
    pub(super) async fn set_latency(&self, ms: u64) -> Result<()> {
        let kinds = [
            "search",
            "list_items",
            "list_albums",
            "batch_get",
            "get_item",
            "download",
        ];
        let latency: serde_json::Map<String, Value> = kinds
            .iter()
            .map(|kind| ((*kind).to_owned(), ms.into()))
            .collect();
        self.set(&json!({"latency_ms": latency})).await
    }

    /// Forgets the calls so far.
    pub(super) async fn forget_calls(&self) -> Result<()> {
        self.control("DELETE", "ledger", &Value::Null).await?;
        Ok(())
    }

    /// The calls since.
    pub(super) async fn calls(&self) -> Result<Calls> {
        let summary = self.control("GET", "ledger/summary", &Value::Null).await?;
        Ok(Calls::told_by(summary))
    }

    /// Names of the items that the account holds, sorted; `most` of them at most.
    pub(super) async fn names_of_items(&self, most: usize) -> Result<Vec<String>> {
        let path = format!("items?limit={most}");
        let answer = self.control("GET", &path, &Value::Null).await?;
        let items = answer["items"].as_array().map_or(&[][..], Vec::as_slice);
        let names = items.iter().map(|item| item["file_name"].as_str());
        let names: Option<Vec<String>> = names.map(|name| name.map(str::to_owned)).collect();
        let mut names = names.context("the emulator's items have changed")?;
        names.sort();
        Ok(names)
    }

    /// Titles of the account's albums, and how many items each holds.
    pub(super) async fn albums(&self) -> Result<Vec<(String, u64)>> {
        let blob: Value = serde_json::from_str(&self.greeting.token_blob)?;
        let token = blob["access_token"].as_str().unwrap_or_default();
        let path = format!("/v1/albums?pageSize=50&access_token={token}");
        let page = http::call(&self.greeting.url, "GET", &path, &Value::Null).await?;
        let albums = page["albums"].as_array().map_or(&[][..], Vec::as_slice);
        let told = |album: &Value| {
            // As Google writes it: a number in quotes, and none for an empty album.
            let items = album["mediaItemsCount"].as_str().unwrap_or("0");
            Some((album["title"].as_str()?.to_owned(), items.parse().ok()?))
        };
        let albums: Option<_> = albums.iter().map(told).collect();
        albums.context("the emulator's albums have changed")
    }

    /// Address of its proxy, for `HTTPS_PROXY`.
    pub(super) fn proxy(&self) -> &str {
        &self.greeting.proxy_url
    }

    /// The authority its proxy signs with.
    pub(super) fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// A token blob as rclone prints it.
    pub(super) fn token_blob(&self) -> &str {
        &self.greeting.token_blob
    }

    /// A file with the token blob.
    pub(super) fn token_file(&self) -> PathBuf {
        self.folder.join("token.json")
    }

    /// A file with the client's secret.
    pub(super) fn secret_file(&self) -> PathBuf {
        self.folder.join("secret.txt")
    }

    pub(super) fn client_id(&self) -> &str {
        &self.greeting.client_id
    }

    pub(super) fn client_secret(&self) -> &str {
        &self.greeting.client_secret
    }

    async fn control(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let path = format!("/__emulator/{path}");
        http::call(&self.greeting.url, method, &path, body).await
    }
}
