//! The whole way over the API: a tenant, its storages, a plan, its runs.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tintype_emulator::CallKind;

use crate::world::{World, send};

#[tokio::test]
async fn a_library_is_backed_up_over_the_api() {
    let world = World::new(40).await;
    let tenant = world.tenant("Acme").await;
    let plan = world.plan(&tenant).await;
    let run = world.run(&tenant, &plan).await;
    let over = world.until(&tenant, &run, &["succeeded"]).await;
    assert_eq!(over["progress"]["stored"], 40);
    assert_eq!(over["forecast"], Value::Null);
    assert!(
        over["snapshot"]
            .as_str()
            .is_some_and(|it| it.starts_with("snp_")),
        "{over}"
    );
    let again = world.run(&tenant, &plan).await;
    let again = world.until(&tenant, &again, &["succeeded"]).await;
    assert_eq!(again["progress"]["stored"], 0);
    let list = send(world.of(&tenant, "GET", "/v1/runs")).await;
    assert_eq!(list.body["data"].as_array().map(Vec::len), Some(2));
    let quota = send(world.of(&tenant, "GET", "/v1/quota")).await;
    let project = &quota.body["data"][0];
    assert_eq!(project["project"], "123456789012");
    assert!(project["downloads"]["spent"].as_u64() >= Some(40));
    let sum = project["downloads"]["spent"]
        .as_u64()
        .zip(project["downloads"]["left"].as_u64());
    assert_eq!(
        sum.map(|(spent, left)| spent + left),
        project["downloads"]["limit"].as_u64()
    );
    assert_eq!(project["forecast"]["quota_days"], 0, "{quota:?}");
}

#[tokio::test]
async fn a_run_is_steered_and_foreseen() {
    let world = World::new(300).await;
    world.google.set(|switches| {
        switches.latency_ms.insert(CallKind::Download, 400);
    });
    let tenant = world.tenant("Acme").await;
    let plan = world.plan(&tenant).await;
    let run = world.run(&tenant, &plan).await;
    let running = world.until(&tenant, &run, &["running"]).await;
    assert!(running["forecast"].is_object(), "{running}");
    let steer = |verb: &str| world.of(&tenant, "POST", &format!("/v1/runs/{run}/{verb}"));
    let paused = send(steer("pause")).await;
    assert_eq!(paused.status, StatusCode::OK, "{paused:?}");
    world.until(&tenant, &run, &["paused"]).await;
    assert_eq!(send(steer("resume")).await.body["state"], "running");
    let second = world.of(&tenant, "POST", &format!("/v1/plans/{plan}/runs"));
    let second = send(second.json(&json!({}))).await;
    assert_eq!(second.status, StatusCode::CONFLICT);
    assert_eq!(send(steer("cancel")).await.body["state"], "cancelled");
    let late = send(steer("pause")).await;
    assert_eq!(
        (late.status, &late.body["code"]),
        (StatusCode::CONFLICT, &json!("conflict"))
    );
}

#[tokio::test]
async fn an_account_is_tested_and_its_credential_replaced() {
    let world = World::new(5).await;
    let tenant = world.tenant("Acme").await;
    let account = world.account(&tenant).await;
    let path = format!("/v1/storages/{account}/test");
    let good = send(world.of(&tenant, "POST", &path)).await;
    assert_eq!(good.body["passed"], true, "{good:?}");
    assert_eq!(good.body["checks"].as_array().map(Vec::len), Some(6));
    let path = format!("/v1/storages/{account}/credential");
    let mut wrong = world.credential();
    wrong["refresh_token"] = json!("1//no-such-token-at-all");
    let replaced = send(world.of(&tenant, "PUT", &path).json(&wrong)).await;
    assert_eq!(replaced.status, StatusCode::NO_CONTENT);
    let path = format!("/v1/storages/{account}/test");
    let bad = send(world.of(&tenant, "POST", &path)).await;
    assert_eq!(bad.body["passed"], false, "{bad:?}");
    assert_eq!(bad.body["checks"][1]["code"], "auth_lost");
}

