//! Row 7: requests per item, as the emulator counted them; also when base URLs die under the run.

use anyhow::Result;
use serde_json::json;

use super::{AT_ONCE, KIB};
use crate::bench::Bench;
use crate::bench::emulator::Library;
use crate::bench::peers::{Field, Peer};
use crate::bench::report::{Comparison, Report, Unit, per_item};
use crate::bench::stats::Goal;

/// Of each download while URLs die: 5,000 items at 32 at once last some 47 s.
const DOWNLOAD_MS: u64 = 300;

/// Measures the row. Counts need no pairs: each peer runs once.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let items = bench.sized(5000, 800);
    let library = Library::photos(items, 200 * KIB);
    let emulator = bench.emulator(library, 0).await?;
    let field = Field {
        bench,
        emulator: &emulator,
        library,
    };
    let ours = Peer::Ours {
        transfers: Some(AT_ONCE),
    };

    let calls = ours.run(&field).await?.calls;
    let listed = vec![per_item(calls.listings(), items)];
    report.judge(
        7,
        "list calls per item",
        Unit::PerItem,
        listed,
        Goal::Rounded(0.01),
    );
    let loaded = vec![per_item(calls.downloads(), items)];
    report.judge(
        7,
        "downloads per item",
        Unit::PerItem,
        loaded,
        Goal::Rounded(1.0),
    );

    let lifetime_s = bench.sized(20, 3);
    let dying = json!({
        "base_url_ttl_ms": lifetime_s * 1000,
        "latency_ms": {"download": DOWNLOAD_MS},
    });
    emulator.set(&dying).await?;
    let mut found = Comparison::new(
        7,
        format!(
            "{items} photos of 200 KiB, {DOWNLOAD_MS} ms a download, base URLs die after {lifetime_s} s"
        ),
    );
    let ran = ours.run(&field).await?;
    found.add(&ours.name(), ran.cost);
    let loaded = vec![per_item(ran.calls.downloads(), items)];
    report.judge(
        7,
        "URLs die: downloads per item",
        Unit::PerItem,
        loaded,
        Goal::AtMost(1.03),
    );
    let renewed = vec![per_item(ran.calls.batch_gets(), items)];
    report.judge(
        7,
        "URLs die: batchGet per item",
        Unit::PerItem,
        renewed,
        Goal::AtMost(0.03),
    );

    let rclone = Peer::Rclone { transfers: AT_ONCE };
    let ran = rclone.attempt(&field).await?;
    found.add(&rclone.name(), ran.cost);
    let loaded = vec![per_item(ran.calls.downloads(), items)];
    report.judge(
        7,
        "URLs die: rclone's downloads per item",
        Unit::PerItem,
        loaded,
        None,
    );
    if let Some(fault) = ran.fault {
        let first_line = format!("{fault:#}")
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        report.notes.push(format!(
            "rclone while URLs die: {} of {items} items were served; {first_line}",
            ran.calls.items_served()
        ));
    }
    report.comparisons.push(found);
    Ok(())
}
