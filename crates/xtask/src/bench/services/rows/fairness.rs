//! Row 13: twenty tenants of one cloud project, one of them with fifty times the load.

use anyhow::{Result, ensure};
use serde::Deserialize;
use serde_json::json;

use super::KIB;
use crate::bench::Bench;
use crate::bench::emulator::Library;
use crate::bench::report::{Report, Unit, figure};
use crate::bench::services::fleet::{Fleet, Shape};
use crate::bench::stats::{Goal, ratios};
use crate::console;

const ROW: u8 = 13;
const TENANTS: usize = 20;
const TIMES_THE_LOAD: u64 = 50;
/// Of each download. Downloads at once are what is scarce then, not this machine.
const DOWNLOAD_MS: u64 = 50;
const AT_ONCE: u16 = 16;

/// The line of `share`; the noisy tenant is the first.
#[derive(Deserialize)]
struct Shared {
    got: Vec<u64>,
    seconds: f64,
}

/// Measures the row.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let load = bench.sized(5_000, 600);
    let quiet = Library::photos(load, KIB);
    let noisy = Library::photos(load * TIMES_THE_LOAD, KIB);
    // Alone, it shall run for about as long as they all did together.
    let alone = Library::photos(load * bench.sized(4, 2), KIB);
    let emulator = bench.emulator(quiet, 0).await?;
    let shape = Shape {
        workers: 2,
        max_downloads: AT_ONCE,
    };
    let mut fleet = Fleet::start(bench, &emulator, shape).await?;
    emulator
        .set(&json!({"latency_ms": {"download": DOWNLOAD_MS}}))
        .await?;
    let (mut jain, mut of_noisy, mut together, mut by_itself) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..bench.pairs(3) {
        let mut libraries = vec![quiet; TENANTS];
        libraries[0] = noisy;
        fleet.connect(&libraries).await?;
        let shared: Shared = fleet.ask_once(&["share"]).await?;
        ensure!(shared.got.len() == TENANTS, "somebody was left out");
        let got: Vec<f64> = shared.got.iter().map(|count| figure(*count)).collect();
        let sum: f64 = got.iter().sum();
        jain.push(index_of(&got));
        of_noisy.push(got[0] / (sum / figure(TENANTS as u64)));
        together.push(sum / shared.seconds);

        fleet.connect(&[alone]).await?;
        let wall_s = fleet.back_up(alone.items).await?.wall_s;
        by_itself.push(figure(alone.items) / wall_s);
        console::step(&format!(
            "round {}: Jain {:.4}, {:.0} items/s together, {:.0} items/s alone",
            round + 1,
            jain[usize::from(round)],
            together[usize::from(round)],
            by_itself[usize::from(round)]
        ));
    }
    report.judge(
        ROW,
        format!("Jain index of {TENANTS} tenants, one with {TIMES_THE_LOAD} × the load"),
        Unit::Index,
        jain,
        Goal::AtLeast(0.98),
    );
    let metric = "what the noisy one got, beside the mean";
    report.judge(ROW, metric, Unit::Times, of_noisy, None);
    report.judge(
        ROW,
        "speed of one tenant alone, beside all together",
        Unit::Times,
        ratios(&by_itself, &together),
        Goal::AtLeast(0.95),
    );
    report.judge(ROW, "alone", Unit::ItemsPerSecond, by_itself, None);
    let metric = "reference: all together";
    report.judge(ROW, metric, Unit::ItemsPerSecond, together, None);
    report.notes.push(format!(
        "fairness: {load} photos each and {} of the noisy tenant, {DOWNLOAD_MS} ms a download, {AT_ONCE} at once in each of \
         two workers; counted from when everybody had a photo until one had all",
        noisy.items
    ));
    Ok(())
}

/// Jain's fairness index: 1 when all got the same, 1/n when one got everything (Jain, Chiu, Hawe 1984).
fn index_of(got: &[f64]) -> f64 {
    let sum: f64 = got.iter().sum();
    let squares: f64 = got.iter().map(|it| it * it).sum();
    sum * sum / (figure(got.len() as u64) * squares)
}

#[cfg(test)]
mod tests {
    use super::index_of;

    #[test]
    fn the_index_is_one_for_equal_shares_and_one_nth_for_a_monopoly() {
        assert_eq!(index_of(&[3.0, 3.0, 3.0]), 1.0);
        assert_eq!(index_of(&[8.0, 0.0, 0.0, 0.0]), 0.25);
    }
}