#[tokio::test]
async fn a_plan_shows_its_next_runs_and_changes() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let plan = world.plan(&tenant).await;
    let path = format!("/v1/plans/{plan}");
    let change = json!({"schedule": {"cron": "30 3 * * *", "time_zone": "Europe/Berlin"}});
    let changed = send(world.of(&tenant, "PATCH", &path).json(&change)).await;
    assert_eq!(
        changed.body["next_runs"].as_array().map(Vec::len),
        Some(5),
        "{changed:?}"
    );
    assert_eq!(changed.body["schedule"]["time_zone"], "Europe/Berlin");
    let wrong = json!({"schedule": {"cron": "never"}});
    let refused = send(world.of(&tenant, "PATCH", &path).json(&wrong)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.body["errors"][0]["pointer"], "/schedule");
    let renamed = json!({"name": "nightly", "schedule": null});
    let renamed = send(world.of(&tenant, "PATCH", &path).json(&renamed)).await;
    assert_eq!(renamed.body["name"], "nightly");
    assert_eq!(renamed.body["schedule"], Value::Null);
    let got = send(world.of(&tenant, "GET", &path)).await;
    assert_eq!(got.body, renamed.body);
}

#[tokio::test]
async fn a_tenant_is_changed_field_by_field() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let path = format!("/v1/tenants/{tenant}");
    let change = json!({"weight": 3, "max_shards": 4});
    let changed = send(world.ask("PATCH", &path).json(&change)).await;
    assert_eq!(
        (&changed.body["weight"], &changed.body["max_shards"]),
        (&json!(3), &json!(4))
    );
    let change = json!({"name": "Acme Ltd"});
    let changed = send(world.ask("PATCH", &path).json(&change)).await;
    assert_eq!(
        (&changed.body["name"], &changed.body["max_shards"]),
        (&json!("Acme Ltd"), &json!(4))
    );
    let change = json!({"max_shards": null});
    let changed = send(world.ask("PATCH", &path).json(&change)).await;
    assert_eq!(changed.body["max_shards"], Value::Null);
    for (field, value) in [
        ("weight", json!(0)),
        ("max_shards", json!(0)),
        ("name", json!(" ")),
    ] {
        let refused = send(world.ask("PATCH", &path).json(&json!({field: value}))).await;
        assert_eq!(
            refused.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{refused:?}"
        );
        assert_eq!(refused.body["errors"][0]["pointer"], format!("/{field}"));
    }
}

#[tokio::test]
async fn a_token_is_taken_as_rclone_prints_it_and_nothing_half_is() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let mut credential = world.credential();
    let post = async |credential: &Value, name: &str| {
        let body = json!({"kind": "google_photos", "name": name, "credential": credential});
        send(world.of(&tenant, "POST", "/v1/storages").json(&body)).await
    };
    let fields = credential.as_object_mut().expect("an object");
    let refresh = fields.remove("refresh_token").expect("a token");
    let none = post(&credential, "none").await;
    assert_eq!(
        none.body["errors"][0]["pointer"],
        "/credential/refresh_token"
    );
    let blob = json!({"access_token": "ya29.x", "token_type": "Bearer", "refresh_token": refresh,
                      "expiry": "2020-01-01T00:00:00Z"});
    credential["token"] = json!(blob.to_string());
    post(&credential, "rclone").await.id();
    credential["token"] = json!("{\"access_token\":\"ya29.x\"}");
    let half = post(&credential, "half").await;
    assert_eq!(
        half.body["errors"][0]["pointer"], "/credential/token",
        "{half:?}"
    );
    credential["client_id"] = json!("me");
    let client = post(&credential, "client").await;
    assert_eq!(client.body["errors"][0]["pointer"], "/credential/client_id");
}

#[tokio::test]
async fn secrets_go_in_and_never_come_out() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let credential = world.credential();
    let body = json!({"kind": "google_photos", "name": "photos", "credential": credential});
    let made = send(world.of(&tenant, "POST", "/v1/storages").json(&body)).await;
    let path = format!("/v1/storages/{}", made.id());
    let shown = send(world.of(&tenant, "GET", &path)).await;
    assert_eq!(
        shown.body["credential"]["public_id"],
        credential["client_id"]
    );
    let bucket = json!({
        "kind": "s3", "name": "bucket", "bucket": "b", "endpoint": "https://s3.example.com",
        "region": "eu", "access_key_id": "AKIACANARY", "secret_access_key": "canary-of-the-bucket",
    });
    let bucket = send(world.of(&tenant, "POST", "/v1/storages").json(&bucket)).await;
    let list = send(world.of(&tenant, "GET", "/v1/storages")).await;
    let shown = format!("{made:?} {bucket:?} {list:?}");
    for secret in [
        &credential["refresh_token"],
        &credential["client_secret"],
        &json!("canary-of-the-bucket"),
    ] {
        assert!(!shown.contains(secret.as_str().expect("text")), "{shown}");
    }
}
