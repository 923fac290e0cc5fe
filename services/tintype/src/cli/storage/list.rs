//! The places that are connected.

use std::process::ExitCode;

use serde_json::{Value, json};
use tintype_ports::Clock as _;
use tintype_runtime::SystemClock;

use super::show::health_of;
use crate::{
    failure::Failure,
    remote::Server,
    render::{self, Table, out, printable},
};

/// Where a place is, for a person.
pub(super) fn place_of(storage: &Value) -> String {
    let text = |field: &str| printable(storage[field].as_str().unwrap_or_default());
    match storage["kind"].as_str() {
        Some("google_photos") if storage["proxy"].is_string() => {
            let (project, proxy) = (text("project"), text("proxy"));
            format!("cloud project {project}, downloads by {proxy}")
        }
        Some("google_photos") => format!("cloud project {}", text("project")),
        Some("s3") => format!("{} at {}", text("bucket"), text("endpoint")),
        _ => text("path"),
    }
}

pub(super) async fn run(server: &Server, as_json: bool) -> Result<ExitCode, Failure> {
    let remote = server.open_tenant(false).await?;
    let storages: Vec<Value> = remote.all("/v1/storages").await?;
    if as_json {
        render::json(&json!({ "data": storages }));
        return Ok(ExitCode::SUCCESS);
    }
    if storages.is_empty() {
        out("nothing is connected yet");
        return Ok(ExitCode::SUCCESS);
    }
    let now = SystemClock.now();
    let mut table = Table::new(["name", "kind", "where", "credential", "id"]).words(5);
    for storage in &storages {
        let text = |field: &str| printable(storage[field].as_str().unwrap_or_default());
        let health = health_of(storage).map_or_else(String::new, |it| it.words(now));
        table.row([
            text("name"),
            text("kind"),
            place_of(storage),
            health,
            text("id"),
        ]);
    }
    for line in table.lines() {
        out(&line);
    }
    Ok(ExitCode::SUCCESS)
}
