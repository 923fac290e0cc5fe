//! What `tintype serve` is told: a TOML file, then variables such as `TINTYPE_POSTGRES__URL`, which go before it.

mod sections;

use std::{collections::BTreeMap, path::Path};

use figment::{
    Figment,
    providers::{Env, Format as _, Toml},
};
use serde::Deserialize;
use tintype_model::quota::QuotaLimits;

use crate::failure::Failure;

pub(crate) use sections::{
    Embedded, Fairness, Gateway, Google, Keys, Ops, Policy, RabbitMq, Redis, Scheduler, Server,
    Telemetry, VaultAccess, VaultServer, Worker,
};

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
    pub(crate) fairness: Fairness,
    #[serde(default)]
    pub(crate) google: Google,
    #[serde(default)]
    pub(crate) quota: BTreeMap<String, QuotaLimits>,
    #[serde(default)]
    pub(crate) policy: Policy,
    pub(crate) gateway: Option<Gateway>,
    pub(crate) ops: Option<Ops>,
    #[serde(default)]
    pub(crate) telemetry: Telemetry,
    #[serde(default)]
    pub(crate) embedded: Embedded,
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

/// The text of a file that a setting names.
pub(crate) fn read(setting: &str, file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| {
        wrong(
            setting,
            format!("{} cannot be read: {error}", file.display()),
        )
    })
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
        let config: Config = Figment::from(Toml::string("[postgres]\nconnections = 1"))
            .extract()
            .unwrap();
        let failure = config.postgres.unwrap().url("postgres").unwrap_err();
        assert!(failure.to_string().contains("postgres.url"), "{failure}");
    }

    #[test]
    fn secrets_are_not_shown() {
        let text = "[postgres]\nurl = \"postgres://me:hunter2@db/x\"";
        let config: Config = Figment::from(Toml::string(text)).extract().unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn an_operators_token_is_not_guessed() {
        let text = "[gateway]\nlisten = \"127.0.0.1:0\"\noperator_token = \"letmein\"";
        let config: Config = Figment::from(Toml::string(text)).extract().unwrap();
        let failure = config.gateway.unwrap().operator_token().unwrap_err();
        assert!(failure.to_string().contains("operator_token"), "{failure}");
    }
}
