//! A hosted install looks after its accounts, whichever scheduler leads.

use std::time::Duration;

use futures::StreamExt as _;
use reqwest::Method;
use serde_json::Value;
use tintype_emulator::CallKind;
use tintype_runtime::HttpSettings;
use tokio::time::{Instant, sleep, timeout};

use super::{
    api::PATIENCE,
    install::{Install, TOKEN},
    services::until_ready,
};

const OFTEN: (&str, &str) = ("TINTYPE_SCHEDULER__ACCOUNTS_SECONDS", "1");

/// Warnings in the stream of a tenant, from its beginning, as far as they come within `wait`.
async fn warnings(gateway: &str, tenant: &str, wait: Duration) -> Vec<Value> {
    let http = HttpSettings::default().client().expect("a client");
    let asked = http
        .get(format!("http://{gateway}/v1/events"))
        .bearer_auth(TOKEN)
        .header("tintype-tenant", tenant)
        .header("last-event-id", "0");
    let mut chunks = asked.send().await.expect("events").bytes_stream();
    let mut text = String::new();
    let _ = timeout(wait, async {
        while let Some(Ok(chunk)) = chunks.next().await {
            text.push_str(&String::from_utf8_lossy(&chunk));
        }
    })
    .await;
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let events = data.filter_map(|it| serde_json::from_str::<Value>(it).ok());
    events
        .filter(|it| it["type"] == "account_expiring")
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_keeps_tokens_alive_and_the_next_one_tells_what_it_could_not_record() {
    let mut install = Install::new().await;
    install
        .google
        .control
        .set(|switches| switches.testing_mode = true);
    let account = install.google.account(0, 1);
    // The token is five days old when it is connected; Google says so at its first use.
    install.google.control.advance(5 * 24 * 3_600_000);
    let vault = install.serve("vault");
    let gateway = install.serve("gateway");
    let dying = [OFTEN, ("TINTYPE_CRASH_AT", "warning-told")];
    let mut first = install.serve_with("scheduler", &dying);
    for process in [&vault, &gateway, &first] {
        until_ready(process).await;
    }
    let api = install.api();
    let customer = api.newcomer(account, install.dir.path()).await;
    let ended = first.spawned.wait(PATIENCE).await;
    assert!(!ended.success(), "it died where it was to");
    assert_eq!(install.google.control.calls(CallKind::Token), 1);
    let list = "/v1/storages";
    let (_, storages) = api.ask(Method::GET, list, &customer.tenant, None).await;
    let health = &storages["data"][0]["health"];
    assert_eq!(health["state"], "expiring", "{storages}");
    assert!(health["used_at"].is_string(), "{health}");

    let second = install.serve_with("scheduler", &[OFTEN]);
    let begun = Instant::now();
    let told = loop {
        let told = warnings(install.gateway(), &customer.tenant, Duration::from_secs(2)).await;
        if told.len() >= 2 {
            break told;
        }
        assert!(begun.elapsed() < PATIENCE, "{told:?}");
        sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(told[0], told[1], "readers know it again");
    assert_eq!(told[0]["dies_at"], health["dies_at"]);
    assert_eq!(told[0]["hours_before"], 72);
    until_ready(&second).await;
    let still = warnings(install.gateway(), &customer.tenant, Duration::from_secs(5)).await;
    assert_eq!(still, told, "it is recorded now");
    assert_eq!(install.google.control.calls(CallKind::Token), 1);
}
