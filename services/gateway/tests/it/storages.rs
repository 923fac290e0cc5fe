//! Changing a storage that is connected.

use reqwest::StatusCode;
use serde_json::json;
use tintype_emulator::CallKind;

use crate::world::{World, send};

#[tokio::test]
async fn a_storage_is_renamed_and_its_options_changed() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let account = world.account(&tenant).await;
    let path = format!("/v1/storages/{account}");
    let before = send(world.of(&tenant, "GET", &path)).await;
    assert_eq!(before.body["start_year"], 2000, "{before:?}");
    assert_eq!(before.body["read_only"], false);
    let change = json!({"name": "family", "start_year": 1990, "read_only": true,
                        "include_archived": true, "read_size": true});
    let patch = || world.of(&tenant, "PATCH", &path);
    let stale = patch().header("if-match", "\"0123\"").json(&change);
    assert_eq!(send(stale).await.status, StatusCode::PRECONDITION_FAILED);
    let seen = before.header("etag").to_owned();
    let changed = send(patch().header("if-match", &seen).json(&change)).await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    for (field, value) in change.as_object().expect("fields") {
        assert_eq!(&changed.body[field], value, "{changed:?}");
    }
    let mut after = send(world.of(&tenant, "GET", &path)).await;
    let fields = after.body.as_object_mut().expect("fields");
    assert!(fields.remove("credential").is_some());
    assert!(fields.remove("health").is_some());
    assert_eq!(after.body, changed.body);
    assert_eq!(after.header("etag"), changed.header("etag"));
    assert_ne!(after.header("etag"), seen);

    for (body, pointer) in [
        (json!({"start_year": 1700}), "/start_year"),
        (json!({"name": " "}), "/name"),
        (json!({"project": "1"}), "/project"),
    ] {
        let refused = send(patch().json(&body)).await;
        assert_eq!(
            refused.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{refused:?}"
        );
        assert_eq!(refused.body["errors"][0]["pointer"], pointer);
    }
    let still = send(world.of(&tenant, "GET", &path)).await;
    assert_eq!(still.header("etag"), after.header("etag"));
}

#[tokio::test]
async fn what_belongs_to_another_kind_or_is_missing_is_pointed_at() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    for (body, pointer) in [
        (
            json!({"kind": "local_folder", "path": "/srv", "bucket": "b"}),
            "/bucket",
        ),
        (
            json!({"kind": "local_folder", "path": "/srv", "read_size": true}),
            "/read_size",
        ),
        (json!({"kind": "local_folder"}), "/path"),
        (json!({"kind": "google_photos", "path": "/srv"}), "/path"),
        (json!({"kind": "google_photos"}), "/credential"),
        (
            json!({"kind": "s3", "endpoint": "https://s3.example.com"}),
            "/bucket",
        ),
        (json!({"kind": "webdav"}), "/kind"),
    ] {
        let mut body = body;
        body["name"] = json!("x");
        let refused = send(world.of(&tenant, "POST", "/v1/storages").json(&body)).await;
        assert_eq!(
            refused.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{refused:?}"
        );
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{refused:?}");
    }
}

#[tokio::test]
async fn a_folder_has_a_name_to_change_and_no_options_of_an_account() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    world.account(&tenant).await;
    let path = format!("/v1/storages/{}", world.folder(&tenant).await);
    let patch = |body| world.of(&tenant, "PATCH", &path).json(&body);
    let refused = send(patch(json!({"read_only": true}))).await;
    assert_eq!(
        refused.body["errors"][0]["pointer"], "/read_only",
        "{refused:?}"
    );
    let taken = send(patch(json!({"name": "photos"}))).await;
    assert_eq!(taken.body["errors"][0]["pointer"], "/name", "{taken:?}");
    let renamed = send(patch(json!({"name": "attic"}))).await;
    assert_eq!(renamed.body["name"], "attic", "{renamed:?}");
}

/// A routine run would stop at the first page without news, and never come to what is wanted now.
#[tokio::test]
async fn after_a_change_of_what_is_listed_the_next_run_lists_everything() {
    let world = World::new(3).await;
    let tenant = world.tenant("Acme").await;
    let plan = world.plan(&tenant).await;
    let storages = send(world.of(&tenant, "GET", "/v1/storages")).await;
    let account = storages.body["data"][0]["id"].as_str().expect("an id");
    let path = format!("/v1/storages/{account}");
    let routine = async || {
        let asked = world.of(&tenant, "POST", &format!("/v1/plans/{plan}/runs"));
        let run = send(asked.json(&json!({"mode": "routine"}))).await.id();
        let ended = world.until(&tenant, &run, &["succeeded"]).await;
        ended["mode"].as_str().expect("a mode").to_owned()
    };
    assert_eq!(routine().await, "full", "the first one is");
    assert_eq!(routine().await, "routine");
    let change = json!({"read_size": true});
    send(world.of(&tenant, "PATCH", &path).json(&change)).await;
    assert_eq!(routine().await, "routine");
    for change in [
        json!({"start_year": 1990}),
        json!({"include_archived": true}),
    ] {
        let changed = send(world.of(&tenant, "PATCH", &path).json(&change)).await;
        assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
        assert_eq!(routine().await, "full");
        assert_eq!(routine().await, "routine");
    }
    assert_eq!(
        world.google.ledger(Some(CallKind::Download), 0, 100).len(),
        3
    );
}
