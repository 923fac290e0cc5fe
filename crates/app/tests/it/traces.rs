//! One trace shows the whole way of a photo, and nothing that is not for everybody's eyes.
//!
//! Spans are entered by the threads of the catalogue too, so that telemetry must be the whole process's; nextest gives each test
//! a process of its own.

use std::{collections::BTreeSet, time::Duration};

use tintype_app::runs::RunChoice;
use tintype_emulator::{
    DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Generated, Library,
};
use tintype_model::run::RunState;
use tintype_runtime::telemetry::{self, TelemetrySettings};
use tintype_testkit::collector::{CollectedSpan, Collector};

use crate::world::World;

const PHOTOS: u64 = 3;

fn settings(collector: &Collector) -> TelemetrySettings {
    TelemetrySettings {
        endpoint: Some(collector.endpoint()),
        sampling: 1.0,
        level: "off".to_owned(),
        gather_for: Duration::from_millis(20),
        ..TelemetrySettings::new("scheduler+worker")
    }
}

/// The spans of one trace.
struct Trace<'a>(Vec<&'a CollectedSpan>);

impl<'a> Trace<'a> {
    fn one(&self, name: &str, attribute: &str, value: &str) -> &'a CollectedSpan {
        let is_it =
            |span: &&CollectedSpan| span.name == name && span.attribute(attribute) == Some(value);
        let found: Vec<_> = self.0.iter().copied().filter(|span| is_it(span)).collect();
        assert_eq!(
            found.len(),
            1,
            "{name} with {attribute} {value}: {found:#?}"
        );
        found[0]
    }

    fn children(&self, of: &CollectedSpan) -> Vec<&'a CollectedSpan> {
        let is_child = |span: &&CollectedSpan| span.parent.as_ref() == Some(&of.id);
        self.0.iter().copied().filter(is_child).collect()
    }

    fn child(&self, of: &CollectedSpan, name: &str) -> &'a CollectedSpan {
        let named: Vec<_> = self
            .children(of)
            .into_iter()
            .filter(|it| it.name == name)
            .collect();
        assert_eq!(
            named.len(),
            1,
            "{name} below {}: {:#?}",
            of.name,
            self.children(of)
        );
        named[0]
    }

    /// The names above a span, from the beginning of the trace.
    fn way_to(&self, span: &CollectedSpan) -> Vec<&'a str> {
        let mut way = Vec::new();
        let mut parent = span.parent.clone();
        while let Some(id) = parent {
            let above = self
                .0
                .iter()
                .find(|it| it.id == id)
                .expect("a parent in the same trace");
            way.insert(0, above.name.as_str());
            parent = above.parent.clone();
        }
        way
    }
}

/// Every job of the run has ended.
fn is_whole(spans: &[CollectedSpan]) -> bool {
    let ended = |kind: &str| {
        spans
            .iter()
            .any(|it| it.name == "job" && it.attribute("shard.kind") == Some(kind))
    };
    ended("Enumerate") && ended("Transfer") && ended("Finalize")
}

#[tokio::test]
async fn one_trace_shows_the_whole_way_of_a_photo() {
    let collector = Collector::start().await;
    let _telemetry = telemetry::start(&settings(&collector)).expect("telemetry");
    let photos = Generated::photos(PHOTOS, 20_000);
    let world = World::new(Library::Generated(photos)).await;
    let run = world.back_up(RunChoice::Routine).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    let spans = collector.wait_for(is_whole).await;

    let begun = spans
        .iter()
        .find(|it| it.name == "run.start")
        .expect("the beginning");
    assert_eq!(begun.attribute("run.id"), Some(run.id.to_string().as_str()));
    assert_eq!(begun.parent, None);
    let trace = Trace(spans.iter().filter(|it| it.trace == begun.trace).collect());

    let item = trace.one("item", "item.seq", "1");
    assert_eq!(trace.way_to(item), ["run.start", "shard.dispatch", "job"]);
    let size: u64 = item
        .attribute("item.bytes")
        .and_then(|it| it.parse().ok())
        .expect("a size");
    assert!(size > 1_000, "{size}");
    let fetch = trace.child(item, "item.fetch");
    trace.child(fetch, "quota.spend");
    let download = trace.child(fetch, "google.download");
    assert_eq!(download.kind, "client");
    assert_eq!(download.attribute("http.response.status_code"), Some("200"));
    trace.child(fetch, "item.inspect");
    let stage = trace.child(item, "item.stage");
    let commit = trace.child(item, "item.commit");
    let record = trace.child(item, "item.record");
    for (first, then) in [(fetch, stage), (stage, commit), (commit, record)] {
        assert!(
            first.ended_at <= then.began_at,
            "{first:?} is not over before {then:?}"
        );
    }
    assert!(
        record.ended_at <= item.ended_at,
        "the item ends when it is recorded"
    );

    let listing = trace.one("job", "shard.kind", "Enumerate");
    assert_eq!(trace.way_to(listing), ["run.start", "shard.dispatch"]);
    assert_eq!(listing.kind, "consumer");
    trace.child(listing, "shard.lease");
    let page = trace.one("listing.page", "page.news", &PHOTOS.to_string());
    assert_eq!(
        trace.way_to(page),
        ["run.start", "shard.dispatch", "job", "listing.library"]
    );
    trace.child(page, "quota.spend");
    trace.child(page, "vault.access_token");
    trace.child(page, "google.library");

    let last = trace.one("job", "shard.kind", "Finalize");
    let manifest = trace.child(last, "manifest.write");
    assert_eq!(
        manifest.attribute("manifest.items"),
        Some(PHOTOS.to_string().as_str())
    );
    trace.child(manifest, "vault.sign");
    trace.child(last, "snapshot.record");

    let items = trace.0.iter().filter(|it| it.name == "item").count();
    assert_eq!(items as u64, PHOTOS, "each photo has its span");
}

#[tokio::test]
async fn no_name_secret_or_address_is_in_a_trace() {
    let collector = Collector::start().await;
    let _telemetry = telemetry::start(&settings(&collector)).expect("telemetry");
    let world = World::new(Library::Sample).await;
    let run = world.back_up(RunChoice::Routine).await;
    let spans = collector.wait_for(is_whole).await;
    let mut private: BTreeSet<String> = [DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET]
        .map(str::to_owned)
        .into();
    for (id, item) in world.manifest(&run).await.items {
        private.extend([id, item.metadata.filename, item.content.path]);
    }
    private.extend([
        "http://".to_owned(),
        "https://".to_owned(),
        "/archive-".to_owned(),
    ]);
    for span in &spans {
        let told: Vec<&str> = [span.name.as_str(), span.status.as_str()]
            .into_iter()
            .chain(span.attributes.values().map(String::as_str))
            .chain(span.events.iter().map(String::as_str))
            .collect();
        for secret in &private {
            let shown = told.iter().find(|text| text.contains(secret.as_str()));
            assert_eq!(shown, None, "{secret} is in {span:?}");
        }
    }
}

#[tokio::test]
async fn a_run_that_is_not_recorded_leaves_nothing() {
    let collector = Collector::start().await;
    let never = TelemetrySettings {
        sampling: 0.0,
        ..settings(&collector)
    };
    let telemetry = telemetry::start(&never).expect("telemetry");
    let world = World::new(Library::Sample).await;
    let run = world.back_up(RunChoice::Routine).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    let trace = run.trace.expect("the decision travels with the run");
    assert!(trace.as_str().ends_with("-00"), "{trace}");
    assert!(telemetry.flush(Duration::from_secs(10)).await);
    assert_eq!(collector.spans(), []);
}
