//! Row 20: a video so large that a program that held it would show it.

use anyhow::Result;

use crate::bench::Bench;
use crate::bench::report::{Report, Unit};
use crate::bench::stats::Goal;
use crate::bench::upload::contest::Contest;
use crate::bench::upload::peers::{Field, Peer, RCLONE_AT_ITS_BEST};
use crate::bench::upload::source::Source;

const ROW: u8 = 20;

/// Measures the row.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let mib: u64 = bench.sized(2048, 32);
    let source = Source::video(bench, mib * 1024 * 1024)?;
    let (ours, rclone) = (Peer::Ours, RCLONE_AT_ITS_BEST);
    let contest = Contest {
        row: ROW,
        title: format!("one video of {mib} MiB, 0 ms a request"),
        field: Field {
            bench,
            source: &source,
            latency_ms: 0,
        },
        peers: &[ours, rclone],
        pairs: bench.pairs(3),
    };
    report.notes.push(format!(
        "very large video: {mib} MiB, of which the disk holds the first few KiB (the rest is a hole that reads as zeros); the \
         emulator holds all of it in its own memory until it is whole and hashed, twice or more while that grows"
    ));
    let found = contest.hold().await?.found;
    report.judge(
        ROW,
        "very large video: memory",
        Unit::Mebibytes,
        found.peaks(&ours.name()),
        Goal::AtMost(64.0),
    );
    report.judge(
        ROW,
        "reference: rclone's memory",
        Unit::Mebibytes,
        found.peaks(&rclone.name()),
        None,
    );
    report.comparisons.push(found);
    Ok(())
}
