//! How the credential of an account is, and the warning of its death.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tintype_emulator::CallKind;
use tintype_ports::Clock as _;
use tintype_runtime::SystemClock;

use crate::{
    events::Stream,
    world::{World, send},
};

/// What a storage shows of its credential, alone and in the list.
async fn health(world: &World, tenant: &str, account: &str) -> Value {
    let path = format!("/v1/storages/{account}");
    let shown = send(world.of(tenant, "GET", &path)).await;
    let list = send(world.of(tenant, "GET", "/v1/storages")).await;
    let listed = list.body["data"].as_array().expect("storages");
    let listed = listed.iter().find(|it| it["id"] == account);
    assert_eq!(listed.expect("the account")["health"], shown.body["health"]);
    shown.body["health"].clone()
}

async fn test(world: &World, tenant: &str, account: &str) {
    let path = format!("/v1/storages/{account}/test");
    let tested = send(world.of(tenant, "POST", &path)).await;
    assert_eq!(tested.body["passed"], true, "{tested:?}");
}

fn days_left(health: &Value) -> i64 {
    let dies_at: DateTime<Utc> = health["dies_at"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("a time");
    (dies_at - SystemClock.now()).num_days()
}

#[tokio::test]
async fn an_app_in_testing_shows_its_tokens_death_and_is_warned_of_it() {
    let world = World::attentive(1).await;
    world.google.set(|switches| switches.testing_mode = true);
    let tenant = world.tenant("Acme").await;
    let account = world.account(&tenant).await;
    let folder = world.folder(&tenant).await;
    test(&world, &tenant, &account).await;
    let well = health(&world, &tenant, &account).await;
    assert_eq!(
        (&well["state"], &well["why"], &well["action"]),
        (&json!("ok"), &json!("announced"), &Value::Null)
    );
    assert_eq!(days_left(&well), 6);
    assert!(well["used_at"].is_string(), "{well}");

    let shown = send(world.of(&tenant, "GET", &format!("/v1/storages/{folder}"))).await;
    assert_eq!(shown.body.get("health"), None, "a folder has no credential");

    let mut stream = Stream::open(world.of(&tenant, "GET", "/v1/events")).await;
    let about_runs = "/v1/events?topics=run_00000000000070008000000000000001";
    let mut runs_only = Stream::open(world.of(&tenant, "GET", about_runs)).await;
    // At Google five days pass; the next refresh says how long the token has left.
    let five_days = TimeDelta::days(5).num_milliseconds();
    world.google.advance(five_days);
    world.google.expire_access_tokens();
    test(&world, &tenant, &account).await;
    assert_eq!(world.google.calls(CallKind::Token), 2);
    let dying = health(&world, &tenant, &account).await;
    assert_eq!(dying["state"], "expiring", "{dying}");
    assert_eq!(days_left(&dying), 1);
    let action = dying["action"].as_str().expect("something to do");
    assert!(action.contains("Testing"), "{action}");
    let told = stream.next().await.expect("a warning");
    assert_eq!(told.name, "account_expiring");
    let expected = json!({
        "type": "account_expiring", "storage": account, "dies_at": dying["dies_at"],
        "why": "announced", "hours_before": 72,
    });
    assert_eq!(told.data, expected);
    world.draining.cancel();
    assert_eq!(runs_only.next().await, None, "it is about no run");
}

#[tokio::test]
async fn a_token_that_is_refused_or_gone_says_what_to_do() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let account = world.account(&tenant).await;
    test(&world, &tenant, &account).await;
    let well = health(&world, &tenant, &account).await;
    assert_eq!(
        (&well["state"], &well["why"]),
        (&json!("ok"), &json!("idle"))
    );
    assert_eq!(days_left(&well), 179);
    let email = tintype_emulator::DEFAULT_ACCOUNT;
    world.google.revoke_all(email, None).expect("revoked");
    world.google.expire_access_tokens();
    let path = format!("/v1/storages/{account}");
    send(world.of(&tenant, "POST", &format!("{path}/test"))).await;
    let dead = health(&world, &tenant, &account).await;
    assert_eq!(
        (&dead["state"], &dead["dies_at"], &dead["action"]),
        (&json!("dead"), &Value::Null, &json!("sign in again"))
    );
    let shown = send(world.of(&tenant, "GET", &path)).await;
    assert_eq!(shown.body["credential"]["refused"]["by"], "token");
    send(world.of(&tenant, "POST", &format!("{path}/disconnect"))).await;
    let gone = health(&world, &tenant, &account).await;
    assert_eq!(gone["state"], "none", "{gone}");
}
