//! The OAuth client and the token that a person gives on the command line, by files and environment: never as arguments, which
//! others on the machine can see.

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;
use tintype_model::credential::{ClientId, ClientSecretFile};

use super::{read_small, secret};
use crate::failure::Failure;

/// Holds the OAuth client secret when no file does.
const SECRET_VARIABLE: &str = "TINTYPE_CLIENT_SECRET";

/// An OAuth client.
#[derive(Debug, Args)]
pub(super) struct OAuthClient {
    /// OAuth client id, of the form 123-abc.apps.googleusercontent.com
    #[arg(long, value_name = "ID", required_unless_present = "client_file")]
    client_id: Option<String>,
    /// File with the OAuth client secret; or set TINTYPE_CLIENT_SECRET
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// The client's JSON file from Google Cloud console, instead of id and secret
    #[arg(long, value_name = "FILE", conflicts_with_all = ["client_id", "client_secret_file"])]
    client_file: Option<PathBuf>,
}

/// An OAuth client, where another than before is meant.
#[derive(Debug, Args)]
pub(super) struct OptionalClient {
    /// Another OAuth client id, of the form 123-abc.apps.googleusercontent.com
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// File with the OAuth client secret; or set TINTYPE_CLIENT_SECRET
    #[arg(long, value_name = "FILE", requires = "client_id")]
    client_secret_file: Option<PathBuf>,
    /// The client's JSON file from Google Cloud console, instead of id and secret
    #[arg(long, value_name = "FILE", conflicts_with_all = ["client_id", "client_secret_file"])]
    client_file: Option<PathBuf>,
}

impl OptionalClient {
    /// Reads files and environment, where a client is named.
    pub(super) fn read(self) -> Result<Option<(ClientId, SecretString)>, Failure> {
        if self.client_id.is_none() && self.client_file.is_none() {
            return Ok(None);
        }
        let named = OAuthClient {
            client_id: self.client_id,
            client_secret_file: self.client_secret_file,
            client_file: self.client_file,
        };
        named.read().map(Some)
    }
}

impl OAuthClient {
    /// Reads files and environment.
    pub(super) fn read(&self) -> Result<(ClientId, SecretString), Failure> {
        if let Some(file) = &self.client_file {
            let client = ClientSecretFile::parse(&read_small(file)?)?;
            return Ok((client.client_id, client.client_secret));
        }
        let id = ClientId::parse(self.client_id.as_deref().unwrap_or_default())?;
        let secret = secret(
            "client secret",
            self.client_secret_file.as_deref(),
            "--client-secret-file",
            SECRET_VARIABLE,
        )?;
        Ok((id, secret))
    }
}
