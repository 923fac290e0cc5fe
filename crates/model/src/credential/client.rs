//! The OAuth client: its id, and the JSON file that Google Cloud console offers for it.

use std::{fmt, str::FromStr};

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{CredentialError, Field, MAX_INPUT, Problem, paste};
use crate::quota::CloudProject;

const SUFFIX: &str = ".apps.googleusercontent.com";

/// Google's client ids are about 72 characters; nothing near this limit is one.
const MAX_CLIENT_ID: usize = 255;

/// An OAuth client id: `<digits>-<letters and digits>.apps.googleusercontent.com`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientId {
    text: String,
    project: CloudProject,
}

impl ClientId {
    /// Reads a client id; white space and quotes around it are ignored.
    ///
    /// # Errors
    /// When it is empty or of another form.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        let refuse = |problem| CredentialError::new(Field::ClientId, problem);
        if text.len() > MAX_INPUT {
            return Err(refuse(Problem::TooLong));
        }
        let text = paste::trim(text);
        if text.is_empty() {
            return Err(refuse(Problem::Empty));
        }
        if text.len() > MAX_CLIENT_ID {
            return Err(refuse(Problem::NotClientId));
        }
        let name = text
            .strip_suffix(SUFFIX)
            .ok_or(refuse(Problem::NotClientId))?;
        let (number, rest) = name.split_once('-').ok_or(refuse(Problem::NotClientId))?;
        if rest.is_empty() || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(refuse(Problem::NotClientId));
        }
        let project = CloudProject::from_str(number).map_err(|_| refuse(Problem::NotClientId))?;
        Ok(Self {
            text: text.to_owned(),
            project,
        })
    }

    /// The cloud project that Google counts quota for: the number before the first `-`.
    #[must_use]
    pub const fn project(&self) -> &CloudProject {
        &self.project
    }

    /// The id as Google writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The OAuth client file of Google Cloud console: `{"installed":{"client_id","client_secret",…}}` or `{"web":…}`.
#[derive(Debug, Clone)]
pub struct ClientSecretFile {
    /// The client id.
    pub client_id: ClientId,
    /// The client secret.
    pub client_secret: SecretString,
}

impl ClientSecretFile {
    /// Reads the file's text. Endpoints and redirect addresses in it are ignored.
    ///
    /// # Errors
    /// When it is no such file; the error says what it is instead where that can be told.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        Self::read(text).map_err(|problem| CredentialError::new(Field::ClientFile, problem))
    }

    fn read(text: &str) -> Result<Self, Problem> {
        if text.len() > MAX_INPUT {
            return Err(Problem::TooLong);
        }
        let text = paste::trim(text);
        if text.is_empty() {
            return Err(Problem::Empty);
        }
        let file: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
            if error.is_eof() {
                Problem::CutOff
            } else {
                Problem::NotAClientFile
            }
        })?;
        let client = file
            .get("installed")
            .or_else(|| file.get("web"))
            .and_then(Value::as_object);
        let Some(client) = client else {
            return Err(match file.get("type").and_then(Value::as_str) {
                Some("service_account") => Problem::ServiceAccountKey,
                _ if file.contains_key("access_token") => Problem::TokenAsClientFile,
                _ => Problem::NotAClientFile,
            });
        };
        let member = |name: &str| client.get(name).and_then(Value::as_str);
        let (Some(id), Some(secret)) = (member("client_id"), member("client_secret")) else {
            return Err(Problem::NotAClientFile);
        };
        if secret.is_empty() || !paste::is_token_text(secret) {
            return Err(Problem::Damaged);
        }
        let client_id = ClientId::parse(id).map_err(|error| error.problem)?;
        Ok(Self {
            client_id,
            client_secret: SecretString::from(secret),
        })
    }
}
