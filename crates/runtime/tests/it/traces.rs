//! Spans on their way to a collector, and traces that go on in another process.

use std::{collections::BTreeSet, time::Duration};

use tintype_model::trace::TraceParent;
use tintype_runtime::{
    Lifecycle,
    telemetry::{self, TelemetrySettings},
    trace,
};
use tintype_testkit::collector::{CollectedSpan, Collector};
use tracing::{debug_span, field::Empty, info_span};

const SOON: Duration = Duration::from_secs(10);

/// Everything recorded, for a collector at `endpoint`; nothing is sent before it is asked for.
pub(crate) fn settings(endpoint: &str) -> TelemetrySettings {
    TelemetrySettings {
        endpoint: Some(endpoint.to_owned()),
        sampling: 1.0,
        level: "off".to_owned(),
        gather_for: Duration::from_secs(600),
        ..TelemetrySettings::new("worker")
    }
}

fn named<'a>(spans: &'a [CollectedSpan], name: &str) -> &'a CollectedSpan {
    let mut found = spans.iter().filter(|span| span.name == name);
    let span = found
        .next()
        .unwrap_or_else(|| panic!("no span {name} in {spans:#?}"));
    assert!(found.next().is_none(), "several spans {name}");
    span
}

#[tokio::test]
async fn spans_arrive_with_their_parents_and_only_what_may_be_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spans.jsonl");
    let collector = Collector::writing_to(&file).await;
    let (telemetry, _here) = telemetry::start_here(&settings(&collector.endpoint())).unwrap();
    info_span!(
        target: "tintype_test", "outer", run.id = "run_1", otel.kind = "consumer",
        filename = "IMG_1.JPG", email = "me@example.org", item.kind = "my holiday.jpg",
    )
    .in_scope(|| {
        let inner = debug_span!(target: "tintype_test", "inner", item.bytes = 12_345_u64, error.kind = Empty, otel.status_code = Empty);
        inner.in_scope(|| tracing::error!(target: "tintype_test", error = "the secret", "an event"));
        inner.record("error.kind", "corrupt");
        inner.record("otel.status_code", "ERROR");
        debug_span!(target: "hyper", "of a library").in_scope(|| ());
    });
    assert!(telemetry.flush(SOON).await);

    let spans = collector.spans();
    assert_eq!(spans.len(), 2, "{spans:#?}");
    let (outer, inner) = (named(&spans, "outer"), named(&spans, "inner"));
    assert_eq!(inner.parent.as_ref(), Some(&outer.id));
    assert_eq!(inner.trace, outer.trace);
    assert_eq!((outer.parent.as_ref(), outer.kind), (None, "consumer"));
    let told: Vec<_> = outer
        .attributes
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(told, [("run.id", "run_1")]);
    assert_eq!(inner.attribute("item.bytes"), Some("12345"));
    assert_eq!(inner.attribute("error.kind"), Some("corrupt"));
    assert!(
        inner.failed && inner.status.is_empty() && inner.events.is_empty(),
        "{inner:?}"
    );
    assert_eq!(outer.resource["service.name"], "tintype");
    assert_eq!(outer.resource["tintype.role"], "worker");
    assert!(outer.began_at <= inner.began_at && inner.ended_at <= outer.ended_at);

    let lines = std::fs::read_to_string(&file).unwrap();
    let names: BTreeSet<String> = lines
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["name"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(names, ["inner", "outer"].map(str::to_owned).into());
}

#[tokio::test]
async fn a_trace_goes_on_in_another_process() {
    let collector = Collector::start().await;
    let mut carried = None;
    for role in ["scheduler", "worker"] {
        let settings = TelemetrySettings {
            role: role.to_owned(),
            ..settings(&collector.endpoint())
        };
        let (telemetry, _here) = telemetry::start_here(&settings).unwrap();
        let span = info_span!(target: "tintype_test", "work");
        if let Some(parent) = &carried {
            trace::adopt(&span, parent);
        }
        carried = span.in_scope(trace::current);
        drop(span);
        assert!(telemetry.flush(SOON).await);
    }
    let spans = collector.spans();
    let of = |role: &str| {
        spans
            .iter()
            .find(|span| span.resource["tintype.role"] == role)
            .unwrap()
    };
    let (first, second) = (of("scheduler"), of("worker"));
    assert_eq!(second.parent.as_ref(), Some(&first.id));
    assert_eq!(second.trace, first.trace);
    let carried: TraceParent = carried.unwrap();
    assert_eq!(
        carried.as_str(),
        format!("00-{}-{}-01", second.trace, second.id)
    );
}

#[tokio::test]
async fn a_trace_that_was_not_chosen_stays_so_everywhere_and_its_details_are_not_made() {
    let collector = Collector::start().await;
    let never = TelemetrySettings {
        sampling: 0.0,
        ..settings(&collector.endpoint())
    };
    let carried = {
        let (_telemetry, _here) = telemetry::start_here(&never).unwrap();
        info_span!(target: "tintype_test", "work").in_scope(|| {
            assert!(debug_span!(target: "tintype_test", "detail").is_disabled());
            trace::current().unwrap()
        })
    };
    assert!(carried.as_str().ends_with("-00"), "{carried}");
    let (telemetry, _here) = telemetry::start_here(&settings(&collector.endpoint())).unwrap();
    let span = info_span!(target: "tintype_test", "work");
    trace::adopt(&span, &carried);
    span.in_scope(|| assert!(debug_span!(target: "tintype_test", "detail").is_disabled()));
    drop(span);
    assert!(telemetry.flush(SOON).await);
    assert_eq!(collector.spans(), []);
}

#[tokio::test]
async fn a_detail_never_begins_a_trace() {
    let collector = Collector::start().await;
    let (_telemetry, _here) = telemetry::start_here(&settings(&collector.endpoint())).unwrap();
    assert!(debug_span!(target: "tintype_test", "detail").is_disabled());
    assert_eq!(trace::current(), None);
}

#[tokio::test]
async fn without_a_collector_no_span_is_made() {
    let none = TelemetrySettings {
        endpoint: None,
        ..settings("")
    };
    let (telemetry, _here) = telemetry::start_here(&none).unwrap();
    assert!(!telemetry.exports());
    let span = info_span!(target: "tintype_test", "work");
    assert!(span.is_disabled());
    assert_eq!(span.in_scope(trace::current), None);
    assert!(telemetry.flush(SOON).await);
}

#[tokio::test]
async fn the_last_spans_are_exported_when_the_process_ends() {
    let collector = Collector::start().await;
    let life = Lifecycle::new();
    let (telemetry, _here) = telemetry::start_here(&settings(&collector.endpoint())).unwrap();
    telemetry.flush_at_the_end_of(&life, SOON);
    for _ in 0..1_300 {
        info_span!(target: "tintype_test", "work").in_scope(|| ());
    }
    assert!(
        collector.spans().len() < 1_300,
        "the last batch is not full and waits"
    );
    life.drain();
    life.finish().await;
    assert_eq!(collector.spans().len(), 1_300);
}
