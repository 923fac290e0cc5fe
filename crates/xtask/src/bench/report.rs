//! What a benchmark found: who cost what, and how that compares with the goals.

use serde::Serialize;

use super::measure::Cost;
use super::scratch::Machine;
use super::stats::{Goal, Spread, ratios};

/// Everything that is printed, and written with `--json`.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) machine: Machine,
    pub(super) quick: bool,
    /// How to read the tables.
    pub(super) about: &'static [&'static str],
    pub(super) comparisons: Vec<Comparison>,
    pub(super) verdicts: Vec<Verdict>,
    /// How things were done that the tables do not show.
    pub(super) notes: Vec<String>,
    /// Rows without figures, and why.
    pub(super) failures: Vec<String>,
}

/// Several peers at the same work, in turns.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    /// Row of the goals.
    pub(super) row: u8,
    pub(super) title: String,
    pub(super) entries: Vec<Entry>,
}

/// One peer's runs; the n-th of every peer belong together.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    pub(super) who: String,
    pub(super) costs: Vec<Cost>,
}

/// The unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unit {
    /// A ratio.
    Times,
    Seconds,
    Mebibytes,
    /// Calls for each item.
    PerItem,
    /// Calls of a whole run.
    Calls,
    ItemsPerSecond,
    /// Whatever the metric names, a second.
    PerSecond,
    Milliseconds,
    Percent,
    /// Whatever the metric names.
    Count,
    /// Between 0 and 1.
    Index,
}

/// Figures beside a goal; without one they are shown for comparison.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    /// Row of the goals.
    pub(super) row: u8,
    pub(super) metric: String,
    pub(super) unit: Unit,
    pub(super) figures: Vec<f64>,
    pub(super) measured: Spread,
    pub(super) goal: Option<Goal>,
    pub(super) met: Option<bool>,
}

impl Comparison {
    pub(super) fn new(row: u8, title: String) -> Self {
        Self {
            row,
            title,
            entries: Vec::new(),
        }
    }

    /// Adds a run of `who`.
    pub(super) fn add(&mut self, who: &str, cost: Cost) {
        match self.entries.iter_mut().find(|entry| entry.who == who) {
            Some(entry) => entry.costs.push(cost),
            None => self.entries.push(Entry {
                who: who.to_owned(),
                costs: vec![cost],
            }),
        }
    }

    /// Wall times, seconds.
    pub(super) fn walls(&self, who: &str) -> Vec<f64> {
        self.figures(who, |cost| cost.wall_s)
    }

    /// Processor times, seconds.
    pub(super) fn cpus(&self, who: &str) -> Vec<f64> {
        self.figures(who, |cost| cost.cpu_s)
    }

    /// Peaks of resident memory, MiB.
    pub(super) fn peaks(&self, who: &str) -> Vec<f64> {
        self.figures(who, |cost| mebibytes(cost.peak_bytes))
    }

    /// How many times as long as `fast` it took `slow`.
    pub(super) fn faster(&self, fast: &str, slow: &str) -> Vec<f64> {
        ratios(&self.walls(slow), &self.walls(fast))
    }

    fn figures(&self, who: &str, pick: impl Fn(&Cost) -> f64) -> Vec<f64> {
        let entry = self.entries.iter().find(|entry| entry.who == who);
        entry.map_or_else(Vec::new, |entry| entry.costs.iter().map(pick).collect())
    }
}

impl Report {
    pub(super) fn new(machine: Machine, quick: bool, about: &'static [&'static str]) -> Self {
        Self {
            machine,
            quick,
            about,
            comparisons: Vec::new(),
            verdicts: Vec::new(),
            notes: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Holds figures to a goal.
    pub(super) fn judge(
        &mut self,
        row: u8,
        metric: impl Into<String>,
        unit: Unit,
        figures: Vec<f64>,
        goal: impl Into<Option<Goal>>,
    ) {
        let (metric, goal) = (metric.into(), goal.into());
        let Some(measured) = Spread::of(&figures) else {
            self.failures
                .push(format!("row {row}: no figures: {metric}"));
            return;
        };
        self.verdicts.push(Verdict {
            row,
            metric,
            unit,
            figures,
            measured,
            goal,
            met: goal.map(|goal| goal.is_met(measured)),
        });
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes and counts of a benchmark are far below 2^53"
)]
pub(super) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

/// Counts as figures.
#[expect(
    clippy::cast_precision_loss,
    reason = "sizes and counts of a benchmark are far below 2^53"
)]
pub(super) fn figure(count: u64) -> f64 {
    count as f64
}

/// Calls for each item.
#[expect(
    clippy::cast_precision_loss,
    reason = "sizes and counts of a benchmark are far below 2^53"
)]
pub(super) fn per_item(calls: u64, items: u64) -> f64 {
    calls as f64 / items as f64
}
