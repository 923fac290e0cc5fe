//! Signs in at Google for an account that is connected: shows where, and waits until the person has been there.

use std::{process::ExitCode, time::Duration};

use chrono::{DateTime, Utc};
use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value};
use tintype_model::{ErrorKind, credential::ClientId};
use tintype_ports::Clock as _;
use tintype_runtime::SystemClock;

use super::{show::say_health, test::checklist};
use crate::{
    cli::oauth_client::OptionalClient,
    failure::Failure,
    remote::{Remote, Server},
    render::{self, Console, printable},
};

/// How often it is looked whether the person has been there.
const LOOK: Duration = Duration::from_millis(500);

/// For which account.
#[derive(Debug, Args)]
pub(super) struct SignIn {
    /// Name or id of the storage
    #[arg(value_name = "STORAGE")]
    storage: String,
    #[command(flatten)]
    client: OptionalClient,
    /// Another Google account than before may take its place
    #[arg(long)]
    other_account: bool,
}

/// Where the person goes.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    url: String,
    expires_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Shown {
    credential: Option<Known>,
}

#[derive(Deserialize)]
struct Known {
    version: i64,
}

impl SignIn {
    pub(super) async fn run(self, server: &Server, as_json: bool) -> Result<ExitCode, Failure> {
        let remote = server.open_tenant(false).await?;
        let found = remote.storage(&self.storage).await?;
        let before = version(&remote, &found.id).await?;
        let mut body = Map::new();
        body.insert("other_account".into(), self.other_account.into());
        if let Some(client) = self.client.read()? {
            name_client(&mut body, &client);
        }
        let path = format!("/v1/storages/{}/sign-in", found.id);
        let page: Page = remote.post(&path, &body.into()).await?;
        page.wait(&remote, &found.id, before).await?;
        tested(&remote, &found.id, &found.name, as_json).await
    }
}

/// Puts the OAuth client into a body.
pub(super) fn name_client(body: &mut Map<String, Value>, (id, secret): &(ClientId, SecretString)) {
    body.insert("client_id".into(), id.as_str().into());
    body.insert("client_secret".into(), secret.expose_secret().into());
}

impl Page {
    /// Shows where to go, and waits until the storage has another credential than that of `before`.
    pub(super) async fn wait(
        &self,
        remote: &Remote,
        storage: &str,
        before: Option<i64>,
    ) -> Result<(), Failure> {
        let console = Console::new();
        console.say("open this page in a browser, and allow all that is asked for:");
        console.say(&format!("\n  {}\n", self.url));
        while SystemClock.now() < self.expires_at {
            tokio::time::sleep(LOOK).await;
            if version(remote, storage).await? != before {
                return Ok(());
            }
        }
        let message = "nobody signed in within ten minutes";
        let action = format!("begin again: tintype storage sign-in {storage}");
        Err(Failure::new(ErrorKind::AuthLost, message).with_action(action))
    }
}

async fn version(remote: &Remote, storage: &str) -> Result<Option<i64>, Failure> {
    let shown: Shown = remote.get(&format!("/v1/storages/{storage}")).await?;
    Ok(shown.credential.map(|it| it.version))
}

/// Tests what was connected, and says how it went.
pub(super) async fn tested(
    remote: &Remote,
    storage: &str,
    name: &str,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let console = Console::new();
    console.title(&format!("Testing {}", printable(name)));
    let path = format!("/v1/storages/{storage}/test");
    let outcome = checklist(remote, &path, &Value::Null, &console).await?;
    say_health(remote, storage, outcome.failed().is_none(), &console).await?;
    if as_json {
        render::json(&outcome.report());
    }
    let code = outcome.failed().map_or(0, ErrorKind::exit_code);
    Ok(ExitCode::from(code))
}
