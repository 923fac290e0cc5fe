//! How items are made: chosen for each account.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tintype_emulator::CallKind;

use super::{account_of, ask_plan, assert_refused, connect, pictures, put_photos, run, with};
use crate::world::{World, send};

#[tokio::test]
async fn how_items_are_made_is_chosen_shown_and_changed() {
    let world = World::new(0).await;
    let tenant = world.tenant("Acme").await;
    let usual = json!({"mode": "sync", "size": 0, "timeout_seconds": 0});
    let untouched = account_of(&world, "untouched@example.com");
    let untouched = connect(&world, &tenant, &untouched).await;
    assert_eq!(untouched.body["batch"], usual, "{untouched:?}");

    let chosen = json!({"mode": "async", "size": 49, "timeout_seconds": 3_600});
    let body = with(
        account_of(&world, "chosen@example.com"),
        &json!({"batch": chosen}),
    );
    let made = connect(&world, &tenant, &body).await;
    assert_eq!(made.body["batch"], chosen, "{made:?}");
    let path = format!("/v1/storages/{}", made.id());
    let before = send(world.of(&tenant, "GET", &path)).await;
    assert_eq!(before.body["batch"], chosen);

    let patch = async |body: &Value| {
        let changed = send(world.of(&tenant, "PATCH", &path).json(body)).await;
        assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
        changed
    };
    let renamed = patch(&json!({"name": "renamed"})).await;
    assert_eq!(renamed.body["batch"], chosen);
    // What is left out of a choice is the server's again.
    let changed = patch(&json!({"batch": {"mode": "off"}})).await;
    let off = json!({"mode": "off", "size": 0, "timeout_seconds": 0});
    assert_eq!(changed.body["batch"], off);
    assert_ne!(changed.header("etag"), renamed.header("etag"));
    let shown = send(world.of(&tenant, "GET", &path)).await;
    assert_eq!(shown.body["batch"], off);
    assert_eq!(patch(&json!({"batch": {}})).await.body["batch"], usual);
}

#[tokio::test]
async fn the_next_run_makes_items_as_it_was_chosen() {
    let world = World::new(0).await;
    let tenant = world.tenant("Acme").await;
    let google = world.account(&tenant).await;
    let choice = json!({"batch": {"size": 7, "timeout_seconds": 600}});
    let path = format!("/v1/storages/{google}");
    send(world.of(&tenant, "PATCH", &path).json(&choice)).await;
    let (folder, photos) = pictures(&world, &tenant, "pictures").await;
    put_photos(&photos, "", 0..16);
    let plan = ask_plan(&world, &tenant, (&folder, &google), &json!({})).await;
    run(&world, &tenant, &plan.id(), "succeeded").await;
    let calls = world.google.ledger(Some(CallKind::BatchCreate), 0, 100);
    let mut sizes: Vec<u32> = calls.iter().map(|call| call.items).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [2, 7, 7]);
}

#[tokio::test]
async fn a_choice_that_cannot_be_meant_is_pointed_at() {
    let world = World::new(0).await;
    let tenant = world.tenant("Acme").await;
    let google = world.account(&tenant).await;
    let path = format!("/v1/storages/{google}");
    let before = send(world.of(&tenant, "GET", &path)).await;
    world.google.reset_ledger();
    for (batch, pointer, words) in [
        (json!({"size": 50}), "/batch/size", "1 to 49"),
        (json!({"size": 300}), "/batch/size", ""),
        (json!({"size": -1}), "/batch/size", ""),
        (
            json!({"timeout_seconds": 3_601}),
            "/batch/timeout_seconds",
            "1 to 3600",
        ),
        (json!({"mode": "often"}), "/batch/mode", ""),
        (json!({"sise": 5}), "/batch/sise", "unknown field"),
        (json!(5), "/batch", ""),
    ] {
        let choice = json!({ "batch": batch });
        let changed = world.of(&tenant, "PATCH", &path).json(&choice);
        assert_refused(&send(changed).await, pointer, words);
        let form = with(account_of(&world, "new@example.com"), &choice);
        assert_refused(&connect(&world, &tenant, &form).await, pointer, words);
        let tested = world.of(&tenant, "POST", "/v1/storages/test").json(&form);
        assert_refused(&send(tested).await, pointer, words);
    }
    let after = send(world.of(&tenant, "GET", &path)).await;
    assert_eq!(after.header("etag"), before.header("etag"));
    let storages = send(world.of(&tenant, "GET", "/v1/storages")).await;
    assert_eq!(storages.body["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(world.google.ledger(None, 0, 10).len(), 0);
}

#[tokio::test]
async fn only_an_account_makes_items() {
    let world = World::new(0).await;
    let tenant = world.tenant("Acme").await;
    let bucket = json!({
        "kind": "s3", "name": "bucket", "bucket": "b", "endpoint": "https://s3.example.com",
        "region": "eu", "access_key_id": "AKIAEXAMPLE", "secret_access_key": "not-a-secret",
    });
    let folder = json!({"kind": "local_folder", "name": "folder", "path": world.dir.path()});
    let choice = json!({"batch": {"mode": "off"}});
    for place in [bucket, folder] {
        let refused = connect(&world, &tenant, &with(place.clone(), &choice)).await;
        assert_refused(&refused, "/batch", "does not belong");
        let id = connect(&world, &tenant, &place).await.id();
        let path = format!("/v1/storages/{id}");
        let changed = send(world.of(&tenant, "PATCH", &path).json(&choice)).await;
        assert_refused(&changed, "/batch", "google photos");
        let shown = send(world.of(&tenant, "GET", &path)).await;
        assert_eq!(shown.body["batch"], Value::Null);
    }
}
