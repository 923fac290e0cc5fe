//! Row 5: files so large that a program that held one would show it.

use anyhow::Result;

use super::contest::Contest;
use super::{AT_ONCE, MIB};
use crate::bench::Bench;
use crate::bench::emulator::Library;
use crate::bench::peers::Peer;
use crate::bench::report::{Report, Unit};
use crate::bench::stats::Goal;

/// Measures the row.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let ours = Peer::Ours {
        transfers: Some(AT_ONCE),
    };
    let rclone = Peer::Rclone { transfers: AT_ONCE };
    let contest = Contest {
        row: 5,
        library: Library::videos(8, bench.sized(256, 64) * MIB),
        latency_ms: 0,
        peers: &[ours, rclone],
        pairs: bench.pairs(3),
    };
    let found = contest.hold(bench).await?;
    let peak = found.peaks(&ours.name());
    report.judge(
        5,
        "very large: memory at 32 at once",
        Unit::Mebibytes,
        peak,
        Goal::AtMost(64.0),
    );
    let peak = found.peaks(&rclone.name());
    report.judge(
        5,
        "very large: rclone's memory",
        Unit::Mebibytes,
        peak,
        None,
    );
    report.comparisons.push(found);
    Ok(())
}
