//! Row 16: a hundred times as many items: time for each, and memory of the worker.

use anyhow::Result;

use crate::bench::Bench;
use crate::bench::emulator::Library;
use crate::bench::report::{Report, Unit, figure};
use crate::bench::services::fleet::{Fleet, Shape};
use crate::bench::stats::{Goal, Spread};
use crate::console;

const ROW: u8 = 16;
const AT_ONCE: u16 = 32;

/// One first run.
struct Ran {
    ms_an_item: f64,
    peak_mib: f64,
}

/// Measures the row. The large run lasts so long that it is made once, between small ones.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let [few, many] = bench.sized([10_000, 1_000_000], [1_000, 4_000]);
    let mut small = vec![run(bench, few).await?, run(bench, few).await?];
    let large = run(bench, many).await?;
    small.push(run(bench, few).await?);

    let times: Vec<f64> = small.iter().map(|ran| ran.ms_an_item).collect();
    let peaks: Vec<f64> = small.iter().map(|ran| ran.peak_mib).collect();
    for (metric, unit, large, small, goal) in [
        (
            "time an item",
            Unit::Milliseconds,
            large.ms_an_item,
            times,
            1.1,
        ),
        (
            "memory of the worker",
            Unit::Mebibytes,
            large.peak_mib,
            peaks,
            1.2,
        ),
    ] {
        let reference = Spread::of(&small).map_or(f64::NAN, |spread| spread.median);
        report.judge(
            ROW,
            format!("{metric} at {many} items beside {few}"),
            Unit::Times,
            vec![large / reference],
            Goal::AtMost(goal),
        );
        report.judge(
            ROW,
            format!("{metric} at {many} items"),
            unit,
            vec![large],
            None,
        );
        report.judge(
            ROW,
            format!("reference: {metric} at {few}"),
            unit,
            small,
            None,
        );
    }
    report.notes.push(format!(
        "growth: first runs of photos of some 700 bytes, one worker, {AT_ONCE} at once, a new install each"
    ));
    Ok(())
}

async fn run(bench: &Bench, items: u64) -> Result<Ran> {
    let library = Library::photos(items, 1);
    let emulator = bench.emulator(library, 0).await?;
    let shape = Shape {
        workers: 1,
        max_downloads: AT_ONCE,
    };
    let mut fleet = Fleet::start(bench, &emulator, shape).await?;
    fleet.connect(&[library]).await?;
    rustix::fs::sync();
    let wall_s = fleet.back_up(items).await?.wall_s;
    let ran = Ran {
        ms_an_item: wall_s * 1e3 / figure(items),
        peak_mib: fleet.peak_of_workers()?,
    };
    console::step(&format!(
        "{items} items: {wall_s:.1} s, {:.0} MiB",
        ran.peak_mib
    ));
    Ok(ran)
}
