//! Rows 17 and 18: many photos into an album, close by and 50 ms away; ours finds its concurrency by itself.

use anyhow::Result;

use super::PHOTO;
use crate::bench::Bench;
use crate::bench::report::{Report, Unit, figure};
use crate::bench::stats::Goal;
use crate::bench::upload::contest::Contest;
use crate::bench::upload::peers::{Field, Peer, RCLONE_AT_ITS_BEST};
use crate::bench::upload::source::Source;

/// How far away the account is.
pub(super) struct Distance {
    row: u8,
    latency_ms: u64,
    /// What the floor is given, where ours has to find it out.
    floor_at_once: u16,
}

pub(super) const NEAR: Distance = Distance {
    row: 17,
    latency_ms: 0,
    floor_at_once: 32,
};
pub(super) const FAR: Distance = Distance {
    row: 18,
    latency_ms: 50,
    floor_at_once: 256,
};

/// Measures the row.
pub(super) async fn measure(bench: &Bench, report: &mut Report, distance: Distance) -> Result<()> {
    let Distance {
        row,
        latency_ms,
        floor_at_once,
    } = distance;
    let (ours, rclone) = (Peer::Ours, RCLONE_AT_ITS_BEST);
    let floor = Peer::Floor {
        transfers: floor_at_once,
    };
    let source = Source::photos(bench, bench.sized(1000, 60), PHOTO)?;
    let contest = Contest {
        row,
        title: format!(
            "{} photos of 200 KiB to an album, {latency_ms} ms a request",
            source.items()
        ),
        field: Field {
            bench,
            source: &source,
            latency_ms,
        },
        peers: &[ours, rclone, floor],
        pairs: bench.pairs(5),
    };
    let held = contest.hold().await?;
    let found = &held.found;
    let [of_ours, of_rclone, of_floor] = [ours, rclone, floor].map(Peer::name);

    let faster = found.faster(&of_ours, &of_rclone);
    report.judge(
        row,
        format!("{latency_ms} ms: faster than rclone"),
        Unit::Times,
        faster,
        Goal::AtLeast(4.0),
    );
    let slower = found.faster(&of_floor, &of_ours);
    report.judge(
        row,
        format!("{latency_ms} ms: time beside the floor at {floor_at_once}"),
        Unit::Times,
        slower,
        Goal::AtMost(2.0),
    );
    let refused = held.figures(ours, |calls| figure(calls.refused()));
    report.judge(
        row,
        format!("{latency_ms} ms: calls answered 429"),
        Unit::Count,
        refused,
        Goal::AtMost(0.0),
    );
    report.comparisons.push(held.found);
    Ok(())
}
