//! Row 9: the same photos by one worker of an install and by `tintype backup`, in turns on one emulator.

use anyhow::Result;

use super::KIB;
use crate::bench::Bench;
use crate::bench::emulator::Library;
use crate::bench::peers::{Field, Peer};
use crate::bench::report::{Report, Unit};
use crate::bench::services::fleet::{Fleet, Shape};
use crate::bench::stats::{Goal, ratios};
use crate::console;

const ROW: u8 = 9;
const AT_ONCE: u16 = 32;

/// Measures the row.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let library = Library::photos(bench.sized(5000, 400), 200 * KIB);
    let emulator = bench.emulator(library, 0).await?;
    let shape = Shape {
        workers: 1,
        max_downloads: AT_ONCE,
    };
    let mut fleet = Fleet::start(bench, &emulator, shape).await?;
    let one_process = Peer::Ours {
        transfers: Some(AT_ONCE),
    };
    let field = Field {
        bench,
        emulator: &emulator,
        library,
    };
    // Not counted: the emulator makes its bytes once, and the worker its connections.
    one_process.run(&field).await?;
    fleet.connect(&[library]).await?;
    fleet.back_up(library.items).await?;

    let (mut services, mut embedded) = (Vec::new(), Vec::new());
    for round in 0..bench.pairs(5) {
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                embedded.push(one_process.run(&field).await?.cost.wall_s);
            } else {
                fleet.connect(&[library]).await?;
                rustix::fs::sync();
                services.push(fleet.back_up(library.items).await?.wall_s);
            }
        }
        console::step(&format!(
            "round {}: services {:.2?} s, one process {:.2?} s",
            round + 1,
            services.last(),
            embedded.last()
        ));
    }
    let items = library.items;
    report.judge(
        ROW,
        "speed of the services beside one process, one worker",
        Unit::Times,
        ratios(&embedded, &services),
        Goal::AtLeast(0.9),
    );
    let metric = format!("{items} photos of 200 KiB by the services, queued to over");
    report.judge(ROW, metric, Unit::Seconds, services, None);
    let metric = "reference: by `tintype backup`, its start included";
    report.judge(ROW, metric, Unit::Seconds, embedded, None);
    report.judge(
        ROW,
        "memory of the worker after all runs",
        Unit::Mebibytes,
        vec![fleet.peak_of_workers()?],
        None,
    );
    Ok(())
}
