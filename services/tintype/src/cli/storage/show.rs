//! One place, and how what opens it is.

use std::process::ExitCode;

use clap::Args;
use serde::Deserialize;
use serde_json::Value;
use tintype_ports::Clock as _;
use tintype_runtime::SystemClock;

use super::{health::Health, list::place_of};
use crate::{
    failure::Failure,
    remote::{Remote, Server},
    render::{self, Console, Table, out, printable, sentence},
};

/// Which place.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Name or id of the storage
    #[arg(value_name = "STORAGE")]
    storage: String,
}

impl Show {
    pub(super) async fn run(self, server: &Server, as_json: bool) -> Result<ExitCode, Failure> {
        let remote = server.open_tenant(false).await?;
        let found = remote.storage(&self.storage).await?;
        let shown: Value = remote.get(&format!("/v1/storages/{}", found.id)).await?;
        if as_json {
            render::json(&shown);
            return Ok(ExitCode::SUCCESS);
        }
        let mut table = Table::new(["storage", printable(&found.name).as_str()]).words(2);
        let text = |field: &str| printable(shown[field].as_str().unwrap_or_default());
        table.row(["kind".to_owned(), text("kind")]);
        table.row(["where".to_owned(), place_of(&shown)]);
        table.row(["id".to_owned(), text("id")]);
        if let Some(health) = health_of(&shown) {
            table.row(["credential".to_owned(), health.words(SystemClock.now())]);
            if let Some(death) = health.death() {
                table.row(["dies".to_owned(), death]);
            }
            if let Some(used) = health.last_use() {
                table.row(["last used".to_owned(), used]);
            }
            if let Some(action) = &health.action {
                table.row(["to do".to_owned(), sentence(action)]);
            }
        }
        for line in table.lines() {
            out(&line);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The health in what the server shows of a storage, where it has one.
pub(super) fn health_of(shown: &Value) -> Option<Health> {
    Health::deserialize(&shown["health"]).ok()
}

/// Says how the credential of a connected account is, and what to do about it if all else `is_well`.
pub(super) async fn say_health(
    remote: &Remote,
    storage: &str,
    is_well: bool,
    console: &Console,
) -> Result<(), Failure> {
    let shown: Value = remote.get(&format!("/v1/storages/{storage}")).await?;
    if let Some(health) = health_of(&shown) {
        console.say(&format!(
            "  credential: {}",
            health.words(SystemClock.now())
        ));
        // A test that failed has said already what to do.
        if let Some(action) = health.action.filter(|_| is_well) {
            console.action(&sentence(&action));
        }
    }
    Ok(())
}
