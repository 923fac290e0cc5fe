//! Storages: connected places. What opens them goes in and never comes out.

pub(super) mod callback;
mod checks;
pub(super) mod create;
pub(super) mod credential;
pub(super) mod disconnect;
pub(super) mod duplicates;
pub(super) mod get;
mod health;
pub(super) mod list;
mod options;
pub(super) mod remove;
pub(super) mod sign_in;
pub(super) mod sign_in_new;
pub(super) mod test;
pub(super) mod test_new;
pub(super) mod update;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tintype_model::{
    StorageId,
    credential::{ClientId, CredentialError, TokenBlob},
    storage::{Storage, StorageSettings},
};

use tintype_ports::vault::{Refusal, SecretInfo};

use crate::problem::Problem;

/// A storage as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    id: StorageId,
    name: String,
    #[serde(flatten)]
    settings: StorageSettings,
    created_at: DateTime<Utc>,
}

impl From<Storage> for View {
    fn from(it: Storage) -> Self {
        Self {
            id: it.id,
            name: it.name,
            settings: it.settings,
            created_at: it.created_at,
        }
    }
}

/// What may be known of a storage's credential or keys.
#[derive(Debug, Serialize)]
pub(crate) struct Known {
    /// Client id, or access key id.
    public_id: String,
    /// Grows with every change.
    version: i64,
    /// Scopes Google granted, once a token was had.
    scopes: Vec<String>,
    /// When the refresh token dies, where Google said so.
    refresh_token_expires_at: Option<DateTime<Utc>>,
    /// Why it is refused, until it is replaced.
    refused: Option<Refusal>,
}

impl From<SecretInfo> for Known {
    fn from(it: SecretInfo) -> Self {
        Self {
            public_id: it.public_id,
            version: it.version,
            scopes: it.scopes,
            refresh_token_expires_at: it.refresh_token_expires_at,
            refused: it.refused,
        }
    }
}

/// What opens a Google Photos account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credential {
    client_id: String,
    client_secret: SecretString,
    /// The refresh token by itself, or else `token`.
    refresh_token: Option<SecretString>,
    /// The JSON, as text, in which rclone and Google's libraries keep it.
    token: Option<SecretString>,
}

/// The same after it was read.
pub(crate) struct Opened {
    pub(crate) client: ClientId,
    pub(crate) client_secret: SecretString,
    pub(crate) refresh_token: SecretString,
}

impl Credential {
    /// Reads it. `at` is where it stands in the body: empty, or a field's name and a dot.
    pub(crate) fn open(self, at: &str) -> Result<Opened, Problem> {
        let field = |name: &str| format!("{at}{name}");
        let empty = |name: &str| Problem::field(&field(name), "must not be empty");
        let client = ClientId::parse(&self.client_id)
            .map_err(|error| refused(&field("client_id"), &error))?;
        if is_blank(&self.client_secret) {
            return Err(empty("client_secret"));
        }
        let refresh_token = match (self.refresh_token, self.token) {
            (Some(token), None) if is_blank(&token) => return Err(empty("refresh_token")),
            (Some(token), None) => SecretString::from(token.expose_secret().trim()),
            (None, Some(blob)) => {
                let blob = TokenBlob::parse(blob.expose_secret());
                let blob = blob.map_err(|error| refused(&field("token"), &error))?;
                blob.refresh_token
            }
            _ => {
                let what = "give either this or token";
                return Err(Problem::field(&field("refresh_token"), what));
            }
        };
        Ok(Opened {
            client,
            client_secret: self.client_secret,
            refresh_token,
        })
    }
}

fn is_blank(secret: &SecretString) -> bool {
    secret.expose_secret().trim().is_empty()
}

/// The error begins with the name of the field, as a form would call it.
fn refused(field: &str, error: &CredentialError) -> Problem {
    let text = error.to_string();
    let what = text
        .split_once(": ")
        .map_or(text.as_str(), |(_, what)| what);
    Problem::field(field, what)
}
