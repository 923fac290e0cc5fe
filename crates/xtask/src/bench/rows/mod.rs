//! The rows of the table, one file each.

mod catalogue;
mod contest;
mod huge;
mod latency;
mod photos;
mod requests;
mod second_run;
mod tuning;
mod videos;

use anyhow::Result;

use super::Bench;
use super::report::Report;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
/// Downloads at once where peers are compared at the same number.
const AT_ONCE: u16 = 32;

/// A row, or several that are measured together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Row {
    /// 5,000 photos of 200 KiB without latency
    Photos,
    /// The same at 50 ms a request
    Latency,
    /// 200 videos of 8 MiB
    Videos,
    /// A few very large files: memory
    Huge,
    /// Nothing new among 50,000 and 500,000 items
    SecondRun,
    /// Requests per item, also with base URLs that die
    Requests,
    /// Catalogue writes, SQLite and Postgres
    Catalogue,
}

impl Row {
    pub(super) const ALL: [Self; 7] = [
        Self::Photos,
        Self::Latency,
        Self::Videos,
        Self::Huge,
        Self::SecondRun,
        Self::Requests,
        Self::Catalogue,
    ];

    /// As it is announced.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Photos => "photos (rows 1, 4, 5)",
            Self::Latency => "photos at 50 ms a request (rows 2, 5)",
            Self::Videos => "videos (rows 3, 4, 5)",
            Self::Huge => "very large files (row 5)",
            Self::SecondRun => "second run (row 6)",
            Self::Requests => "requests per item (row 7)",
            Self::Catalogue => "catalogue writes (row 8)",
        }
    }

    /// Measures it; what it finds goes into the report.
    pub(super) async fn measure(self, bench: &Bench, report: &mut Report) -> Result<()> {
        match self {
            Self::Photos => photos::measure(bench, report).await,
            Self::Latency => latency::measure(bench, report).await,
            Self::Videos => videos::measure(bench, report).await,
            Self::Huge => huge::measure(bench, report).await,
            Self::SecondRun => second_run::measure(bench, report).await,
            Self::Requests => requests::measure(bench, report).await,
            Self::Catalogue => catalogue::measure(bench, report).await,
        }
    }
}
