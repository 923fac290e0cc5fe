//! Changes what is connected.

use std::process::ExitCode;

use clap::{ArgAction, Args};
use serde_json::{Map, Value, json};
use tintype_model::storage::ProxyUrl;

use crate::{
    failure::Failure,
    remote::{Named, Server},
    render::{self, out, printable},
};

/// Which place, and what of it.
#[derive(Debug, Args)]
pub(super) struct Update {
    /// Name or id of the storage
    #[arg(value_name = "STORAGE")]
    storage: String,
    /// What to call it from now on
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Whether it is never uploaded to
    #[arg(long, value_name = "true|false", action = ArgAction::Set)]
    read_only: Option<bool>,
    /// Leave out what was created before this year
    #[arg(long, value_name = "YEAR")]
    start_year: Option<i32>,
    /// Whether what is archived is listed as well
    #[arg(long, value_name = "true|false", action = ArgAction::Set)]
    include_archived: Option<bool>,
    /// Whether the size of each item is asked for before its download
    #[arg(long, value_name = "true|false", action = ArgAction::Set)]
    read_size: Option<bool>,
    /// Full-resolution proxy (gphotosdl) that downloads are tried at first
    #[arg(long, value_name = "URL", conflicts_with = "no_proxy")]
    proxy: Option<ProxyUrl>,
    /// Download from Google alone
    #[arg(long)]
    no_proxy: bool,
}

impl Update {
    pub(super) async fn run(self, server: &Server, as_json: bool) -> Result<ExitCode, Failure> {
        let changes = self.changes();
        if changes.is_empty() {
            let failure = Failure::usage("there is nothing to change");
            return Err(failure.with_action("see what can be: tintype storage update --help"));
        }
        let remote = server.open_tenant(false).await?;
        let found = remote.storage(&self.storage).await?;
        let path = format!("/v1/storages/{}", found.id);
        let changed: Value = remote.patch(&path, &changes.into()).await?;
        if as_json {
            render::json(&changed);
        } else if let Ok(named) = serde_json::from_value::<Named>(changed) {
            out(&format!("{} is changed", printable(&named.name)));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What is named.
    fn changes(&self) -> Map<String, Value> {
        let mut changes = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                changes.insert(name.into(), value);
            }
        };
        set("name", self.name.as_deref().map(Value::from));
        set("read_only", self.read_only.map(Value::from));
        set("start_year", self.start_year.map(Value::from));
        set("include_archived", self.include_archived.map(Value::from));
        set("read_size", self.read_size.map(Value::from));
        set("proxy", self.proxy.as_ref().map(|it| json!(it)));
        set("proxy", self.no_proxy.then_some(Value::Null));
        changes
    }
}
