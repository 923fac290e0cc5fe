//! The rows of the table, one file each. Their numbers go on from those of `cargo xtask bench transfer`.

mod dispatch;
mod embedded;
mod fairness;
mod growth;
mod publish;
mod quota;
mod two_workers;
mod vault;

use anyhow::Result;

use crate::bench::Bench;
use crate::bench::report::Report;

const KIB: u64 = 1024;

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::bench) enum Row {
    /// The same backup by one worker of an install and by one process
    Embedded,
    /// Two workers beside one, work that waits for Google
    TwoWorkers,
    /// From a queued run to its first call of Google
    Dispatch,
    /// Permits, round trips, overspend, and what is left at midnight
    Quota,
    /// Twenty tenants, one with fifty times the load
    Fairness,
    /// Access tokens over mutual TLS
    Vault,
    /// Jobs through quorum queues
    Publish,
    /// Ten thousand and a million items
    Growth,
}

impl Row {
    pub(in crate::bench) const ALL: [Self; 8] = [
        Self::Embedded,
        Self::TwoWorkers,
        Self::Dispatch,
        Self::Quota,
        Self::Fairness,
        Self::Vault,
        Self::Publish,
        Self::Growth,
    ];

    /// As it is announced.
    pub(in crate::bench) fn title(self) -> &'static str {
        match self {
            Self::Embedded => "services beside one process (row 9)",
            Self::TwoWorkers => "two workers (row 10)",
            Self::Dispatch => "from queued to the first call (row 11)",
            Self::Quota => "quota (row 12)",
            Self::Fairness => "fairness (row 13)",
            Self::Vault => "vault (row 14)",
            Self::Publish => "jobs through RabbitMQ (row 15)",
            Self::Growth => "growth (row 16)",
        }
    }

    /// Measures it; what it finds goes into the report.
    pub(in crate::bench) async fn measure(self, bench: &Bench, report: &mut Report) -> Result<()> {
        match self {
            Self::Embedded => embedded::measure(bench, report).await,
            Self::TwoWorkers => two_workers::measure(bench, report).await,
            Self::Dispatch => dispatch::measure(bench, report).await,
            Self::Quota => quota::measure(bench, report).await,
            Self::Fairness => fairness::measure(bench, report).await,
            Self::Vault => vault::measure(bench, report).await,
            Self::Publish => publish::measure(bench, report).await,
            Self::Growth => growth::measure(bench, report).await,
        }
    }
}
