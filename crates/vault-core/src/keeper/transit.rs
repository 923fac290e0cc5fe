//! The Transit engine of HashiCorp Vault or OpenBao as a keeper: wrapped keys are its ciphertexts (`vault:v3:…`), and the place
//! travels as associated data, so a wrapped key that was moved does not open there either.

mod call;

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Client, Method};
use secrecy::zeroize::{Zeroize as _, Zeroizing};
use serde::Deserialize;
use serde_json::json;
use tintype_ports::Entropy;
use tintype_runtime::HttpSettings;
use tokio::sync::Semaphore;
use url::Url;

use super::{Keeper, KeeperError, key_bytes};
use crate::{
    error::OpenError,
    seal::{KeyBytes, Place},
};

/// The most calls at a time; more wait.
const CALLS: usize = 32;

/// Key types that authenticate associated data.
const AEADS: [&str; 4] = [
    "aes256-gcm96",
    "aes128-gcm96",
    "chacha20-poly1305",
    "xchacha20-poly1305",
];

/// How to reach a Transit key.
#[derive(Debug, Clone)]
pub struct TransitSettings {
    /// The service, `https://bao.example:8200`.
    pub address: Url,
    /// Where the engine is mounted, `transit` unless moved.
    pub mount: String,
    /// The key's name. Its type must authenticate associated data: `aes256-gcm96` (Transit's default) does.
    pub key: String,
    /// A file with the token. Read for each call, so it can be renewed by an agent.
    pub token_file: PathBuf,
    /// The namespace, where the service has them.
    pub namespace: Option<String>,
    /// The longest one try may take.
    pub try_timeout: Duration,
    /// The longest a call may take, all tries and pauses included.
    pub call_timeout: Duration,
    /// Authorities, proxy and connection limits.
    pub http: HttpSettings,
}

impl TransitSettings {
    /// The usual settings for a key.
    #[must_use]
    pub fn new(address: Url, key: impl Into<String>, token_file: impl Into<PathBuf>) -> Self {
        Self {
            address,
            mount: "transit".to_owned(),
            key: key.into(),
            token_file: token_file.into(),
            namespace: None,
            try_timeout: Duration::from_secs(2),
            call_timeout: Duration::from_secs(5),
            http: HttpSettings::default(),
        }
    }
}

/// A client of the engine.
pub(super) struct Transit {
    settings: TransitSettings,
    client: Client,
    entropy: Arc<dyn Entropy>,
    calls: Semaphore,
}

impl fmt::Debug for Transit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}

#[derive(Deserialize)]
struct KeyFacts {
    latest_version: i64,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    derived: bool,
}

#[derive(Deserialize)]
struct Encrypted {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Decrypted {
    plaintext: String,
}

impl Transit {
    pub(super) fn new(
        settings: TransitSettings,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, OpenError> {
        if settings.address.cannot_be_a_base()
            || !matches!(settings.address.scheme(), "http" | "https")
        {
            return Err(OpenError::Settings(
                "the address must be an http or https URL",
            ));
        }
        if !settings.address.username().is_empty() || settings.address.password().is_some() {
            return Err(OpenError::Settings(
                "the address must not hold a name or password; the token stands in its file",
            ));
        }
        if settings.key.is_empty() || settings.key.contains('/') || settings.mount.is_empty() {
            return Err(OpenError::Settings(
                "the key's name and the mount must not be empty, and a name has no slash",
            ));
        }
        let client = settings.http.client()?;
        Ok(Self {
            settings,
            client,
            entropy,
            calls: Semaphore::new(CALLS),
        })
    }
}

#[async_trait]
impl Keeper for Transit {
    async fn newest(&self) -> Result<i64, KeeperError> {
        let facts: KeyFacts = self.call(Method::GET, "keys", None).await?;
        if !AEADS.contains(&facts.kind.as_str()) || facts.derived {
            return Err(KeeperError::Away(format!(
                "the key {} cannot be used: its type must be aes256-gcm96 or another that takes associated data, \
                 without derivation",
                self.settings.key
            )));
        }
        Ok(facts.latest_version)
    }

    async fn wrap(&self, place: Place<'_>, key: &KeyBytes) -> Result<(i64, Vec<u8>), KeeperError> {
        let plaintext = Zeroizing::new(STANDARD.encode(key.as_slice()));
        let body = Zeroizing::new(
            json!({ "plaintext": plaintext.as_str(), "associated_data": associated(place) })
                .to_string(),
        );
        let answer: Encrypted = self.call(Method::POST, "encrypt", Some(&body)).await?;
        let version = version_of(&answer.ciphertext).ok_or_else(|| {
            KeeperError::Away("the key service's answer has no version".to_owned())
        })?;
        Ok((version, answer.ciphertext.into_bytes()))
    }

    async fn unwrap(&self, place: Place<'_>, wrapped: &[u8]) -> Result<KeyBytes, KeeperError> {
        let ciphertext = str::from_utf8(wrapped).map_err(|_| KeeperError::Wrong)?;
        if version_of(ciphertext) != Some(place.key_version) {
            return Err(KeeperError::Wrong);
        }
        let body = Zeroizing::new(
            json!({ "ciphertext": ciphertext, "associated_data": associated(place) }).to_string(),
        );
        let mut answer: Decrypted = self.call(Method::POST, "decrypt", Some(&body)).await?;
        let plain = STANDARD.decode(&answer.plaintext).map(Zeroizing::new);
        answer.plaintext.zeroize();
        key_bytes(&plain.map_err(|_| KeeperError::Wrong)?)
    }
}

/// The place as associated data. The service chooses the version when it wraps, so it cannot be part of it; the ciphertext
/// itself names it and opens with no other.
fn associated(place: Place<'_>) -> String {
    STANDARD.encode(
        Place {
            key_version: 0,
            ..place
        }
        .to_bytes(),
    )
}

/// The 3 of `vault:v3:…`.
fn version_of(ciphertext: &str) -> Option<i64> {
    let (version, _) = ciphertext.strip_prefix("vault:v")?.split_once(':')?;
    version.parse().ok().filter(|version| *version >= 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ciphertext_names_its_version() {
        assert_eq!(version_of("vault:v12:abc"), Some(12));
        for wrong in [
            "",
            "vault:v",
            "vault:v1",
            "vault:v0:a",
            "vault:vx:a",
            "v1:a",
        ] {
            assert_eq!(version_of(wrong), None, "{wrong}");
        }
    }
}
