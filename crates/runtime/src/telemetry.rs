//! Logs: plain or JSON lines on standard error.

use std::{
    env,
    io::{self, IsTerminal},
};

use tracing_subscriber::{EnvFilter, filter::ParseError, fmt, util::TryInitError};

/// The environment variable that says how much is logged, such as `debug` or `info,tintype_google=trace`.
pub const LEVEL_VARIABLE: &str = "TINTYPE_LOG";

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For a person.
    #[default]
    Plain,
    /// One JSON object a line, for a collector.
    Json,
}

/// Why there are no logs.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level cannot be understood.
    #[error("the log level {text:?} is not valid: write off, error, warn, info, debug or trace")]
    Level {
        /// What was given.
        text: String,
        /// Why.
        #[source]
        source: ParseError,
    },
    /// Logs were already set up.
    #[error("logs are already set up")]
    Twice(#[source] TryInitError),
}

/// Sets logs up for the whole process. [`LEVEL_VARIABLE`] goes before `default_level`. Colours are only used on a
/// terminal and never when `NO_COLOR` is set.
///
/// # Errors
/// When the level cannot be understood, or logs are already set up.
pub fn init(format: LogFormat, default_level: &str) -> Result<(), TelemetryError> {
    let asked = env::var(LEVEL_VARIABLE)
        .ok()
        .filter(|text| !text.trim().is_empty());
    let filter = filter_of(asked.as_deref().unwrap_or(default_level))?;
    let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let lines = fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(!no_color && io::stderr().is_terminal());
    let started = match format {
        LogFormat::Plain => tracing_subscriber::util::SubscriberInitExt::try_init(lines.finish()),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(true);
            tracing_subscriber::util::SubscriberInitExt::try_init(lines.finish())
        }
    };
    started.map_err(TelemetryError::Twice)
}

fn filter_of(text: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::builder()
        .parse(text)
        .map_err(|source| TelemetryError::Level {
            text: text.to_owned(),
            source,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_is_none_is_refused_with_the_ones_there_are() {
        let error = filter_of("tintype=loud").unwrap_err();
        assert!(
            error.to_string().contains("write off, error, warn"),
            "{error}"
        );
        assert_eq!(
            filter_of("info,tintype_google=trace").unwrap().to_string(),
            "tintype_google=trace,info"
        );
    }
}
