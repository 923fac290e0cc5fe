//! Tests an account, and shows each line of the checklist as it becomes known.

use std::process::ExitCode;

use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use tintype_model::ErrorKind;

use super::sign_in::tested;
use crate::{
    failure::Failure,
    remote::{self, Remote, Server},
    render::{Console, Mark, counted, printable, sentence},
};

/// Which account.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// Name or id of the storage
    #[arg(value_name = "STORAGE")]
    storage: String,
}

impl Test {
    pub(super) async fn run(self, server: &Server, as_json: bool) -> Result<ExitCode, Failure> {
        let remote = server.open_tenant(false).await?;
        let found = remote.storage(&self.storage).await?;
        tested(&remote, &found.id, &found.name, as_json).await
    }
}

#[derive(Debug, Deserialize)]
struct Line {
    name: String,
    result: String,
    detail: String,
    code: Option<String>,
    action: Option<String>,
}

#[derive(Debug, Deserialize)]
struct End {
    passed: bool,
    requests: u64,
}

/// How a test went.
pub(super) struct Outcome {
    lines: Vec<Value>,
    end: End,
    failed: Option<ErrorKind>,
}

impl Outcome {
    /// The class of the line that failed.
    pub(super) const fn failed(&self) -> Option<ErrorKind> {
        self.failed
    }

    /// The same as JSON.
    pub(super) fn report(&self) -> Value {
        json!({"passed": self.end.passed, "requests": self.end.requests, "checks": self.lines})
    }
}

/// Runs the test at `path` and shows it.
pub(super) async fn checklist(
    remote: &Remote,
    path: &str,
    body: &Value,
    console: &Console,
) -> Result<Outcome, Failure> {
    let mut lines = Vec::new();
    let mut end = None;
    let mut failed = None;
    let on_event = |name: &str, data: Value| {
        match name {
            "check" => {
                let line: Line = serde_json::from_value(data.clone()).map_err(|_| no_line())?;
                failed = show(console, &line).or(failed);
                lines.push(data);
            }
            "done" => end = serde_json::from_value::<End>(data).ok(),
            "error" => return Err(remote::failure_of(data)),
            _ => {}
        }
        Ok(())
    };
    remote.post_events(path, body, on_event).await?;
    let end = end.ok_or_else(|| {
        let message = "the server broke the test off";
        Failure::new(ErrorKind::Unavailable, message).with_action("try again in a minute")
    })?;
    let calls = counted(end.requests, "call");
    console.say(&format!("  {calls} counted by Google"));
    Ok(Outcome { lines, end, failed })
}

fn no_line() -> Failure {
    Failure::new(ErrorKind::Unavailable, "the server is of another version")
        .with_action("use the same version of tintype as the server")
}

/// Shows a line; the class of its failure, if it is one.
fn show(console: &Console, line: &Line) -> Option<ErrorKind> {
    let mark = match line.result.as_str() {
        "passed" => Mark::Good,
        "skipped" => Mark::Open,
        _ => Mark::Bad,
    };
    console.mark(mark, &printable(&line.name), &sentence(&line.detail));
    if let Some(action) = &line.action {
        console.action(&sentence(action));
    }
    line.code.as_deref().map(remote::kind_of)
}
