//! Rows 1, 4 and 5: many photos, close by.

use anyhow::Result;

use super::contest::Contest;
use super::{AT_ONCE, KIB, tuning};
use crate::bench::Bench;
use crate::bench::emulator::Library;
use crate::bench::peers::Peer;
use crate::bench::report::{Report, Unit};
use crate::bench::stats::{Goal, ratios};

/// rclone's candidates; it paces itself, so that they hardly differ.
pub(super) const RCLONE: [u16; 3] = [8, 64, 32];
const SIZE: u64 = 200 * KIB;

/// The library of rows 1 and 2.
pub(super) fn library(bench: &Bench) -> Library {
    Library::photos(bench.sized(5000, 400), SIZE)
}

/// A fifth of it, to find rclone's best setting with.
pub(super) fn sample() -> Library {
    Library::photos(1000, SIZE)
}

/// Measures the row.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let transfers = tuning::best_of(bench, report, sample(), 0, RCLONE).await?;
    let ours = Peer::Ours {
        transfers: Some(AT_ONCE),
    };
    let rclone = Peer::Rclone { transfers };
    let four = Peer::FourRclones { transfers };
    let floor = Peer::Floor { transfers: AT_ONCE };
    let contest = Contest {
        row: 1,
        library: library(bench),
        latency_ms: 0,
        peers: &[ours, rclone, four, floor],
        pairs: bench.pairs(5),
    };
    let found = contest.hold(bench).await?;
    let [ours, rclone, four, floor] = [ours, rclone, four, floor].map(Peer::name);

    let one = found.faster(&ours, &rclone);
    report.judge(
        1,
        "photos: faster than one rclone",
        Unit::Times,
        one,
        Goal::AtLeast(25.0),
    );
    let four = found.faster(&ours, &four);
    report.judge(
        1,
        "photos: faster than four rclone",
        Unit::Times,
        four,
        Goal::AtLeast(6.0),
    );
    let slower = found.faster(&floor, &ours);
    report.judge(
        1,
        "photos: time beside the floor",
        Unit::Times,
        slower,
        Goal::AtMost(2.0),
    );
    let cpu = ratios(&found.cpus(&ours), &found.cpus(&rclone));
    report.judge(
        4,
        "photos: CPU per GB beside rclone",
        Unit::Times,
        cpu,
        Goal::AtMost(0.5),
    );
    let peak = found.peaks(&ours);
    report.judge(
        5,
        "photos: memory at 32 at once",
        Unit::Mebibytes,
        peak,
        Goal::AtMost(64.0),
    );
    report.comparisons.push(found);
    Ok(())
}
