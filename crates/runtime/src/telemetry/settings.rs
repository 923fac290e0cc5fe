//! What telemetry is told.

use std::{env, time::Duration};

use url::Url;

use super::{LogFormat, TelemetryError};

/// The standard variable that names the collector, such as `http://collector:4317`. A setting goes before it.
pub const ENDPOINT_VARIABLE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// What a process tells about its work, and to whom.
#[derive(Debug, Clone, PartialEq)]
pub struct TelemetrySettings {
    /// `service.name` of the traces.
    pub service: String,
    /// What this process does, such as `worker` or `scheduler+worker`.
    pub role: String,
    /// Where the collector takes OTLP over gRPC; no traces without one.
    pub endpoint: Option<String>,
    /// The share of traces that are recorded, 0 to 1. Decided where a trace begins; everybody else follows.
    pub sampling: f64,
    /// How a log line looks.
    pub format: LogFormat,
    /// How much is logged, unless [`super::LEVEL_VARIABLE`] says otherwise.
    pub level: String,
    /// Spans that may wait for the collector; with more, the newest are dropped. One takes about 1 KiB.
    pub queue: usize,
    /// Spans of one call to the collector.
    pub batch: usize,
    /// How long spans wait for others before they are sent.
    pub gather_for: Duration,
    /// When a call to the collector is given up.
    pub export_within: Duration,
}

impl TelemetrySettings {
    /// Defaults for a process with this role; the collector is the one that [`ENDPOINT_VARIABLE`] names, if it does.
    #[must_use]
    pub fn from_env(role: &str) -> Self {
        let endpoint = env::var(ENDPOINT_VARIABLE).ok();
        Self {
            endpoint: endpoint.filter(|it| !it.trim().is_empty()),
            ..Self::new(role)
        }
    }

    /// Defaults for a process with this role, without a collector.
    #[must_use]
    pub fn new(role: &str) -> Self {
        Self {
            service: "tintype".to_owned(),
            role: role.to_owned(),
            endpoint: None,
            sampling: 0.01,
            format: LogFormat::default(),
            level: "info".to_owned(),
            queue: 8_192,
            batch: 512,
            gather_for: Duration::from_secs(2),
            export_within: Duration::from_secs(5),
        }
    }

    /// The collector's address, if there is one.
    pub(super) fn checked_endpoint(&self) -> Result<Option<&str>, TelemetryError> {
        if !(0.0..=1.0).contains(&self.sampling) {
            return Err(TelemetryError::Sampling {
                given: self.sampling,
            });
        }
        let Some(text) = self.endpoint.as_deref().map(str::trim) else {
            return Ok(None);
        };
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(Some(text)),
            _ => Err(TelemetryError::Endpoint {
                address: without_user(text),
            }),
        }
    }
}

/// An address may carry a password, which must not stand in an error.
fn without_user(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            format!("{}{}", &text[..scheme + 3], &text[at + 1..])
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(endpoint: &str, sampling: f64) -> String {
        let settings = TelemetrySettings {
            endpoint: Some(endpoint.into()),
            sampling,
            ..TelemetrySettings::new("worker")
        };
        settings.checked_endpoint().unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_a_password() {
        assert!(refusal("collector:4317", 1.0).contains("collector:4317"));
        let odd = refusal("ftp://me:hunter2@collector", 1.0);
        assert!(
            odd.contains("ftp://collector") && !odd.contains("hunter2"),
            "{odd}"
        );
        assert!(refusal("http://collector:4317", 1.5).contains("1.5"));
        assert!(refusal("http://collector:4317", f64::NAN).contains("NaN"));
    }

    #[test]
    fn without_an_address_there_is_no_collector() {
        let settings = TelemetrySettings::new("worker");
        assert_eq!(settings.checked_endpoint().unwrap(), None);
    }
}
