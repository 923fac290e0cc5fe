//! Calls that are repeated under an idempotency key.

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::world::{Answer, World, send};

async fn make(world: &World, key: &str, body: &Value) -> Answer {
    let asked = world
        .ask("POST", "/v1/tenants")
        .header("idempotency-key", key);
    send(asked.json(body)).await
}

async fn tenants(world: &World) -> usize {
    let list = send(world.ask("GET", "/v1/tenants")).await;
    list.body["data"].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_equal_calls_at_once_have_one_effect() {
    let world = World::new(1).await;
    let body = json!({"name": "Acme"});
    let answers = join_all((0..100).map(|_| make(&world, "only-one", &body))).await;
    let (made, told): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|it| it.status == StatusCode::CREATED);
    for answer in &told {
        assert_eq!(answer.status, StatusCode::CONFLICT, "{answer:?}");
        assert_eq!(answer.body["code"], "idempotency_under_way");
        assert_eq!(answer.header("retry-after"), "1");
    }
    let first = &made.first().expect("one that made it").body;
    assert!(made.iter().all(|it| it.body == *first));
    let replayed = |it: &&Answer| it.header("idempotency-replayed") == "true";
    assert_eq!(made.iter().filter(replayed).count(), made.len() - 1);
    assert_eq!(tenants(&world).await, 1);
}

#[tokio::test]
async fn the_answer_is_the_same_again_even_after_the_thing_changed() {
    let world = World::new(1).await;
    let body = json!({"name": "Acme"});
    let first = make(&world, "k", &body).await;
    let path = format!("/v1/tenants/{}", first.id());
    let changed = world.ask("PATCH", &path).json(&json!({"name": "Other"}));
    assert_eq!(send(changed).await.status, StatusCode::OK);
    let again = make(&world, "k", &body).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.header("etag"), first.header("etag"));
    assert_eq!(again.header("content-type"), "application/json");
    assert_ne!(again.header("request-id"), first.header("request-id"));
}

#[tokio::test]
async fn a_key_stands_for_one_call_of_one_tenant() {
    let world = World::new(1).await;
    let acme = make(&world, "k", &json!({"name": "Acme"})).await.id();
    let other = make(&world, "k", &json!({"name": "Other"})).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.body["code"], "idempotency_key_reused");
    assert_eq!(tenants(&world).await, 1);
    // The same key, of a tenant and not of the install.
    let folder = json!({"kind": "local_folder", "name": "f", "path": world.dir.path()});
    let connect = |tenant: &str| {
        let asked = world.of(tenant, "POST", "/v1/storages");
        send(asked.header("idempotency-key", "k").json(&folder))
    };
    let first = connect(&acme).await.id();
    assert_eq!(connect(&acme).await.id(), first);
    let stranger = world.tenant("Stranger").await;
    assert_ne!(connect(&stranger).await.id(), first);
}

#[tokio::test]
async fn what_was_refused_may_be_asked_again_when_it_is_mended() {
    let world = World::new(1).await;
    let refused = make(&world, "k", &json!({"name": " "})).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.body["errors"][0]["pointer"], "/name");
    make(&world, "k", &json!({"name": "Acme"})).await.id();
    for key in ["", "two words", &"k".repeat(256)] {
        let answer = make(&world, key, &json!({"name": "Acme"})).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{key:.9}");
        assert_eq!(answer.body["code"], "bad_idempotency_key");
    }
    assert_eq!(tenants(&world).await, 1);
}

#[tokio::test]
async fn a_run_is_started_once_however_often_it_is_asked_for() {
    let world = World::new(3).await;
    let tenant = world.tenant("Acme").await;
    let plan = world.plan(&tenant).await;
    let path = format!("/v1/plans/{plan}/runs");
    let start = || {
        let asked = world.of(&tenant, "POST", &path);
        send(asked.header("idempotency-key", "tonight").json(&json!({})))
    };
    let run = start().await.id();
    world.until(&tenant, &run, &["succeeded"]).await;
    // Without the key this would be a second run.
    assert_eq!(start().await.id(), run);
    let list = send(world.of(&tenant, "GET", "/v1/runs")).await;
    assert_eq!(list.body["data"].as_array().map(Vec::len), Some(1));
}
