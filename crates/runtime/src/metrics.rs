//! Metrics as Prometheus reads them: one recorder for the process, and text of everything it was told.
//!
//! Whoever serves the text asks [`Metrics::render`]; nothing here listens. What there is stands in [`catalogue`].

pub mod catalogue;
mod page;
mod process;

use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

use catalogue::{Kind, METRICS};
pub use page::page;

/// The `Content-Type` of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How often what histograms gathered is folded into their buckets, so that it cannot pile up when nobody reads.
const UPKEEP: Duration = Duration::from_secs(5);

/// Bounds of the buckets of everything that takes time, in seconds: from a look into memory to a call that is given up.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// Why there are no metrics.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// Somebody else installed a recorder.
    #[error("metrics are already set up in this process")]
    Twice(#[source] BuildError),
    /// The buckets of the histograms are none.
    #[error("the buckets of the histograms cannot be used")]
    Buckets(#[source] BuildError),
}

/// What was counted and measured in this process. Clones are one.
#[derive(Clone)]
pub struct Metrics {
    recorded: PrometheusHandle,
}

/// From now on whatever the `metrics` macros are told is kept. What was told before is lost.
///
/// # Errors
/// When a recorder is installed already.
pub fn install() -> Result<Metrics, MetricsError> {
    let recorded = builder()?.install_recorder();
    let recorded = recorded.map_err(MetricsError::Twice)?;
    describe();
    Ok(Metrics { recorded })
}

fn builder() -> Result<PrometheusBuilder, MetricsError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
        .map_err(MetricsError::Buckets)
}

/// Tells the recorder what the catalogue says of each metric.
fn describe() {
    for metric in METRICS {
        let unit = metric.unit.of_recorder();
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(metric.name, unit, metric.tells),
            Kind::Gauge => metrics::describe_gauge!(metric.name, unit, metric.tells),
            Kind::Histogram => metrics::describe_histogram!(metric.name, unit, metric.tells),
        }
    }
}

impl Metrics {
    /// Everything, in Prometheus' text format 0.0.4. Figures of the process are read now; where the system does not tell
    /// them (anything but Linux) they are missing.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = self.recorded.render();
        process::write(&mut text);
        text
    }

    /// Keeps memory bounded while nobody reads. Ends with `stop`.
    pub async fn keep_up(&self, stop: CancellationToken) {
        let mut due = tokio::time::interval(UPKEEP);
        due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = due.tick() => self.recorded.run_upkeep(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_rendered_with_what_it_means_and_in_fixed_buckets() {
        let recorder = builder().unwrap().build_recorder();
        let told = Metrics {
            recorded: recorder.handle(),
        };
        metrics::with_local_recorder(&recorder, || {
            describe();
            metrics::counter!("tintype_errors_total", "kind" => "internal", "where" => "shard")
                .increment(3);
            metrics::gauge!("tintype_workers").set(2.0);
            metrics::histogram!("tintype_queue_publish_seconds").record(0.003);
        });
        let text = told.render();
        for line in [
            "# TYPE tintype_errors_total counter",
            r#"tintype_errors_total{kind="internal",where="shard"} 3"#,
            "# HELP tintype_workers Workers that are there.",
            "tintype_workers 2",
            "# TYPE tintype_queue_publish_seconds histogram",
            r#"tintype_queue_publish_seconds_bucket{le="0.0025"} 0"#,
            r#"tintype_queue_publish_seconds_bucket{le="0.005"} 1"#,
            r#"tintype_queue_publish_seconds_bucket{le="+Inf"} 1"#,
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is not in {text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn upkeep_ends_when_it_is_asked_to() {
        let recorder = builder().unwrap().build_recorder();
        let told = Metrics {
            recorded: recorder.handle(),
        };
        let stop = CancellationToken::new();
        let (kept, stopped) = (told.clone(), stop.clone());
        let upkeep = tokio::spawn(async move { kept.keep_up(stopped).await });
        tokio::time::sleep(2 * UPKEEP).await;
        assert!(!upkeep.is_finished());
        stop.cancel();
        upkeep.await.unwrap();
    }
}
