//! Rows 3, 4 and 5: videos, where bytes count and not requests.

use anyhow::Result;

use super::contest::Contest;
use super::{AT_ONCE, MIB, tuning};
use crate::bench::Bench;
use crate::bench::emulator::Library;
use crate::bench::peers::Peer;
use crate::bench::report::{Report, Unit};
use crate::bench::stats::{Goal, ratios};

const RCLONE: [u16; 3] = [4, 8, 32];

/// Measures the row.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let library = Library::videos(bench.sized(200, 24), 8 * MIB);
    let transfers = tuning::best_of(bench, report, library, 0, RCLONE).await?;
    let ours = Peer::Ours {
        transfers: Some(AT_ONCE),
    };
    let rclone = Peer::Rclone { transfers };
    let floor = Peer::Floor { transfers: AT_ONCE };
    let contest = Contest {
        row: 3,
        library,
        latency_ms: 0,
        peers: &[ours, rclone, floor],
        pairs: bench.pairs(5),
    };
    let found = contest.hold(bench).await?;
    let [ours, rclone, floor] = [ours, rclone, floor].map(Peer::name);

    let faster = found.faster(&ours, &rclone);
    report.judge(
        3,
        "videos: faster than one rclone",
        Unit::Times,
        faster,
        Goal::AtLeast(1.8),
    );
    let slower = found.faster(&floor, &ours);
    report.judge(
        3,
        "videos: time beside the floor",
        Unit::Times,
        slower,
        Goal::AtMost(1.25),
    );
    let cpu = ratios(&found.cpus(&ours), &found.cpus(&rclone));
    report.judge(
        4,
        "videos: CPU per GB beside rclone",
        Unit::Times,
        cpu,
        Goal::AtMost(0.5),
    );
    let peak = found.peaks(&ours);
    report.judge(
        5,
        "videos: memory at 32 at once",
        Unit::Mebibytes,
        peak,
        Goal::AtMost(64.0),
    );
    report.comparisons.push(found);
    Ok(())
}
