//! Connects a place.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tintype_model::{
    credential::TokenBlob,
    storage::{BatchOptions, ProxyUrl},
};
use tintype_ports::Clock as _;
use tintype_runtime::SystemClock;

use super::{
    sign_in::{Page, name_client, tested},
    test::checklist,
};
use crate::{
    cli::{oauth_client::OAuthClient, read_small, secret, upload::Batch},
    failure::Failure,
    place::SECRET_KEY,
    remote::{Named, Server},
    render::{self, Console, out, printable},
};

/// What to connect.
#[derive(Debug, Subcommand)]
pub(super) enum Place {
    /// A Google Photos account
    GooglePhotos(Box<GooglePhotos>),
    /// A folder on the server's machine, where the operator allows it
    Folder(Folder),
    /// A bucket with the S3 API
    S3(Box<Bucket>),
}

/// A Google Photos account.
#[derive(Debug, Args)]
pub(super) struct GooglePhotos {
    /// What to call it
    #[arg(long, value_name = "NAME")]
    name: String,
    #[command(flatten)]
    client: OAuthClient,
    /// File with what `rclone authorize "google photos"` printed; - reads standard input
    #[arg(long, value_name = "FILE", required_unless_present = "sign_in")]
    token_file: Option<PathBuf>,
    /// Sign in at Google with a browser instead of a token
    #[arg(long, conflicts_with_all = ["token_file", "untested"])]
    sign_in: bool,
    /// Never upload to it; only the scope for reading is needed then
    #[arg(long)]
    read_only: bool,
    /// Leave out what was created before this year [default: 2000]
    #[arg(long, value_name = "YEAR")]
    start_year: Option<i32>,
    /// List what is archived as well
    #[arg(long)]
    include_archived: bool,
    /// Ask for the size of each item before its download, which costs a call each
    #[arg(long)]
    read_size: bool,
    #[command(flatten)]
    batch: Batch,
    /// Full-resolution proxy (gphotosdl) that downloads are tried at first; what it does not give comes from Google
    #[arg(long, value_name = "URL")]
    proxy: Option<ProxyUrl>,
    /// Connect it even if the test fails
    #[arg(long)]
    untested: bool,
}

/// An account that waits for its person.
#[derive(Deserialize)]
struct Begun {
    storage: Named,
    #[serde(flatten)]
    page: Page,
}

/// A folder.
#[derive(Debug, Args)]
pub(super) struct Folder {
    /// What to call it
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Where it is, from the root
    #[arg(long, value_name = "DIR")]
    path: PathBuf,
}

/// A bucket.
#[derive(Debug, Args)]
pub(super) struct Bucket {
    /// What to call it
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The bucket
    #[arg(long, value_name = "BUCKET")]
    bucket: String,
    /// What every key begins with
    #[arg(long, value_name = "PREFIX", default_value = "")]
    prefix: String,
    /// https://… of the service
    #[arg(long, value_name = "URL")]
    endpoint: String,
    /// Region name as the service knows it
    #[arg(long, value_name = "REGION")]
    region: String,
    /// Access key id
    #[arg(long, value_name = "ID", env = "TINTYPE_S3_ACCESS_KEY_ID")]
    access_key_id: String,
    /// File with the secret access key; or set TINTYPE_S3_SECRET_ACCESS_KEY
    #[arg(long, value_name = "FILE")]
    secret_access_key_file: Option<PathBuf>,
}

impl Place {
    pub(super) async fn run(self, server: &Server, as_json: bool) -> Result<ExitCode, Failure> {
        let mut untested = true;
        let body = match self {
            Self::GooglePhotos(it) if it.sign_in => return it.sign_in(server, as_json).await,
            Self::GooglePhotos(it) => {
                untested = it.untested;
                it.body()?
            }
            Self::Folder(it) => {
                json!({"kind": "local_folder", "name": it.name, "path": it.path})
            }
            Self::S3(it) => it.body()?,
        };
        let remote = server.open_tenant(true).await?;
        if !untested {
            let console = Console::new();
            console.title("Testing the account");
            let outcome = checklist(&remote, "/v1/storages/test", &body, &console).await?;
            if let Some(kind) = outcome.failed() {
                let message = "the account did not pass its test, so it was not connected";
                return Err(Failure::new(kind, message));
            }
        }
        let made: Value = remote.post("/v1/storages", &body).await?;
        if as_json {
            render::json(&made);
        } else if let Ok(named) = serde_json::from_value::<Named>(made) {
            out(&format!(
                "{} is connected as {}",
                printable(&named.name),
                named.id
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl GooglePhotos {
    async fn sign_in(&self, server: &Server, as_json: bool) -> Result<ExitCode, Failure> {
        let client = self.client.read()?;
        let mut body = self.options();
        name_client(&mut body, &client);
        let remote = server.open_tenant(true).await?;
        let begun: Begun = remote.post("/v1/storages/sign-in", &body.into()).await?;
        begun.page.wait(&remote, &begun.storage.id, None).await?;
        let Named { id, name } = &begun.storage;
        out(&format!("{} is connected as {id}", printable(name)));
        tested(&remote, id, name, as_json).await
    }

    fn body(&self) -> Result<Value, Failure> {
        let (client_id, client_secret) = self.client.read()?;
        // The command line asks for it unless the person signs in.
        let file = self.token_file.as_deref().unwrap_or(Path::new("-"));
        let token = TokenBlob::parse_at(&read_small(file)?, SystemClock.now())?;
        let mut body = self.options();
        body.insert("kind".into(), "google_photos".into());
        let credential = json!({
            "client_id": client_id.as_str(),
            "client_secret": client_secret.expose_secret(),
            "refresh_token": token.refresh_token.expose_secret(),
        });
        body.insert("credential".into(), credential);
        Ok(body.into())
    }

    /// The name, and what was chosen.
    fn options(&self) -> Map<String, Value> {
        let mut body = Map::new();
        body.insert("name".into(), self.name.as_str().into());
        body.insert("read_only".into(), self.read_only.into());
        body.insert("include_archived".into(), self.include_archived.into());
        body.insert("read_size".into(), self.read_size.into());
        let batch = BatchOptions::from(self.batch);
        body.insert("batch".into(), json!(batch));
        if let Some(proxy) = &self.proxy {
            body.insert("proxy".into(), json!(proxy));
        }
        if let Some(year) = self.start_year {
            body.insert("start_year".into(), year.into());
        }
        body
    }
}

impl Bucket {
    fn body(&self) -> Result<Value, Failure> {
        let key = secret(
            "secret access key",
            self.secret_access_key_file.as_deref(),
            "--secret-access-key-file",
            SECRET_KEY,
        )?;
        Ok(json!({
            "kind": "s3",
            "name": self.name,
            "bucket": self.bucket,
            "prefix": self.prefix,
            "endpoint": self.endpoint,
            "region": self.region,
            "access_key_id": self.access_key_id,
            "secret_access_key": key.expose_secret(),
        }))
    }
}
