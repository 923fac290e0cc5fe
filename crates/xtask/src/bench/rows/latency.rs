//! Rows 2 and 5: the same photos, 50 ms away; ours finds its concurrency by itself.

use anyhow::Result;

use super::contest::Contest;
use super::{photos, tuning};
use crate::bench::Bench;
use crate::bench::peers::Peer;
use crate::bench::report::{Report, Unit};
use crate::bench::stats::Goal;

const LATENCY_MS: u64 = 50;
/// What the floor is given, where ours has to find it out.
const FLOOR_AT_ONCE: u16 = 256;

/// Measures the row.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let transfers =
        tuning::best_of(bench, report, photos::sample(), LATENCY_MS, photos::RCLONE).await?;
    let ours = Peer::Ours { transfers: None };
    let rclone = Peer::Rclone { transfers };
    let floor = Peer::Floor {
        transfers: FLOOR_AT_ONCE,
    };
    let contest = Contest {
        row: 2,
        library: photos::library(bench),
        latency_ms: LATENCY_MS,
        peers: &[ours, rclone, floor],
        pairs: bench.pairs(5),
    };
    let found = contest.hold(bench).await?;
    let [ours, rclone, floor] = [ours, rclone, floor].map(Peer::name);

    let faster = found.faster(&ours, &rclone);
    report.judge(
        2,
        "50 ms: faster than one rclone",
        Unit::Times,
        faster,
        Goal::AtLeast(12.0),
    );
    let slower = found.faster(&floor, &ours);
    report.judge(
        2,
        "50 ms: time beside the floor at 256",
        Unit::Times,
        slower,
        None,
    );
    let peak = found.peaks(&ours);
    report.judge(
        5,
        "50 ms: memory, up to 256 at once",
        Unit::Mebibytes,
        peak,
        Goal::AtMost(160.0),
    );
    report.comparisons.push(found);
    Ok(())
}
