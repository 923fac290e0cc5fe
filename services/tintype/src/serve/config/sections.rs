//! The sections of the settings, and the secrets that some of them name.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tintype_model::{credential::ClientId, storage::StoragePolicy};
use tintype_ports::vault::OAuthClient;
use tintype_runtime::mtls::{SpiffeId, TlsFiles};
use tintype_vault::GrantKey;
use url::Url;

use super::{read, wrong};
use crate::failure::Failure;

/// A database.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    url: Option<SecretString>,
    url_file: Option<PathBuf>,
    #[serde(default = "connections")]
    pub(crate) connections: u32,
}

const fn connections() -> u32 {
    16
}

/// The broker.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RabbitMq {
    url: Option<SecretString>,
    url_file: Option<PathBuf>,
    #[serde(default = "prefix")]
    pub(crate) prefix: String,
    #[serde(default = "queues")]
    pub(crate) queues: u16,
}

fn prefix() -> String {
    "tintype".into()
}

const fn queues() -> u16 {
    8
}

/// What is shared.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redis {
    url: Option<SecretString>,
    url_file: Option<PathBuf>,
    #[serde(default = "prefix")]
    pub(crate) prefix: String,
}

/// How the vault is reached.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VaultAccess {
    pub(crate) endpoints: String,
    pub(crate) tls: TlsFiles,
    pub(crate) grant_key_id: String,
    pub(crate) grant_key_file: PathBuf,
}

/// The vault itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VaultServer {
    pub(crate) listen: SocketAddr,
    pub(crate) tls: TlsFiles,
    pub(crate) database: Server,
    pub(crate) keys: Keys,
    pub(crate) grant_keys: Vec<Signer>,
}

/// Whose grants the vault believes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signer {
    id: String,
    identity: SpiffeId,
    public_key_file: PathBuf,
    scopes: Vec<String>,
}

/// Where the key-encryption keys are.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Keys {
    /// A key file.
    File(PathBuf),
    /// The name of a variable that holds what a key file would.
    Variable(String),
    /// HashiCorp Vault or OpenBao Transit.
    Transit {
        address: Url,
        key: String,
        token_file: PathBuf,
    },
}

/// What a worker may do at once.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Worker {
    pub(crate) slots: usize,
    pub(crate) max_downloads: u32,
    /// Bytes on their way to a bucket wait here.
    pub(crate) spool: PathBuf,
    pub(crate) lease_seconds: u64,
}

impl Default for Worker {
    fn default() -> Self {
        Self {
            slots: 6,
            max_downloads: 256,
            spool: std::env::temp_dir().join("tintype-spool"),
            lease_seconds: 30,
        }
    }
}

/// How the scheduler leads.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Scheduler {
    pub(crate) lead_seconds: u64,
    pub(crate) dispatch_patience_seconds: u64,
    /// How often all accounts are looked after.
    pub(crate) accounts_seconds: u64,
}

impl Default for Scheduler {
    fn default() -> Self {
        Self {
            lead_seconds: 10,
            dispatch_patience_seconds: 60,
            accounts_seconds: 300,
        }
    }
}

/// How tenants share what is scarce.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Fairness {
    /// By so many photos a short run may go before its turn, so that it ends soon. Less is more even, and lets short runs wait.
    pub(crate) burst: u64,
}

impl Default for Fairness {
    fn default() -> Self {
        Self {
            burst: tintype_app::Settings::default().fair_burst,
        }
    }
}

/// Where Google is, when it is not Google, and the operator's own OAuth client.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Google {
    pub(crate) url: Option<Url>,
    pub(crate) ca_cert: Option<PathBuf>,
    /// For tenants that bring no client of their own.
    client_id: Option<String>,
    client_secret: Option<SecretString>,
    client_secret_file: Option<PathBuf>,
}

impl Google {
    /// The operator's own OAuth client, where one is set.
    pub(crate) fn client(&self) -> Result<Option<OAuthClient>, Failure> {
        let (value, file) = (
            self.client_secret.as_ref(),
            self.client_secret_file.as_deref(),
        );
        let Some(id) = &self.client_id else {
            return match (value, file) {
                (None, None) => Ok(None),
                _ => Err(wrong("google.client_id", "is missing")),
            };
        };
        let id = ClientId::parse(id).map_err(|error| wrong("google.client_id", error.problem))?;
        let secret = secret("google", "client_secret", value, file)?;
        if secret.expose_secret().trim().is_empty() {
            return Err(wrong("google.client_secret", "is empty"));
        }
        let id = id.as_str().to_owned();
        Ok(Some(OAuthClient { id, secret }))
    }
}

/// What only a trusted operator may allow. What is not said depends on the profile: allowed on a person's own machine
/// (embedded), denied where tenants are strangers (services).
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policy {
    /// Archives in folders of the worker's machine.
    pub(crate) local_folders: Option<bool>,
    /// Buckets at addresses of this machine or of a private network.
    pub(crate) private_addresses: Option<bool>,
}

