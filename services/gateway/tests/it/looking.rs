//! What is looked at: tags, filters, pages, failures, traces.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tintype_emulator::{CallKind, DEFAULT_ACCOUNT, Effect, Fault};

use crate::world::{World, send};

#[tokio::test]
async fn nobody_changes_what_somebody_else_changed_meanwhile() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let plan = world.plan(&tenant).await;
    for path in [format!("/v1/tenants/{tenant}"), format!("/v1/plans/{plan}")] {
        let seen = send(world.of(&tenant, "GET", &path)).await;
        let tag = seen.header("etag").to_owned();
        assert!(tag.starts_with('"'), "{seen:?}");
        let rename = |tag: &str, name: &str| {
            let asked = world.of(&tenant, "PATCH", &path).header("if-match", tag);
            send(asked.json(&json!({ "name": name })))
        };
        let first = rename(&tag, "first").await;
        assert_eq!(first.status, StatusCode::OK, "{first:?}");
        assert_ne!(first.header("etag"), tag);
        let late = rename(&tag, "late").await;
        assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
        assert_eq!(late.body["code"], "changed_meanwhile");
        let again = rename(first.header("etag"), "again").await;
        assert_eq!(again.body["name"], "again");
        assert_eq!(rename("*", "any").await.body["name"], "any");
        let now = send(world.of(&tenant, "GET", &path)).await;
        assert_eq!(now.body["name"], "any");
    }
}

#[tokio::test]
async fn the_tag_of_a_plan_stays_while_time_passes() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let path = format!("/v1/plans/{}", world.plan(&tenant).await);
    let change = json!({"schedule": {"cron": "* * * * *"}});
    let changed = send(world.of(&tenant, "PATCH", &path).json(&change)).await;
    let seen = send(world.of(&tenant, "GET", &path)).await;
    assert_eq!(seen.header("etag"), changed.header("etag"));
}

