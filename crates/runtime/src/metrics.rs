//! Metrics: what the `metrics` macros count in this process, as text for Prometheus. Nothing listens here.

use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::{MissedTickBehavior, interval};

/// Histograms of durations end in this.
const SECONDS: &str = "_seconds";

/// From a permit in memory to a download that takes minutes.
const BUCKETS: [f64; 18] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
    300.0, 1_800.0, 7_200.0,
];

/// How often samples are moved into their buckets when nobody asks.
const UPKEEP: Duration = Duration::from_secs(5);

/// Why nothing is counted.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be set up")]
pub struct MetricsError(#[source] BuildError);

/// Everything that this process counts.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// Counts from now on, for the whole process.
///
/// # Errors
/// When something counts already.
pub fn install() -> Result<Metrics, MetricsError> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix(SECONDS.to_owned()), &BUCKETS)
        .map_err(MetricsError)?;
    let handle = builder.install_recorder().map_err(MetricsError)?;
    Ok(Metrics(handle))
}

impl Metrics {
    /// All of it in Prometheus's text format 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Keeps what was measured from piling up while nobody asks, until `stop` is done.
    pub async fn keep_up(&self, stop: impl Future<Output = ()>) {
        let mut ticks = interval(UPKEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::select! {
            () = stop => {}
            () = async {
                loop {
                    ticks.tick().await;
                    self.0.run_upkeep();
                }
            } => {}
        }
    }
}
