//! What a process tells about its work: logs on standard error, and traces for a collector when there is one.

mod attributes;
mod export;
mod filter;
mod logs;
mod settings;
mod traces;

use std::time::Duration;

use opentelemetry_otlp::ExporterBuildError;
use tracing::Dispatch;
use tracing_subscriber::{
    Layer, Registry,
    filter::ParseError,
    layer::SubscriberExt as _,
    util::{SubscriberInitExt as _, TryInitError},
};

use crate::Lifecycle;
use export::Exporter;
use filter::Spare;
pub use logs::{LEVEL_VARIABLE, LogFormat};
pub use settings::{ENDPOINT_VARIABLE, TelemetrySettings};

/// Why there is no telemetry.
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
    /// The collector's address cannot be used.
    #[error(
        "the collector's address {address:?} is no http or https URL such as http://collector:4317"
    )]
    Endpoint {
        /// What was given, without user and password.
        address: String,
    },
    /// The share of traces to record is none.
    #[error("the share of traces to record is {given}: it must be between 0 and 1")]
    Sampling {
        /// What was given.
        given: f64,
    },
    /// Traces cannot be exported with these settings.
    #[error(
        "traces cannot be exported: check the collector's address and the variables OTEL_EXPORTER_OTLP_*"
    )]
    Exporter(#[source] ExporterBuildError),
    /// Logs were already set up.
    #[error("logs are already set up")]
    Twice(#[source] TryInitError),
}

/// The telemetry of this process. Dropping it exports what is left in the background, without waiting.
#[derive(Debug)]
pub struct Telemetry {
    exporter: Option<Exporter>,
}

/// Sets logs up for the whole process, without traces. [`LEVEL_VARIABLE`] goes before `default_level`. Colours are only used
/// on a terminal and never when `NO_COLOR` is set.
///
/// # Errors
/// When the level cannot be understood, or logs are already set up.
pub fn init(format: LogFormat, default_level: &str) -> Result<(), TelemetryError> {
    let lines = logs::layer(format, default_level)?;
    let subscriber = Registry::default().with(lines);
    subscriber.try_init().map_err(TelemetryError::Twice)
}

/// Sets logs and, when the settings name a collector, traces up for the whole process. To be called within the runtime
/// that the process works on.
///
/// # Errors
/// When a setting cannot be used, or logs are already set up.
pub fn start(settings: &TelemetrySettings) -> Result<Telemetry, TelemetryError> {
    let (subscriber, telemetry) = subscriber(settings)?;
    subscriber.try_init().map_err(TelemetryError::Twice)?;
    Ok(telemetry)
}

/// The same as [`start`] for the current thread only, as long as the guard lives: for tests, several of which share a
/// process. A span that another thread enters never ends.
///
/// # Errors
/// When a setting cannot be used.
pub fn start_here(
    settings: &TelemetrySettings,
) -> Result<(Telemetry, tracing::subscriber::DefaultGuard), TelemetryError> {
    let (subscriber, telemetry) = subscriber(settings)?;
    Ok((telemetry, subscriber.set_default()))
}

fn subscriber(settings: &TelemetrySettings) -> Result<(Dispatch, Telemetry), TelemetryError> {
    let lines = logs::layer(settings.format, &settings.level)?;
    let Some(endpoint) = settings.checked_endpoint()? else {
        let subscriber = Registry::default().with(lines);
        return Ok((subscriber.into(), Telemetry { exporter: None }));
    };
    let spare = Spare::beside_logs(Layer::<Registry>::max_level_hint(&lines));
    let (spans, exporter) = traces::layer(settings, endpoint)?;
    let subscriber = Registry::default().with(vec![lines, spans]);
    let dispatch = match spare {
        Some(spare) => subscriber.with(spare).into(),
        None => subscriber.into(),
    };
    let exporter = Some(exporter);
    Ok((dispatch, Telemetry { exporter }))
}

impl Telemetry {
    /// Whether traces go to a collector.
    #[must_use]
    pub const fn exports(&self) -> bool {
        self.exporter.is_some()
    }

    /// Exports every span that has ended so far. False when that took longer than `within` or the collector did not take
    /// all of them.
    pub async fn flush(&self, within: Duration) -> bool {
        match &self.exporter {
            Some(exporter) => exporter.flush(within).await,
            None => true,
        }
    }

    /// Has [`Lifecycle::finish`] export what is left, for at most `within`: the last thing a process does.
    pub fn flush_at_the_end_of(self, life: &Lifecycle, within: Duration) {
        life.at_the_end(within, async move {
            if !self.flush(within).await {
                tracing::debug!("the last spans did not reach the collector");
            }
        });
    }
}
