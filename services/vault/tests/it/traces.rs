//! A call is one trace on both sides of the door.

use std::{sync::Arc, time::Duration};

use tintype_ports::{
    Vault as _,
    contract::vault::{storage, tenant},
};
use tintype_runtime::{
    telemetry::{self, TelemetrySettings},
    trace::Traces,
};
use tintype_testkit::collector::Collector;
use tracing::Instrument as _;

use crate::world::World;

#[tokio::test]
async fn the_vaults_span_stands_below_the_callers() {
    let collector = Collector::start().await;
    let settings = TelemetrySettings {
        endpoint: Some(collector.endpoint()),
        sampling: 1.0,
        level: "off".to_owned(),
        gather_for: Duration::from_millis(20),
        ..TelemetrySettings::new("worker+vault")
    };
    // The threads of the database enter spans too: telemetry is the whole process's, and this test has one of its own.
    let _telemetry = telemetry::start(&settings).unwrap();
    let world = World::new();
    let keeper = world.keeper().await;
    let server = world
        .serve_traced(world.settings(), keeper, Arc::new(Traces))
        .await;
    let reach = world.client_settings("scheduler", &server.address.to_string());
    let caller = world.client_traced(&reach, None, Arc::new(Traces));
    let work = tracing::info_span!(target: "tintype_test", "work");
    let described = caller.describe(tenant(1), storage(1)).instrument(work);
    described.await.unwrap();
    server.stop().await;

    let spans = collector
        .wait_for(|spans| {
            ["work", "vault.try", "vault call"]
                .iter()
                .all(|name| spans.iter().any(|it| it.name == *name))
        })
        .await;
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let (work, client, server) = (named("work"), named("vault.try"), named("vault call"));
    assert_eq!((client.kind, server.kind), ("client", "server"));
    assert_eq!(client.parent.as_ref(), Some(&work.id));
    assert_eq!(server.parent.as_ref(), Some(&client.id));
    assert_eq!(server.trace, work.trace);
    assert_eq!(
        server.attribute("rpc.method"),
        Some("/tintype.vault.v1.Vault/Describe")
    );
    assert_eq!(server.attribute("rpc.code"), Some("ok"));
    let identity = server.attribute("peer.identity").unwrap();
    assert!(identity.contains("scheduler"), "{identity}");
}
