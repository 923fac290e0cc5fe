//! The test of an account, before it is connected and later.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tintype_emulator::{
    CallKind, ClientConfig, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, SCOPE_APPEND, SCOPE_READ,
};

use crate::world::{World, send};

/// The line that failed.
fn failed(answer: &Value) -> &Value {
    let checks = answer["checks"].as_array().expect("checks");
    let mut failed = checks.iter().filter(|it| it["result"] == "failed");
    let line = failed
        .next()
        .unwrap_or_else(|| panic!("all is well: {answer}"));
    assert!(failed.next().is_none(), "{answer}");
    assert_eq!(checks.last(), Some(line), "it ends there: {answer}");
    assert_eq!(answer["passed"], false);
    line
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field].as_str().expect("text")
}

/// An account whose person granted only these scopes.
fn credential_with(world: &World, scopes: &str) -> Value {
    let grant = world
        .google
        .grant(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, Some(scopes))
        .expect("a grant");
    let mut credential = world.credential();
    credential["refresh_token"] = json!(grant.refresh_token);
    credential
}

fn form(credential: Value) -> Value {
    json!({"kind": "google_photos", "credential": credential})
}

async fn test_new(world: &World, tenant: &str, body: &Value) -> Value {
    let asked = world.of(tenant, "POST", "/v1/storages/test").json(body);
    let answer = send(asked).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.body
}

#[tokio::test]
async fn a_good_account_passes_every_line_for_few_requests_and_leaves_nothing_behind() {
    let world = World::new(5).await;
    let tenant = world.tenant("Acme").await;
    world.google.reset_ledger();
    let answer = test_new(&world, &tenant, &form(world.credential())).await;
    let names: Vec<&str> = answer["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .map(|line| {
            assert_eq!(line["result"], "passed", "{answer}");
            text(line, "name")
        })
        .collect();
    assert_eq!(
        names,
        [
            "credential",
            "token refresh",
            "granted scopes",
            "listing",
            "one item's bytes",
            "upload"
        ]
    );
    assert_eq!(
        (&answer["passed"], &answer["requests"]),
        (&json!(true), &json!(3))
    );
    let calls = |kind| world.google.ledger(Some(kind), 0, 100).len();
    let made = [
        CallKind::Token,
        CallKind::Search,
        CallKind::Download,
        CallKind::UploadRaw,
    ];
    assert_eq!(made.map(calls), [1, 1, 1, 1]);
    assert_eq!(world.google.ledger(None, 0, 100).len(), 4);
    let items = world.google.items(DEFAULT_ACCOUNT, 100).expect("items");
    assert_eq!(items.len(), 5);
    let list = send(world.of(&tenant, "GET", "/v1/storages")).await;
    assert_eq!(list.body["data"], json!([]));
}

#[tokio::test]
async fn each_trouble_has_a_diagnosis_and_a_way_out_of_its_own() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let mut actions = Vec::new();
    let mut diagnose = async |name: &str, code: &str, cause: &str, body: &Value| {
        let answer = test_new(&world, &tenant, body).await;
        let line = failed(&answer);
        assert_eq!(
            (text(line, "name"), text(line, "code")),
            (name, code),
            "{line}"
        );
        assert!(text(line, "detail").contains(cause), "{line}");
        actions.push(text(line, "action").to_owned());
    };

    let revoked = world.credential();
    let token = revoked["refresh_token"].as_str().expect("a token");
    assert!(world.google.revoke(token));
    diagnose(
        "token refresh",
        "auth_lost",
        "expired or revoked",
        &form(revoked),
    )
    .await;

    let reader = credential_with(&world, SCOPE_READ);
    diagnose(
        "granted scopes",
        "forbidden",
        "photoslibrary.appendonly",
        &form(reader),
    )
    .await;
    let writer = credential_with(&world, SCOPE_APPEND);
    diagnose(
        "granted scopes",
        "forbidden",
        "photoslibrary.readonly",
        &form(writer),
    )
    .await;

    world.google.set(|it| it.api_disabled = true);
    let good = form(world.credential());
    diagnose(
        "listing",
        "forbidden",
        "switched off in cloud project 123456789012",
        &good,
    )
    .await;
    world.google.set(|it| it.api_disabled = false);
    world.google.set(|it| it.photos_disabled = true);
    diagnose(
        "listing",
        "forbidden",
        "switched off for this account",
        &good,
    )
    .await;
    world.google.set(|it| it.photos_disabled = false);

    world.google.add_client(ClientConfig {
        client_secret: "GOCSPX-the-new-one".into(),
        ..ClientConfig::default()
    });
    diagnose("token refresh", "auth_lost", "client id and secret", &good).await;

    let count = actions.len();
    actions.sort();
    actions.dedup();
    assert_eq!(actions.len(), count, "{actions:#?}");
}

