//! One photo followed through all processes.

use std::collections::BTreeMap;

use tintype_testkit::collector::{CollectedSpan, Collector};

use super::install::Install;

const PHOTOS: u64 = 3;

/// The names from the span up to the root of its trace, with the role of each process.
fn way<'a>(spans: &'a BTreeMap<&str, &'a CollectedSpan>, from: &'a CollectedSpan) -> Vec<String> {
    let mut way = Vec::new();
    let mut next = Some(from);
    while let Some(span) = next {
        let role = span.resource.get("tintype.role");
        way.push(format!(
            "{}:{}",
            role.map_or("?", String::as_str),
            span.name
        ));
        next = span.parent.as_deref().and_then(|id| spans.get(id).copied());
    }
    way
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_follows_a_photo_from_the_request_to_the_object() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let collector = Collector::writing_to(file.path()).await;
    let mut install = Install::new().await;
    install.observe(&collector.endpoint());
    let roles = ["vault", "scheduler", "worker", "gateway"];
    let mut processes: Vec<_> = roles.map(|role| install.serve(role)).into();
    let api = install.api();
    let account = install.google.account(0, PHOTOS);
    let customer = api.customer(account, install.dir.path()).await;
    let customers = [customer];
    api.succeeded(&customers).await;
    for process in &mut processes {
        process.spawned.terminate();
        process.spawned.wait(super::api::PATIENCE).await;
    }

    let spans = collector.spans();
    let started = spans
        .iter()
        .find(|span| span.name == "run.start")
        .expect("the run's start");
    let of_the_run: Vec<&CollectedSpan> = spans
        .iter()
        .filter(|span| span.trace == started.trace)
        .collect();
    let by_id: BTreeMap<&str, &CollectedSpan> = of_the_run
        .iter()
        .map(|span| (span.id.as_str(), *span))
        .collect();
    let named = |name: &str| {
        let found: Vec<&&CollectedSpan> = of_the_run.iter().filter(|it| it.name == name).collect();
        assert!(
            !found.is_empty(),
            "no span {name} in {:?}",
            names(&of_the_run)
        );
        found
    };
    for item in named("item") {
        let way = way(&by_id, item);
        let root = way.last().expect("a root");
        assert_eq!(root, "gateway:request", "{way:?}");
        assert!(way.iter().any(|it| it == "worker:job"), "{way:?}");
    }
    // What one photo needs, wherever it happens.
    let vaults = of_the_run.iter().filter(|it| {
        it.resource
            .get("tintype.role")
            .is_some_and(|role| role == "vault")
    });
    assert!(
        vaults.count() > 0,
        "the vault's part: {:?}",
        names(&of_the_run)
    );
    let written = std::fs::read_to_string(file.path()).expect("the file");
    assert!(written.lines().count() >= of_the_run.len());
    super::whole::no_canary_in(&install.google, "a trace", written.as_bytes());
}

fn names(spans: &[&CollectedSpan]) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    for span in spans {
        let role = span.resource.get("tintype.role");
        let name = format!("{}:{}", role.map_or("?", String::as_str), span.name);
        *names.entry(name).or_default() += 1;
    }
    names
}
