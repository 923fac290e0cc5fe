//! What `tintype serve` is told: a TOML file, then variables such as `TINTYPE_POSTGRES__URL`, which go before it.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use figment::{
    Figment,
    providers::{Env, Format as _, Toml},
};
use secrecy::SecretString;
use serde::Deserialize;
use tintype_model::quota::QuotaLimits;
use tintype_runtime::mtls::{SpiffeId, TlsFiles};
use tintype_vault::GrantKey;
use url::Url;

use crate::failure::Failure;

/// What stands before the name of every setting in the environment; two underscores stand for the dot between section and key.
const PREFIX: &str = "TINTYPE_";

/// All settings. Each role asks for the sections that it needs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) postgres: Option<Server>,
    pub(crate) rabbitmq: Option<RabbitMq>,
    pub(crate) redis: Option<Redis>,
    pub(crate) vault: Option<VaultAccess>,
    pub(crate) vault_server: Option<VaultServer>,
    #[serde(default)]
    pub(crate) worker: Worker,
    #[serde(default)]
    pub(crate) scheduler: Scheduler,
    #[serde(default)]
    pub(crate) google: Google,
    #[serde(default)]
    pub(crate) quota: BTreeMap<String, QuotaLimits>,
    #[serde(default)]
    pub(crate) policy: Policy,
}

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
}

impl Default for Scheduler {
    fn default() -> Self {
        Self {
            lead_seconds: 10,
            dispatch_patience_seconds: 60,
        }
    }
}

/// Where Google is, when it is not Google.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Google {
    pub(crate) url: Option<Url>,
    pub(crate) ca_cert: Option<PathBuf>,
}

/// What only a trusted operator may allow. All of it is denied unless set.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Policy {
    /// Archives in folders of the worker's machine.
    pub(crate) local_folders: bool,
}

/// A setting that is missing or cannot be used.
pub(crate) fn wrong(setting: &str, what: impl std::fmt::Display) -> Failure {
    let (section, key) = setting.split_once('.').unwrap_or((setting, ""));
    let variable = match key {
        "" => format!("{PREFIX}{}__…", section.to_uppercase()),
        key => format!(
            "{PREFIX}{}__{}",
            section.to_uppercase(),
            key.to_uppercase().replace('.', "__")
        ),
    };
    Failure::usage(format!("setting {setting}: {what}")).with_action(format!(
        "set it in the file given with --config, or with {variable}"
    ))
}

/// The section, which a role needs.
pub(crate) fn needed<'a, T>(section: Option<&'a T>, name: &str) -> Result<&'a T, Failure> {
    section.ok_or_else(|| wrong(name, "is missing, and this role needs it"))
}

impl Config {
    /// Reads file and environment.
    pub(crate) fn read(file: Option<&Path>) -> Result<Self, Failure> {
        let mut layers = Figment::new();
        if let Some(file) = file {
            if !file.is_file() {
                return Err(Failure::usage(format!(
                    "--config: there is no file {}",
                    file.display()
                )));
            }
            layers = layers.merge(Toml::file_exact(file));
        }
        // Only what names a section: TINTYPE_LOG and the like are no settings of this command.
        let variables = Env::prefixed(PREFIX)
            .filter(|name| name.as_str().contains("__"))
            .split("__");
        layers.merge(variables).extract().map_err(|error| {
            let place = error.path.join(".");
            match place.is_empty() {
                true => Failure::usage(format!("settings: {error}")),
                false => wrong(&place, error.kind),
            }
        })
    }
}

fn secret(
    section: &str,
    value: Option<&SecretString>,
    file: Option<&Path>,
) -> Result<SecretString, Failure> {
    match (value, file) {
        (Some(value), None) => Ok(value.clone()),
        (None, Some(file)) => {
            let text = read(&format!("{section}.url_file"), file)?;
            Ok(SecretString::from(text.trim()))
        }
        (Some(_), Some(_)) => Err(wrong(
            &format!("{section}.url"),
            "stands beside url_file; give one of both",
        )),
        (None, None) => Err(wrong(&format!("{section}.url"), "is missing")),
    }
}

/// The text of a file that a setting names.
pub(crate) fn read(setting: &str, file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| {
        wrong(
            setting,
            format!("{} cannot be read: {error}", file.display()),
        )
    })
}

impl Server {
    pub(crate) fn url(&self, section: &str) -> Result<SecretString, Failure> {
        secret(section, self.url.as_ref(), self.url_file.as_deref())
    }
}

impl RabbitMq {
    pub(crate) fn url(&self) -> Result<SecretString, Failure> {
        secret("rabbitmq", self.url.as_ref(), self.url_file.as_deref())
    }
}

impl Redis {
    pub(crate) fn url(&self) -> Result<SecretString, Failure> {
        secret("redis", self.url.as_ref(), self.url_file.as_deref())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tintype.toml");
        std::fs::write(&file, text).unwrap();
        Config::read(Some(&file)).unwrap_err().to_string()
    }

    #[test]
    fn a_wrong_setting_is_named() {
        for (text, name) in [
            ("[postgres]\nconnections = \"many\"", "postgres.connections"),
            ("[worker]\nslots = -1", "worker.slots"),
            ("[google]\nurl = \"nowhere\"", "google.url"),
            ("[vault]\nendpoints = \"v:1\"", "vault"),
            ("[redis]\nadress = \"x\"", "redis"),
        ] {
            let message = refused(text);
            assert!(message.contains(name), "{message}");
        }
    }

    #[test]
    fn a_missing_setting_is_named_with_its_variable() {
        let failure = needed(None::<&Redis>, "redis").unwrap_err();
        assert!(failure.to_string().contains("redis"), "{failure}");
        let server = Server {
            url: None,
            url_file: None,
            connections: 1,
        };
        let failure = server.url("postgres").unwrap_err();
        assert!(failure.to_string().contains("postgres.url"), "{failure}");
    }

    #[test]
    fn secrets_are_not_shown() {
        let text = "[postgres]\nurl = \"postgres://me:hunter2@db/x\"";
        let config: Config = Figment::from(Toml::string(text)).extract().unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
