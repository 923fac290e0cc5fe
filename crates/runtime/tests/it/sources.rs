//! The sources of the workspace, and what they tell the metrics.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The root folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap().to_owned()
}

/// A metric, as a line of source text tells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) labels: BTreeSet<String>,
}

/// Everything that code which is shipped tells the metrics.
pub(crate) fn told() -> BTreeSet<Told> {
    let mut told = BTreeSet::new();
    for folder in ["crates", "services"] {
        for member in fs::read_dir(root().join(folder)).unwrap() {
            let sources = member.unwrap().path().join("src");
            if sources.is_dir() {
                walk(&sources, &mut told);
            }
        }
    }
    told
}

fn walk(folder: &Path, told: &mut BTreeSet<Told>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, told);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            // Tests stand at the end of a file and may count what they like.
            let shipped = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            scan(shipped, told);
        }
    }
}

fn scan(text: &str, told: &mut BTreeSet<Told>) {
    for kind in ["counter", "gauge", "histogram"] {
        let call = format!("{kind}!(");
        for (start, _) in text.match_indices(&call) {
            if text[..start].ends_with("describe_") {
                continue;
            }
            let rest = &text[start + call.len()..];
            let inside = &rest[..rest.find(';').unwrap_or(rest.len())];
            told.insert(call_of(kind, inside));
        }
    }
}

/// `"name", "label" => value, …)`, as far as the statement goes.
fn call_of(kind: &'static str, inside: &str) -> Told {
    let parts: Vec<&str> = inside.split('"').collect();
    assert!(
        parts[0].trim().is_empty(),
        "a metric whose name is no literal: {inside}"
    );
    let literals = (1..parts.len()).step_by(2);
    let labels = literals.skip(1).filter(|&at| {
        parts
            .get(at + 1)
            .is_some_and(|behind| behind.trim_start().starts_with("=>"))
    });
    Told {
        name: parts[1].to_owned(),
        kind,
        labels: labels.map(|at| parts[at].to_owned()).collect(),
    }
}

#[test]
fn a_call_is_read_with_its_labels_over_several_lines() {
    let text = "metrics::counter!(\n    \"a_total\", \"kind\" => kind.code(), \"where\" => \"shard\")\n  .increment(1);";
    let mut found = BTreeSet::new();
    scan(text, &mut found);
    let expected = Told {
        name: "a_total".into(),
        kind: "counter",
        labels: ["kind", "where"].map(str::to_owned).into(),
    };
    assert_eq!(found, BTreeSet::from([expected]));
}
