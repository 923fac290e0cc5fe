//! rclone's best setting, found rather than presumed.

use anyhow::Result;

use crate::bench::Bench;
use crate::bench::emulator::Library;
use crate::bench::peers::{Field, Peer};
use crate::bench::report::Report;

/// The number of transfers, of some, at which rclone copies `library` fastest. `--quick` takes the last.
///
/// # Errors
/// When rclone fails.
pub(super) async fn best_of(
    bench: &Bench,
    report: &mut Report,
    library: Library,
    latency_ms: u64,
    candidates: [u16; 3],
) -> Result<u16> {
    let [.., last] = candidates;
    if bench.quick {
        return Ok(last);
    }
    let emulator = bench.emulator(library, latency_ms).await?;
    let field = Field {
        bench,
        emulator: &emulator,
        library,
    };
    let (mut best, mut least_s) = (last, f64::INFINITY);
    let mut tried = Vec::new();
    for transfers in candidates {
        let ran = Peer::Rclone { transfers }.run(&field).await?;
        let wall_s = ran.cost.wall_s;
        tried.push(format!("{transfers}: {wall_s:.2} s"));
        if wall_s < least_s {
            (best, least_s) = (transfers, wall_s);
        }
    }
    report.notes.push(format!(
        "rclone's transfers for {} × {} bytes at {latency_ms} ms: {}; taken: {best}",
        library.items,
        library.bytes,
        tried.join(", ")
    ));
    Ok(best)
}