fn ids(page: &Value) -> Vec<&str> {
    let data = page["data"].as_array().expect("a list").iter();
    data.map(|it| it["id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn runs_are_picked_by_plan_and_state() {
    let world = World::new(2).await;
    let tenant = world.tenant("Acme").await;
    let plan = world.plan(&tenant).await;
    let first = world.run(&tenant, &plan).await;
    world.until(&tenant, &first, &["succeeded"]).await;
    world.google.set(|switches| {
        switches.latency_ms.insert(CallKind::Search, 60_000);
    });
    let second = world.run(&tenant, &plan).await;
    world.until(&tenant, &second, &["running"]).await;
    let runs = async |query: &str| {
        let list = send(world.of(&tenant, "GET", &format!("/v1/runs?{query}"))).await;
        assert_eq!(list.status, StatusCode::OK, "{list:?}");
        list.body
    };
    assert_eq!(ids(&runs("state=succeeded").await), [&first]);
    assert_eq!(ids(&runs("state=running,queued").await), [&second]);
    let of_plan = runs(&format!("plan={plan}&limit=1")).await;
    assert_eq!(ids(&of_plan), [&second]);
    let cursor = of_plan["next_cursor"].as_str().expect("a cursor");
    assert!(!cursor.contains("run_"), "cursors are nobody's business");
    let rest = runs(&format!("plan={plan}&limit=1&cursor={cursor}")).await;
    assert_eq!(
        (ids(&rest), &rest["has_more"]),
        (vec![&*first], &json!(false))
    );
    let nothing = format!("plan=pln_{}", "0".repeat(32));
    assert_eq!(runs(&nothing).await["data"], json!([]));
    for query in ["state=lost", "plan=backup", "state="] {
        let wrong = send(world.of(&tenant, "GET", &format!("/v1/runs?{query}"))).await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn storages_and_plans_come_in_pages() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let plan = world.plan(&tenant).await;
    let first = send(world.of(&tenant, "GET", "/v1/storages?limit=1")).await;
    assert_eq!(first.body["has_more"], true);
    let cursor = first.body["next_cursor"].as_str().expect("a cursor");
    let path = format!("/v1/storages?limit=1&cursor={cursor}");
    let second = send(world.of(&tenant, "GET", &path)).await;
    assert_eq!(second.body["has_more"], false);
    assert_ne!(ids(&first.body), ids(&second.body));
    let plans = send(world.of(&tenant, "GET", "/v1/plans")).await;
    assert_eq!(ids(&plans.body), [&plan]);
}

#[tokio::test]
async fn failures_are_told_with_their_reasons() {
    let world = World::new(6).await;
    let items = world.google.items(DEFAULT_ACCOUNT, 10).expect("items");
    for item in &items[..3] {
        let fault = Fault::on(CallKind::Download, Effect::Html).item(&item.id);
        world.google.fault(fault);
    }
    let tenant = world.tenant("Acme").await;
    let plan = world.plan(&tenant).await;
    let run = world.run(&tenant, &plan).await;
    let over = world.until(&tenant, &run, &["partial"]).await;
    assert_eq!(over["progress"]["failed"], 3);
    assert_eq!(over["reason"]["code"], "corrupt");
    let path = format!("/v1/runs/{run}/failures");
    let mut told = Vec::new();
    let mut next = format!("{path}?limit=2");
    loop {
        let page = send(world.of(&tenant, "GET", &next)).await;
        for it in page.body["data"].as_array().expect("a list") {
            assert!(!it["message"].as_str().expect("a reason").is_empty());
            assert!(it["filename"].is_string() && it["kind"] == "photo");
            told.push(it["item"].as_str().expect("an id").to_owned());
        }
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            break;
        };
        next = format!("{path}?limit=2&cursor={cursor}");
    }
    told.sort();
    let mut broken: Vec<_> = items[..3].iter().map(|it| it.id.clone()).collect();
    broken.sort();
    assert_eq!(told, broken);
    let stranger = world.tenant("Stranger").await;
    let theirs = send(world.of(&stranger, "GET", &path)).await;
    assert_eq!(theirs.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_run_keeps_the_trace_that_it_was_asked_in() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let plan = world.plan(&tenant).await;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (given, kept) in [(parent, Some(parent)), ("00-nonsense-01", None)] {
        let asked = world
            .of(&tenant, "POST", &format!("/v1/plans/{plan}/runs"))
            .header("traceparent", given);
        let run = send(asked.json(&json!({}))).await.id();
        let store = &world.app.ports().store;
        let (tenant_id, run_id) = (tenant.parse().expect("an id"), run.parse().expect("an id"));
        let found = store.run(tenant_id, run_id).await.expect("read");
        let trace = found.expect("there").trace.map(String::from);
        assert_eq!(trace.as_deref(), kept);
        world.until(&tenant, &run, &["succeeded"]).await;
    }
}

#[tokio::test]
async fn a_credential_of_another_project_or_for_a_bucket_is_refused() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let (account, folder) = (world.account(&tenant).await, world.folder(&tenant).await);
    let put = |storage: &str, credential: &Value| {
        let path = format!("/v1/storages/{storage}/credential");
        send(world.of(&tenant, "PUT", &path).json(credential))
    };
    let mut credential = world.credential();
    let for_a_folder = put(&folder, &credential).await;
    assert_eq!(for_a_folder.status, StatusCode::UNPROCESSABLE_ENTITY);
    credential["client_id"] = json!("999-abc.apps.googleusercontent.com");
    let elsewhere = put(&account, &credential).await;
    assert_eq!(elsewhere.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(elsewhere.body["errors"][0]["pointer"], "/client_id");
    let fields = credential.as_object_mut().expect("an object");
    fields.remove("refresh_token");
    let nothing = put(&account, &credential).await;
    assert_eq!(nothing.body["errors"][0]["pointer"], "/refresh_token");
}
