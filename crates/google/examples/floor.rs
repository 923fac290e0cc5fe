//! The floor under every download: lists pages, downloads and writes files over the HTTP client that Tintype uses,
//! and nothing else. No hash, no catalogue, no archive, no retry, no token refresh, nothing made durable.
//!
//! `floor TOKEN_FILE FOLDER TRANSFERS`, with `HTTPS_PROXY` and `SSL_CERT_FILE` as any client reads them. The token file
//! holds a token blob as rclone prints it. `cargo xtask bench transfer` runs it beside the others.

use std::{
    env,
    error::Error,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use reqwest::Client;
use serde::Deserialize;
use serde_json::json;
use tintype_runtime::http::HttpSettings;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};

const SEARCH: &str = "https://photoslibrary.googleapis.com/v1/mediaItems:search";
/// The most that Google allows.
const PAGE_SIZE: u32 = 100;
/// Items listed ahead of the downloads.
const LISTED_AHEAD: usize = 1000;
/// For one call from its start to the end of its body.
const DEADLINE: Duration = Duration::from_secs(600);

type Failure = Box<dyn Error + Send + Sync>;

#[derive(Deserialize)]
struct TokenBlob {
    access_token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    media_items: Vec<Item>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    base_url: String,
    mime_type: String,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [token_file, folder, transfers] = arguments.as_slice() else {
        return Err("usage: floor TOKEN_FILE FOLDER TRANSFERS".into());
    };
    let blob: TokenBlob = serde_json::from_str(&fs::read_to_string(token_file)?)?;
    let folder = PathBuf::from(folder);
    let slots = Arc::new(Semaphore::new(transfers.parse()?));
    let client = HttpSettings::from_env()?.client()?;

    let (found, mut listed) = mpsc::channel(LISTED_AHEAD);
    let lister = tokio::spawn(list(client.clone(), blob.access_token, found));
    let mut downloads = JoinSet::new();
    let mut number: u64 = 0;
    while let Some(item) = listed.recv().await {
        let slot = Arc::clone(&slots).acquire_owned().await?;
        let (client, file) = (client.clone(), folder.join(format!("{number:08}")));
        number += 1;
        downloads.spawn(async move {
            let result = download(&client, &item, &file).await;
            drop(slot);
            result
        });
        while let Some(ended) = downloads.try_join_next() {
            ended??;
        }
    }
    while let Some(ended) = downloads.join_next().await {
        ended??;
    }
    lister.await?
}

async fn list(client: Client, token: String, found: mpsc::Sender<Item>) -> Result<(), Failure> {
    let mut page_token = None;
    loop {
        let ask = json!({"pageSize": PAGE_SIZE, "pageToken": page_token});
        let request = client.post(SEARCH).bearer_auth(&token).json(&ask);
        let answer = request.timeout(DEADLINE).send().await?;
        let page: Page = answer.error_for_status()?.json().await?;
        for item in page.media_items {
            found.send(item).await?;
        }
        page_token = page.next_page_token.filter(|token| !token.is_empty());
        if page_token.is_none() {
            return Ok(());
        }
    }
}

async fn download(client: &Client, item: &Item, path: &Path) -> Result<(), Failure> {
    let is_video = item.mime_type.starts_with("video/");
    let suffix = if is_video { "=dv" } else { "=d" };
    let url = format!("{}{suffix}", item.base_url);
    let answer = client.get(url).timeout(DEADLINE).send().await?;
    let mut answer = answer.error_for_status()?;
    // Written where it stands: the page cache takes it in microseconds, and handing it to another thread costs more.
    let mut file = File::create(path)?;
    while let Some(piece) = answer.chunk().await? {
        file.write_all(&piece)?;
    }
    Ok(())
}
