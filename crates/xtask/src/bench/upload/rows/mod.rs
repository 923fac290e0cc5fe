//! The rows of the table, one file each. Their numbers go on from those of `cargo xtask bench services`.

mod photos;
mod requests;
mod video;

use anyhow::Result;

use crate::bench::Bench;
use crate::bench::report::Report;

/// Size of each photo, bytes.
const PHOTO: usize = 200 * 1024;

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::bench) enum Row {
    /// 1,000 photos of 200 KiB to an album, without latency
    Photos,
    /// The same at 50 ms a request
    Latency,
    /// Requests per item, and how many of them were in vain
    Requests,
    /// A video of 2 GiB: memory
    Video,
}

impl Row {
    pub(in crate::bench) const ALL: [Self; 4] =
        [Self::Photos, Self::Latency, Self::Requests, Self::Video];

    /// As it is announced.
    pub(in crate::bench) fn title(self) -> &'static str {
        match self {
            Self::Photos => "photos to an album (row 17)",
            Self::Latency => "photos to an album at 50 ms a request (row 18)",
            Self::Requests => "requests per uploaded item (row 19)",
            Self::Video => "a very large video (row 20)",
        }
    }

    /// Measures it; what it finds goes into the report.
    pub(in crate::bench) async fn measure(self, bench: &Bench, report: &mut Report) -> Result<()> {
        match self {
            Self::Photos => photos::measure(bench, report, photos::NEAR).await,
            Self::Latency => photos::measure(bench, report, photos::FAR).await,
            Self::Requests => requests::measure(bench, report).await,
            Self::Video => video::measure(bench, report).await,
        }
    }
}
