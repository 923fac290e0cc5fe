//! Row 19: requests per uploaded item, as the emulator counted them, and those that were in vain.

use anyhow::Result;

use super::PHOTO;
use crate::bench::Bench;
use crate::bench::peers::rclone::Batching;
use crate::bench::report::{Comparison, Report, Unit, figure, per_item};
use crate::bench::stats::Goal;
use crate::bench::upload::peers::{Field, Peer, RCLONE_AT_ITS_BEST};
use crate::bench::upload::source::Source;

const ROW: u8 = 19;

/// rclone as a person has it who only switches batches off: they are on by themselves, and the transfers are four.
const RCLONE_WITHOUT_BATCHES: Peer = Peer::Rclone {
    transfers: 4,
    batching: Batching::Off,
};

/// Measures the row. Counts need no pairs: each peer runs once.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let source = Source::photos(bench, bench.sized(1000, 60), PHOTO)?;
    let items = source.items();
    let field = Field {
        bench,
        source: &source,
        latency_ms: 0,
    };
    let title = format!("{items} photos of 200 KiB to an album, once");
    let mut found = Comparison::new(ROW, title);
    for (peer, goals) in [(Peer::Ours, true), (RCLONE_AT_ITS_BEST, false)] {
        let ran = peer.run(&field).await?;
        found.add(&peer.name(), ran.cost);
        let who = match goals {
            true => String::new(),
            false => format!("reference: {}: ", peer.name()),
        };
        report.judge(
            ROW,
            format!("{who}requests per item"),
            Unit::PerItem,
            vec![per_item(ran.calls.requests(), items)],
            goals.then_some(Goal::AtMost(1.03)),
        );
        report.judge(
            ROW,
            format!("{who}calls answered 429"),
            Unit::Count,
            vec![figure(ran.calls.refused())],
            goals.then_some(Goal::AtMost(0.0)),
        );
    }
    report.comparisons.push(found);
    without_batches(bench, report).await
}

/// What it costs when everybody makes items by himself, and one may at a time.
async fn without_batches(bench: &Bench, report: &mut Report) -> Result<()> {
    // Fewer: a thousand take minutes, and the waste of each is the same.
    let source = Source::photos(bench, bench.sized(300, 60), PHOTO)?;
    let items = source.items();
    let field = Field {
        bench,
        source: &source,
        latency_ms: 0,
    };
    let rclone = RCLONE_WITHOUT_BATCHES;
    let ran = rclone.attempt(&field).await?;
    let title = format!("{items} photos of 200 KiB to an album, without batches, once");
    let mut found = Comparison::new(ROW, title);
    found.add(&rclone.name(), ran.cost);
    report.comparisons.push(found);

    let calls = ran.calls;
    for (what, count) in [
        ("requests", calls.requests()),
        ("batchCreate calls", calls.batches()),
        ("calls answered 429", calls.refused()),
        ("files sent", calls.sent()),
    ] {
        report.judge(
            ROW,
            format!("reference: {}: {what} per item", rclone.name()),
            Unit::PerItem,
            vec![per_item(count, items)],
            None,
        );
    }
    if let Some(fault) = ran.fault {
        let text = format!("{fault:#}");
        let first_line = text.lines().next().unwrap_or_default();
        report
            .notes
            .push(format!("rclone without batches: {first_line}"));
    }
    Ok(())
}
