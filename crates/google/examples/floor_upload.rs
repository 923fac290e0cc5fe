//! The floor under every upload: sends files and makes items of them in an album, over the HTTP client that Tintype uses, and
//! nothing else. No hash but the one that Google compares, no catalogue, no journal, no retry, no token refresh.
//!
//! `floor_upload TOKEN_FILE FOLDER ALBUM TRANSFERS`, with `HTTPS_PROXY` and `SSL_CERT_FILE` as any client reads them. The token
//! file holds a token blob as rclone prints it, the folder JPEGs; the album is made. Items are made 50 at a time, one call
//! after the other, while further files are sent. `cargo xtask bench upload` runs it beside the others.

use std::{
    env,
    error::Error,
    fs, mem,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Client, Response, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Value, json};
use tintype_runtime::http::HttpSettings;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};

const LIBRARY: &str = "https://photoslibrary.googleapis.com/v1";
/// The most items that Google makes in one call.
const BATCH: usize = 50;
/// For one call from its start to the end of its answer.
const DEADLINE: Duration = Duration::from_secs(600);

type Failure = Box<dyn Error + Send + Sync>;

#[derive(Deserialize)]
struct TokenBlob {
    access_token: String,
}

#[derive(Deserialize)]
struct Album {
    id: String,
}

/// What Google gave for the bytes of a file.
struct Sent {
    name: String,
    token: String,
}

#[derive(Clone)]
struct Account {
    client: Client,
    token: String,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [token_file, folder, album, transfers] = arguments.as_slice() else {
        return Err("usage: floor_upload TOKEN_FILE FOLDER ALBUM TRANSFERS".into());
    };
    let blob: TokenBlob = serde_json::from_str(&fs::read_to_string(token_file)?)?;
    let account = Account {
        client: HttpSettings::from_env()?.client()?,
        token: blob.access_token,
    };
    let album = account.make_album(album).await?;
    let (sent, gathered) = mpsc::channel(BATCH);
    let maker = tokio::spawn(make(account.clone(), album, gathered));
    let sending = send(&account, Path::new(folder), transfers.parse()?, sent).await;
    // When items cannot be made, files can no longer be handed over either: the first of the two says why.
    maker.await??;
    sending
}

/// Sends every file of the folder, `transfers` at once.
async fn send(
    account: &Account,
    folder: &Path,
    transfers: usize,
    sent: mpsc::Sender<Sent>,
) -> Result<(), Failure> {
    let slots = Arc::new(Semaphore::new(transfers));
    let mut uploads = JoinSet::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        let slot = Arc::clone(&slots).acquire_owned().await?;
        let (account, sent) = (account.clone(), sent.clone());
        uploads.spawn(async move {
            let result = account.upload(path).await;
            drop(slot);
            sent.send(result?).await?;
            Ok::<(), Failure>(())
        });
        while let Some(ended) = uploads.try_join_next() {
            ended??;
        }
    }
    while let Some(ended) = uploads.join_next().await {
        ended??;
    }
    Ok(())
}

/// Makes items of what was sent, one batch at a time.
async fn make(
    account: Account,
    album: Album,
    mut gathered: mpsc::Receiver<Sent>,
) -> Result<(), Failure> {
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(Sent { name, token }) = gathered.recv().await {
        batch.push(json!({"simpleMediaItem": {"uploadToken": token, "fileName": name}}));
        if batch.len() == BATCH {
            account.make_items(&album, mem::take(&mut batch)).await?;
        }
    }
    if !batch.is_empty() {
        account.make_items(&album, batch).await?;
    }
    Ok(())
}

impl Account {
    async fn make_album(&self, title: &str) -> Result<Album, Failure> {
        let ask = json!({"album": {"title": title}});
        Ok(self.ask("albums", &ask).await?.json().await?)
    }

    async fn upload(&self, path: PathBuf) -> Result<Sent, Failure> {
        // Read where it stands: the page cache gives it in microseconds, and asking another thread costs more.
        let bytes = fs::read(&path)?;
        let sha1 = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &bytes));
        let request = self
            .client
            .post(format!("{LIBRARY}/uploads"))
            .bearer_auth(&self.token)
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("x-goog-upload-content-type", "image/jpeg")
            .header("x-goog-upload-protocol", "raw")
            .header("x-goog-hash", format!("sha1={sha1}"))
            .body(bytes);
        let answer = request.timeout(DEADLINE).send().await?;
        let token = answer.error_for_status()?.text().await?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Sent {
            name: name.into_owned(),
            token,
        })
    }

    /// What became of each item is not looked at: whoever runs this looks into the album.
    async fn make_items(&self, album: &Album, items: Vec<Value>) -> Result<(), Failure> {
        let ask = json!({"albumId": album.id, "newMediaItems": items});
        self.ask("mediaItems:batchCreate", &ask)
            .await?
            .bytes()
            .await?;
        Ok(())
    }

    async fn ask(&self, call: &str, ask: &Value) -> Result<Response, Failure> {
        let request = self.client.post(format!("{LIBRARY}/{call}"));
        let request = request.bearer_auth(&self.token).json(ask);
        let answer = request.timeout(DEADLINE).send().await?;
        Ok(answer.error_for_status()?)
    }
}