impl Policy {
    /// What is said here, and the usual for the rest.
    pub(crate) fn over(&self, usual: StoragePolicy) -> StoragePolicy {
        StoragePolicy {
            local_folders: self.local_folders.unwrap_or(usual.local_folders),
            private_addresses: self.private_addresses.unwrap_or(usual.private_addresses),
        }
    }
}

/// The REST API.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gateway {
    pub(crate) listen: SocketAddr,
    /// Where browsers reach the API, such as https://photos.example; people who signed in at Google come back there.
    public_url: Option<Url>,
    operator_token: Option<SecretString>,
    operator_token_file: Option<PathBuf>,
}

/// Health, readiness and metrics of this process, for whoever runs it; not for the public.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ops {
    pub(crate) listen: SocketAddr,
}

/// What the process tells a collector.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Telemetry {
    /// Where the collector takes OTLP over gRPC; the standard variable `OTEL_EXPORTER_OTLP_ENDPOINT` where this is not said.
    pub(crate) otlp_endpoint: Option<String>,
    /// The share of traces that begin here and are recorded, 0 to 1.
    pub(crate) sampling: Option<f64>,
}

/// The embedded profile.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Embedded {
    /// Catalogue, vault and spool lie here.
    pub(crate) data_dir: Option<PathBuf>,
}

/// A secret that is either given, or in a file that is named.
fn secret(
    section: &str,
    key: &str,
    value: Option<&SecretString>,
    file: Option<&Path>,
) -> Result<SecretString, Failure> {
    let setting = format!("{section}.{key}");
    match (value, file) {
        (Some(value), None) => Ok(value.clone()),
        (None, Some(file)) => {
            let text = read(&format!("{setting}_file"), file)?;
            Ok(SecretString::from(text.trim()))
        }
        (Some(_), Some(_)) => Err(wrong(
            &setting,
            format!("stands beside {key}_file; give one of both"),
        )),
        (None, None) => Err(wrong(&setting, "is missing")),
    }
}

impl Server {
    pub(crate) fn url(&self, section: &str) -> Result<SecretString, Failure> {
        secret(section, "url", self.url.as_ref(), self.url_file.as_deref())
    }
}

impl RabbitMq {
    pub(crate) fn url(&self) -> Result<SecretString, Failure> {
        secret(
            "rabbitmq",
            "url",
            self.url.as_ref(),
            self.url_file.as_deref(),
        )
    }
}

impl Redis {
    pub(crate) fn url(&self) -> Result<SecretString, Failure> {
        secret("redis", "url", self.url.as_ref(), self.url_file.as_deref())
    }
}

impl VaultServer {
    /// The keys of those whose grants are believed.
    pub(crate) fn grant_keys(&self) -> Result<Vec<GrantKey>, Failure> {
        let mut keys = Vec::with_capacity(self.grant_keys.len());
        for signer in &self.grant_keys {
            let setting = "vault_server.grant_keys";
            let scopes = signer.scopes.iter().map(|scope| {
                serde_json::from_value(serde_json::Value::String(scope.clone()))
                    .map_err(|error| wrong(setting, format!("scope {scope:?}: {error}")))
            });
            keys.push(GrantKey {
                id: signer.id.clone(),
                public_key: read(setting, &signer.public_key_file)?,
                identity: signer.identity.clone(),
                scopes: scopes.collect::<Result<_, _>>()?,
            });
        }
        Ok(keys)
    }
}

/// An operator's token is as long as a key of 128 bits at least.
const SHORTEST_TOKEN: usize = 32;

impl Gateway {
    /// Where browsers reach the API.
    pub(crate) fn public_url(&self) -> Result<Option<Url>, Failure> {
        let Some(url) = &self.public_url else {
            return Ok(None);
        };
        let is_plain = url.query().is_none() && url.fragment().is_none() && url.has_host();
        if !is_plain || !matches!(url.scheme(), "https" | "http") {
            let what = "is no address of a site, such as https://photos.example";
            return Err(wrong("gateway.public_url", what));
        }
        Ok(Some(url.clone()))
    }

    /// The token of the operator, where one is set.
    pub(crate) fn operator_token(&self) -> Result<Option<SecretString>, Failure> {
        let (value, file) = (
            self.operator_token.as_ref(),
            self.operator_token_file.as_deref(),
        );
        if value.is_none() && file.is_none() {
            return Ok(None);
        }
        let token = secret("gateway", "operator_token", value, file)?;
        if token.expose_secret().len() < SHORTEST_TOKEN {
            let what = format!("is shorter than {SHORTEST_TOKEN} characters");
            return Err(wrong("gateway.operator_token", what));
        }
        Ok(Some(token))
    }
}
