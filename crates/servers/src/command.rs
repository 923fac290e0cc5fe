//! Commands that are run to their end.

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

/// Runs a command to its end and returns what it wrote to stdout. Dropping the future kills it.
///
/// # Errors
/// When it cannot be started or fails; the error ends with what it wrote to stderr.
pub async fn output(command: &mut Command) -> Result<String> {
    let what = describe(command.as_std());
    command.kill_on_drop(true).stdin(Stdio::null());
    let output = command
        .output()
        .await
        .with_context(|| format!("cannot start `{what}`"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`{what}` failed ({}): {}", output.status, stderr.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command as a person would type it.
#[must_use]
pub fn describe(command: &std::process::Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|arg| arg.to_string_lossy().into_owned()),
    );
    words.join(" ")
}
