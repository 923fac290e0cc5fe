//! The tables a person reads.

use super::report::{Comparison, Report, Unit, Verdict};
use super::stats::{Goal, Spread};

/// The whole report as text: the machine, who cost what, and the goals.
pub(super) fn render(report: &Report) -> String {
    let machine = &report.machine;
    let mut lines = vec![format!(
        "{} cores ({}), {} GiB memory, writing to {}, load before {}",
        machine.cores,
        machine.processor,
        machine.memory_gib,
        machine.file_system,
        machine.load_before
    )];
    lines.extend(report.about.iter().map(|&line| line.to_owned()));
    if report.quick {
        lines.push("--quick: small sizes, few runs: this shows that the benchmark works, not how fast anything is.".to_owned());
    }
    for comparison in &report.comparisons {
        lines.push(String::new());
        lines.extend(costs(comparison));
    }
    lines.push(String::new());
    lines.extend(goals(&report.verdicts));
    if !report.notes.is_empty() {
        lines.push(String::new());
        lines.extend(report.notes.iter().map(|note| format!("- {note}")));
    }
    lines.extend(report.failures.iter().map(|failure| format!("! {failure}")));
    lines.join("\n") + "\n"
}

fn costs(comparison: &Comparison) -> Vec<String> {
    let mut rows = vec![
        ["", "wall s", "CPU s", "peak MiB", "runs"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for entry in &comparison.entries {
        let who = entry.who.as_str();
        let cell = |figures: Vec<f64>, unit| {
            Spread::of(&figures).map_or_else(String::new, |spread| spread_of(spread, unit))
        };
        rows.push(vec![
            who.to_owned(),
            cell(comparison.walls(who), Unit::Seconds),
            cell(comparison.cpus(who), Unit::Seconds),
            cell(comparison.peaks(who), Unit::Mebibytes),
            entry.costs.len().to_string(),
        ]);
    }
    let mut lines = vec![format!("({}) {}", comparison.row, comparison.title)];
    lines.extend(aligned(&rows));
    lines
}

fn goals(verdicts: &[Verdict]) -> Vec<String> {
    let mut sorted: Vec<&Verdict> = verdicts.iter().collect();
    sorted.sort_by_key(|verdict| verdict.row);
    let mut rows = vec![
        ["row", "metric", "measured", "goal", ""]
            .map(str::to_owned)
            .to_vec(),
    ];
    for verdict in sorted {
        let shortfall = verdict
            .goal
            .and_then(|goal| goal.shortfall(verdict.measured));
        let outcome = match (verdict.goal, shortfall) {
            (None, _) => String::new(),
            (Some(_), None) => "met".to_owned(),
            (Some(_), Some(percent)) => format!("SHORT by {percent:.0} %"),
        };
        rows.push(vec![
            verdict.row.to_string(),
            verdict.metric.clone(),
            spread_of(verdict.measured, verdict.unit) + suffix(verdict.unit),
            verdict
                .goal
                .map_or_else(|| "–".to_owned(), |goal| wanted(goal, verdict.unit)),
            outcome,
        ]);
    }
    let mut lines = vec!["Goals".to_owned()];
    lines.extend(aligned(&rows));
    lines
}

fn spread_of(spread: Spread, unit: Unit) -> String {
    let middle = figure(spread.median, unit);
    if spread.min.total_cmp(&spread.max).is_eq() {
        return middle;
    }
    format!(
        "{middle} ({}–{})",
        figure(spread.min, unit),
        figure(spread.max, unit)
    )
}

fn wanted(goal: Goal, unit: Unit) -> String {
    let (sign, value) = match goal {
        Goal::AtLeast(value) => ("≥", value),
        Goal::AtMost(value) => ("≤", value),
        Goal::Rounded(value) => return format!("≤ {value:.2}"),
    };
    format!("{sign} {value}{}", suffix(unit))
}

fn figure(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Times if value >= 10.0 => format!("{value:.1}"),
        Unit::Times | Unit::Seconds | Unit::Milliseconds | Unit::Percent => format!("{value:.2}"),
        Unit::Mebibytes | Unit::Calls | Unit::ItemsPerSecond | Unit::PerSecond | Unit::Count => {
            format!("{value:.0}")
        }
        Unit::PerItem | Unit::Index => format!("{value:.4}"),
    }
}

fn suffix(unit: Unit) -> &'static str {
    match unit {
        Unit::Times => " ×",
        Unit::Seconds => " s",
        Unit::Mebibytes => " MiB",
        Unit::PerItem | Unit::Count | Unit::Index => "",
        Unit::Calls => " calls",
        Unit::ItemsPerSecond => " items/s",
        Unit::PerSecond => "/s",
        Unit::Milliseconds => " ms",
        Unit::Percent => " %",
    }
}

/// Columns under each other, two spaces apart.
fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths);
            let line: String = cells
                .map(|(cell, width)| format!("  {cell:<width$}"))
                .collect();
            line.trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::measure::Cost;
    use crate::bench::scratch::Machine;

    #[test]
    fn a_report_shows_who_cost_what_and_which_goals_are_met() {
        let machine = Machine {
            cores: 2,
            processor: "a processor".to_owned(),
            memory_gib: 8,
            file_system: "ext4".to_owned(),
            load_before: "0.10".to_owned(),
        };
        let mut report = Report::new(machine, false, &["How to read it."]);
        let mut comparison = Comparison::new(1, "5 photos".to_owned());
        for (ours, rclone) in [(1.0, 30.0), (2.0, 40.0), (1.0, 20.0)] {
            let cost = |wall_s| Cost {
                wall_s,
                cpu_s: 0.5,
                peak_bytes: 32 << 20,
            };
            comparison.add("ours", cost(ours));
            comparison.add("rclone", cost(rclone));
        }
        let faster = comparison.faster("ours", "rclone");
        report.judge(1, "than rclone", Unit::Times, faster, Goal::AtLeast(25.0));
        report.judge(
            5,
            "memory",
            Unit::Mebibytes,
            comparison.peaks("ours"),
            Goal::AtMost(64.0),
        );
        report.comparisons.push(comparison);
        let text = render(&report);
        for line in [
            "How to read it.",
            "(1) 5 photos",
            "  ours    1.00 (1.00–2.00)     0.50   32        3",
            "  rclone  30.00 (20.00–40.00)  0.50   32        3",
            "  1    than rclone  20.0 (20.0–30.0) ×  ≥ 25 ×    SHORT by 20 %",
            "  5    memory       32 MiB              ≤ 64 MiB  met",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line:?} in:\n{text}"
            );
        }
    }
}