#[tokio::test]
async fn a_read_only_account_needs_no_other_scope_and_sends_nothing() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let mut body = form(credential_with(&world, SCOPE_READ));
    body["read_only"] = json!(true);
    let answer = test_new(&world, &tenant, &body).await;
    assert_eq!(answer["passed"], true, "{answer}");
    assert_eq!(answer["checks"][5]["result"], "skipped");
    assert_eq!(
        world.google.ledger(Some(CallKind::UploadRaw), 0, 10).len(),
        0
    );
}

#[tokio::test]
async fn what_is_refused_is_known_without_asking_google_again() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let account = world.account(&tenant).await;
    world
        .google
        .revoke_all(DEFAULT_ACCOUNT, None)
        .expect("revoked");
    let path = format!("/v1/storages/{account}/test");
    let first = send(world.of(&tenant, "POST", &path)).await.body;
    assert_eq!(failed(&first)["name"], "token refresh");
    world.google.reset_ledger();
    let second = send(world.of(&tenant, "POST", &path)).await.body;
    assert_eq!(failed(&second)["name"], "credential");
    assert_eq!(failed(&second)["action"], failed(&first)["action"]);
    assert_eq!(world.google.ledger(None, 0, 10).len(), 0);
}

#[tokio::test]
async fn lines_come_as_they_become_known_to_whoever_asks_for_events() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    world.google.set(|it| {
        it.latency_ms.insert(CallKind::Search, 1_500);
    });
    let asked = world
        .of(&tenant, "POST", "/v1/storages/test")
        .header("accept", "text/event-stream")
        .json(&form(world.credential()));
    let mut answer = asked.send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    let mut before_listing = None;
    while let Some(chunk) = answer.chunk().await.expect("a whole stream") {
        text.push_str(std::str::from_utf8(&chunk).expect("text"));
        let listed = world.google.ledger(Some(CallKind::Search), 0, 10).len();
        if listed == 0 {
            before_listing = Some(text.matches("event: check").count());
        }
    }
    assert_eq!(before_listing, Some(3), "{text}");
    assert_eq!(text.matches("event: check").count(), 6, "{text}");
    let (_, end) = text.split_once("event: done").expect("an end");
    assert!(end.contains(r#""passed":true"#), "{end}");
    assert!(end.contains(r#""requests":3"#), "{end}");

    let nowhere = format!("/v1/storages/stg_{}/test", "0".repeat(32));
    let missing = world.of(&tenant, "POST", &nowhere);
    let missing = send(missing.header("accept", "text/event-stream")).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_form_with_something_wrong_is_pointed_at_before_google_is_asked() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    world.google.reset_ledger();
    for (field, value, pointer) in [
        ("kind", json!("s3"), "/kind"),
        ("start_year", json!(1700), "/start_year"),
        ("start_year", json!(9999), "/start_year"),
        ("read_only", json!("yes"), "/read_only"),
        ("batch", json!(1), "/batch"),
        (
            "credential",
            json!({"client_id": "x", "client_secret": "y"}),
            "/credential/client_id",
        ),
    ] {
        let mut body = form(world.credential());
        body[field] = value;
        for path in ["/v1/storages/test", "/v1/storages"] {
            body["name"] = json!("photos");
            if field == "kind" && path == "/v1/storages" {
                continue;
            }
            let refused = send(world.of(&tenant, "POST", path).json(&body)).await;
            assert_eq!(
                refused.status,
                StatusCode::UNPROCESSABLE_ENTITY,
                "{refused:?}"
            );
            assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{refused:?}");
        }
    }
    assert_eq!(world.google.ledger(None, 0, 10).len(), 0);
}
