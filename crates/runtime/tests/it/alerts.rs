//! The alert rules name metrics that there are, and cover what somebody has to be woken for.

use std::{collections::BTreeMap, fs};

use tintype_runtime::metrics::catalogue::{Kind, METRICS};

use crate::sources::root;

/// What an expression may say beside names of metrics and labels.
const WORDS: &[&str] = &[
    "and", "or", "on", "unless", "by", "sum", "max", "min", "rate", "increase", "time", "absent",
    "instance",
];

/// One rule; every field stands on a line of its own.
type Rule = BTreeMap<String, String>;

fn rules() -> BTreeMap<String, Rule> {
    let text = fs::read_to_string(root().join("deploy/observability/alerts.yaml")).unwrap();
    let mut rules: BTreeMap<String, Rule> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("- alert: ") {
            current = name.to_owned();
            assert!(
                rules.insert(current.clone(), Rule::new()).is_none(),
                "{current} twice"
            );
        } else if let (Some(rule), Some((key, value))) =
            (rules.get_mut(&current), line.split_once(": "))
        {
            rule.insert(key.to_owned(), value.to_owned());
        }
    }
    rules
}

/// The words of an expression outside of quotes, ranges and numbers.
fn words(expression: &str) -> Vec<String> {
    let mut unquoted = String::new();
    for (index, part) in expression.split('"').enumerate() {
        if index % 2 == 0 {
            unquoted.push_str(part);
        }
    }
    let mut outside = String::new();
    for part in unquoted.split('[') {
        outside.push(' ');
        outside.push_str(part.split_once(']').map_or(part, |(_, behind)| behind));
    }
    outside
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| word.starts_with(|letter: char| letter.is_alphabetic()))
        .map(str::to_owned)
        .collect()
}

#[test]
fn rules_name_only_metrics_and_labels_that_there_are() {
    for (alert, rule) in rules() {
        let words = words(&rule["expr"]);
        let named = |word: &str| METRICS.iter().find(|metric| metric.name == word);
        let metrics: Vec<_> = words.iter().filter_map(|word| named(word)).collect();
        assert!(!metrics.is_empty(), "{alert} looks at nothing");
        for word in &words {
            let is_label = metrics
                .iter()
                .any(|metric| metric.labels.contains(&word.as_str()));
            let is_known = named(word).is_some() || is_label || WORDS.contains(&word.as_str());
            assert!(
                is_known,
                "{alert} names {word}, which is no metric of the table and no label of one"
            );
        }
    }
}

#[test]
fn counters_are_looked_at_over_a_time() {
    for (alert, rule) in rules() {
        let expression = &rule["expr"];
        for metric in METRICS.iter().filter(|it| it.kind == Kind::Counter) {
            for (start, _) in expression.match_indices(metric.name) {
                let before = &expression[..start];
                assert!(
                    before.ends_with("increase(") || before.ends_with("rate("),
                    "{alert} compares {} itself, which only grows",
                    metric.name
                );
            }
        }
    }
}

#[test]
fn what_somebody_is_woken_for_has_a_rule_that_says_what_to_do() {
    let rules = rules();
    for alert in [
        "TintypeNoProgress",
        "TintypeDeadLetters",
        "TintypeQuotaNearlyOut",
        "TintypeVaultSealed",
        "TintypeNoLeader",
        "TintypeLeaseOld",
        "TintypeQueueDeep",
        "TintypeSpansDropped",
    ] {
        let rule = rules
            .get(alert)
            .unwrap_or_else(|| panic!("there is no rule {alert}"));
        for field in ["expr", "for", "severity", "summary", "description"] {
            assert!(rule.contains_key(field), "{alert} has no {field}");
        }
    }
}

#[test]
fn words_are_those_outside_of_quotes_and_ranges() {
    let found =
        words(r#"sum(rate(a_total{kind="x y"}[15m])) by (kind) > 0.5 and on (instance) b == 1"#);
    assert_eq!(
        found,
        [
            "sum", "rate", "a_total", "kind", "by", "kind", "and", "on", "instance", "b"
        ]
    );
}
