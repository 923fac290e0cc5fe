//! Row 6: nothing is new among very many items; time and memory of looking for it.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use super::AT_ONCE;
use crate::bench::Bench;
use crate::bench::emulator::{Emulator, Library};
use crate::bench::measure::{self, Finished};
use crate::bench::peers::ours::{self, Look, Places};
use crate::bench::peers::rclone::Rclone;
use crate::bench::report::{Comparison, Report, Unit};
use crate::bench::stats::{Goal, ratios};
use crate::console;

/// The first run of half a million items is the longest of all.
const DEADLINE: Duration = Duration::from_secs(60 * 60);
/// What "a handful of requests" is held to.
const HANDFUL: f64 = 10.0;

const FIRST: &str = "tintype, first run";
const FULL: &str = "tintype, second run, --full";
const ROUTINE: &str = "tintype, second run, routine";
const RCLONE: &str = "rclone, second run";
const SECOND_RUNS: [&str; 3] = [FULL, ROUTINE, RCLONE];

/// Measures the row.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let [some, many] = bench.sized([50_000, 500_000], [1_000, 4_000]);
    report.notes.push(format!(
        "second run: {many} photos of some 700 bytes; ours copied them in a real first run; rclone's folder was filled \
         with empty files under the names that `rclone lsf` gave, because its own first run at 100 items/s \
         would take {} min: the listing has no sizes or times it could compare, so a name is all it looks at",
        many / 6000
    ));
    let small = Settled::measure(bench, some).await?;
    let large = Settled::measure(bench, many).await?;

    let found = &large.found;
    let faster = found.faster(FULL, RCLONE);
    report.judge(
        6,
        format!("{many} items: --full faster than rclone"),
        Unit::Times,
        faster,
        Goal::AtLeast(5.0),
    );
    report.judge(
        6,
        format!("{many} items: --full"),
        Unit::Seconds,
        found.walls(FULL),
        Goal::AtMost(10.0),
    );
    report.judge(
        6,
        format!("{many} items: routine"),
        Unit::Seconds,
        found.walls(ROUTINE),
        Goal::AtMost(1.0),
    );
    let requests = large.routine_requests.clone();
    report.judge(
        6,
        format!("{many} items: requests of a routine run"),
        Unit::Calls,
        requests,
        Goal::AtMost(HANDFUL),
    );
    for (who, goal) in [
        (FULL, Some(Goal::AtMost(1.2))),
        (ROUTINE, Some(Goal::AtMost(1.2))),
        (RCLONE, None),
    ] {
        let growth = ratios(&found.peaks(who), &small.found.peaks(who));
        let metric = format!("memory at {many} beside {some} items: {who}");
        report.judge(6, metric, Unit::Times, growth, goal);
    }
    report.comparisons.push(small.found);
    report.comparisons.push(large.found);
    Ok(())
}

/// What second runs cost, once everything was copied.
struct Settled {
    found: Comparison,
    routine_requests: Vec<f64>,
}

impl Settled {
    async fn measure(bench: &Bench, items: u64) -> Result<Self> {
        // As small as the emulator makes photos: a second run does not touch their bytes.
        let emulator = bench.emulator(Library::photos(items, 1), 0).await?;
        let home = bench.scratch.fresh("second-run")?;
        let ours = Places::inside(&home, &home.join("archive"));
        let backup = |look| ours::backup(bench, &emulator, &ours, Some(AT_ONCE), look);
        let mut found = Comparison::new(6, format!("{items} items, nothing new"));

        console::step(&format!("first run of {items} items"));
        let first = run(backup(Look::Routine), &home).await.context(FIRST)?;
        found.add(FIRST, first.cost);
        let rclone = Rclone::configure(bench, &emulator, &home)?;
        let copy = home.join("rclone");
        fill(&rclone, &copy, items, &home).await?;
        rustix::fs::sync();

        let mut routine_requests = Vec::new();
        for round in 0..bench.pairs(3) {
            let mut order = SECOND_RUNS;
            if round % 2 == 1 {
                order.reverse();
            }
            for who in order {
                let command = match who {
                    FULL => backup(Look::Full),
                    ROUTINE => backup(Look::Routine),
                    _ => rclone.copy("media/all", &copy, AT_ONCE),
                };
                let (cost, requests) = second_run(&emulator, command, &home).await.context(who)?;
                console::step(&format!(
                    "{who}: {:.2} s, {requests:.0} requests",
                    cost.wall_s
                ));
                found.add(who, cost);
                if who == ROUTINE {
                    routine_requests.push(requests);
                }
            }
        }
        Ok(Self {
            found,
            routine_requests,
        })
    }
}

/// A run that may not download anything, and the requests it made.
async fn second_run(
    emulator: &Emulator,
    command: Command,
    logs: &Path,
) -> Result<(measure::Cost, f64)> {
    emulator.forget_calls().await?;
    let finished = run(command, logs).await?;
    let calls = emulator.calls().await?;
    let downloads = calls.downloads();
    ensure!(downloads == 0, "{downloads} items were downloaded again");
    Ok((finished.cost, u32::try_from(calls.counted())?.into()))
}

async fn run(command: Command, logs: &Path) -> Result<Finished> {
    measure::run(vec![command], logs, DEADLINE)
        .await?
        .succeeded("the run")
}

/// Makes an empty file for every item, under the name that rclone would copy it to.
async fn fill(rclone: &Rclone, folder: &Path, items: u64, logs: &Path) -> Result<()> {
    let listed = run(rclone.names("media/all"), logs)
        .await
        .context("rclone lsf")?;
    fs::create_dir(folder)?;
    let mut made = 0;
    for name in listed.stdout.lines() {
        File::create(folder.join(name)).with_context(|| format!("cannot make {name}"))?;
        made += 1;
    }
    ensure!(made == items, "rclone listed {made} of {items} items");
    Ok(())
}
