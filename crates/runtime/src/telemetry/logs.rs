//! Logs: plain or JSON lines on standard error.

use std::{
    env,
    io::{self, IsTerminal},
};

use tracing::Subscriber;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry::LookupSpan};

use super::TelemetryError;

/// The environment variable that says how much is logged, such as `debug` or `info,tintype_google=trace`.
pub const LEVEL_VARIABLE: &str = "TINTYPE_LOG";

/// What is never logged unless it is named: this library writes into its spans what it reads, which are people's photos, and
/// doing so takes many times as long as reading them.
const KEPT_OUT: &str = "nom_exif=off";

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For a person.
    #[default]
    Plain,
    /// One JSON object a line, for a collector.
    Json,
}

/// Lines on standard error, as many as [`LEVEL_VARIABLE`], else `default_level`, asks for.
pub(super) fn layer<S>(
    format: LogFormat,
    default_level: &str,
) -> Result<Box<dyn Layer<S> + Send + Sync>, TelemetryError>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let asked = env::var(LEVEL_VARIABLE)
        .ok()
        .filter(|text| !text.trim().is_empty());
    let filter = filter_of(asked.as_deref().unwrap_or(default_level))?;
    let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(!no_color && io::stderr().is_terminal());
    Ok(match format {
        LogFormat::Plain => lines.with_filter(filter).boxed(),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(true);
            lines.with_filter(filter).boxed()
        }
    })
}

fn filter_of(text: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::builder()
        .parse(format!("{KEPT_OUT},{text}"))
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
            "tintype_google=trace,nom_exif=off,info"
        );
    }

    #[test]
    fn what_a_photo_holds_is_logged_only_by_who_asks_for_it() {
        let is_logged = |text: &str| {
            let lines = fmt().with_env_filter(filter_of(text).unwrap()).finish();
            tracing::subscriber::with_default(
                lines,
                || tracing::enabled!(target: "nom_exif::exif", tracing::Level::INFO),
            )
        };
        assert!(!is_logged("info"));
        assert!(!is_logged("debug,tintype_media=trace"));
        assert!(is_logged("info,nom_exif=info"));
    }
}
