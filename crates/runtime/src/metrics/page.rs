//! The catalogue as a page for people.

use std::fmt::Write as _;

use super::catalogue::{METRICS, Metric, Source};

const HEAD: &str = "\
# Metrics

Made from `crates/runtime/src/metrics/catalogue.rs` by `cargo xtask metrics`; CI fails when it is not as made.

Every process renders what it told since it began, in Prometheus' text format. No label holds a tenant, an account, a file
or anything else that there may be many of. What the scheduler shows of the whole install is true for the one that leads
(`tintype_is_leader` 1); the others keep what they last saw.
";

/// The page, in Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for source in Source::ALL {
        let _ = write!(
            page,
            "\n## {}\n\n| name | kind | unit | labels | tells |\n|---|---|---|---|---|\n",
            title(source)
        );
        for metric in METRICS.iter().filter(|it| it.source == source) {
            page.push_str(&row(metric));
        }
    }
    page
}

fn row(metric: &Metric) -> String {
    let labels: Vec<String> = metric
        .labels
        .iter()
        .map(|label| format!("`{label}`"))
        .collect();
    format!(
        "| `{}` | {} | {} | {} | {} |\n",
        metric.name,
        metric.kind.as_str(),
        metric.unit.as_str(),
        labels.join(", "),
        metric.tells
    )
}

const fn title(source: Source) -> &'static str {
    match source {
        Source::Gateway => "Gateway",
        Source::Scheduler => "Scheduler",
        Source::Worker => "Worker",
        Source::Queue => "Job queue",
        Source::Quota => "Google's quota",
        Source::Events => "Events",
        Source::Vault => "Vault",
        Source::Process => "Every process",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_its_row() {
        let page = page();
        for metric in METRICS {
            let row = format!("| `{}` | {} |", metric.name, metric.kind.as_str());
            assert_eq!(page.matches(&row).count(), 1, "{row}");
        }
    }
}
