//! The table of metrics and the sources say the same.

use std::{collections::BTreeSet, fs};

use tintype_runtime::metrics::catalogue::METRICS;

use crate::sources::{Told, root, told};

/// The figures of the process are written without a macro.
fn is_of_the_process(name: &str) -> bool {
    name.starts_with("process_")
}

#[test]
fn the_table_has_what_the_sources_tell_and_nothing_else() {
    let listed: BTreeSet<Told> = METRICS
        .iter()
        .filter(|it| !is_of_the_process(it.name))
        .map(|it| Told {
            name: it.name.to_owned(),
            kind: it.kind.as_str(),
            labels: it.labels.iter().map(|label| (*label).to_owned()).collect(),
        })
        .collect();
    let told = told();
    let unlisted: Vec<_> = told.difference(&listed).collect();
    let untold: Vec<_> = listed.difference(&told).collect();
    assert!(
        unlisted.is_empty() && untold.is_empty(),
        "told, but not in crates/runtime/src/metrics/catalogue.rs: {unlisted:#?}\nthere, but not told: {untold:#?}"
    );
}

#[test]
fn the_page_is_as_the_table_makes_it() {
    let file = root().join("deploy/observability/METRICS.md");
    let there = fs::read_to_string(file).unwrap_or_default();
    assert!(
        there == tintype_runtime::metrics::page(),
        "deploy/observability/METRICS.md is not as made; run `cargo xtask metrics`"
    );
}
