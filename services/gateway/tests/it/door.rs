//! Who gets in, and to what.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tintype_gateway::{Reach, endpoints};
use tintype_ports::rate_limit::Rate;

use crate::world::{World, send};

#[tokio::test]
async fn no_route_opens_without_the_token() {
    let world = World::new(1).await;
    let closed = endpoints().into_iter().filter(|it| it.2 != Reach::Anybody);
    for (method, path, _) in closed {
        for token in ["", "wrong", "operator-0123456789abcdef0123456789abcde"] {
            let asked = world.bare(method, path).bearer_auth(token);
            let answer = send(asked.header("tintype-tenant", "ten_0")).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert_eq!(answer.body["code"], "unauthenticated");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
}

/// Something of one tenant's for each kind of id in a path.
async fn thing(world: &World, tenant: &str, path: &str) -> String {
    let plan = world.plan(tenant).await;
    let run = world.run(tenant, &plan).await;
    let storages = send(world.of(tenant, "GET", "/v1/storages")).await;
    let storage = storages.body["data"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    match path.split('/').nth(2).expect("a resource") {
        "plans" => plan,
        "runs" => run,
        "storages" => storage,
        other => panic!("no thing for {other}: add it"),
    }
}

/// The tenant's storages, without how their tokens are: its own run uses them meanwhile.
async fn storages(world: &World, tenant: &str) -> Value {
    let mut list = send(world.of(tenant, "GET", "/v1/storages")).await.body;
    for storage in list["data"].as_array_mut().expect("storages") {
        storage.as_object_mut().expect("fields").remove("health");
    }
    list
}

#[tokio::test]
async fn another_tenants_things_are_not_there() {
    let world = World::new(1).await;
    let stranger = world.tenant("Stranger").await;
    let things = endpoints().into_iter();
    for (method, path, _) in things.filter(|it| it.2 == Reach::Tenant && it.1.contains('{')) {
        let owner = world.tenant("Owner").await;
        let id = thing(&world, &owner, path).await;
        let before = storages(&world, &owner).await;
        let nobody = format!("{}{}", &id[..4], "0".repeat(32));
        for id in [&id, &nobody, "%00", "ten_1"] {
            let asked = world.of(&stranger, method, &path.replace("{id}", id));
            let answer = match method {
                "PUT" => send(asked.json(&world.credential())).await,
                "POST" if path.ends_with("/sign-in") => send(asked.json(&json!({}))).await,
                "POST" if path.ends_with("/runs") => send(asked.json(&json!({}))).await,
                "PATCH" => send(asked.json(&json!({"name": "mine"}))).await,
                _ => send(asked).await,
            };
            assert_eq!(
                answer.status,
                StatusCode::NOT_FOUND,
                "{method} {path} {id}: {answer:?}"
            );
        }
        assert_eq!(storages(&world, &owner).await, before);
    }
    let list = send(world.of(&stranger, "GET", "/v1/runs")).await;
    assert_eq!(list.body["data"], json!([]));
}

#[tokio::test]
async fn another_tenants_ids_in_bodies_and_queries_open_nothing() {
    let world = World::new(1).await;
    let (owner, stranger) = (world.tenant("Owner").await, world.tenant("Stranger").await);
    let (source, destination) = (world.account(&owner).await, world.folder(&owner).await);
    let (own_source, own_destination) = (
        world.account(&stranger).await,
        world.folder(&stranger).await,
    );
    for (source, destination) in [
        (&source, &destination),
        (&own_source, &destination),
        (&source, &own_destination),
    ] {
        let body = json!({"name": "mine", "source": source, "destination": destination});
        let refused = send(world.of(&stranger, "POST", "/v1/plans").json(&body)).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{refused:?}");
    }
    let plans = send(world.of(&stranger, "GET", "/v1/plans")).await;
    assert_eq!(plans.body["data"], json!([]));
    let folder = world.dir.path().join(format!("archive-{owner}"));
    assert_eq!(std::fs::read_dir(folder).expect("a folder").count(), 0);
}

#[tokio::test]
async fn a_request_says_which_tenant_it_is_for() {
    let world = World::new(1).await;
    let unsaid = send(world.ask("GET", "/v1/runs")).await;
    assert_eq!(unsaid.status, StatusCode::BAD_REQUEST);
    assert_eq!(unsaid.body["code"], "tenant_missing");
    for named in ["nonsense", "ten_00000000000000000000000000000000"] {
        let unknown = send(world.of(named, "GET", "/v1/runs")).await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND, "{unknown:?}");
    }
}

#[tokio::test]
async fn a_tenant_that_asks_too_often_waits_and_others_do_not() {
    let world = World::with(1, |gateway| {
        gateway.limits.rate = Rate {
            burst: 3,
            interval: std::time::Duration::from_secs(100),
        };
    })
    .await;
    let (busy, quiet) = (world.tenant("Busy").await, world.tenant("Quiet").await);
    for left in (0..3).rev() {
        let answer = send(world.of(&busy, "GET", "/v1/plans")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(
            answer.header("ratelimit"),
            format!("\"default\";r={left};t={}", 100 * (3 - left))
        );
    }
    let waits = send(world.of(&busy, "GET", "/v1/plans")).await;
    assert_eq!(waits.status, StatusCode::TOO_MANY_REQUESTS);
    let seconds: u64 = waits.header("retry-after").parse().expect("seconds");
    assert!((1..=101).contains(&seconds));
    assert_eq!(waits.header("ratelimit-policy"), "\"default\";q=3;w=300");
    assert_eq!(
        send(world.of(&quiet, "GET", "/v1/plans")).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn what_the_operator_forbids_is_refused() {
    let world = World::with(1, |gateway| {
        gateway.policy.local_folders = false;
        gateway.policy.private_addresses = false;
    })
    .await;
    let tenant = world.tenant("Acme").await;
    let folder = json!({"kind": "local_folder", "name": "f", "path": "/tmp"});
    let bucket = |endpoint: &str| -> Value {
        json!({"kind": "s3", "name": "b", "bucket": "b", "endpoint": endpoint, "region": "eu",
               "access_key_id": "a", "secret_access_key": "s"})
    };
    for (body, pointer) in [
        (folder, "/kind"),
        (bucket("https://169.254.169.254/"), "/endpoint"),
        (bucket("https://2130706433/"), "/endpoint"),
        (bucket("http://s3.example.com/"), "/endpoint"),
    ] {
        let refused = send(world.of(&tenant, "POST", "/v1/storages").json(&body)).await;
        assert_eq!(
            refused.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{refused:?}"
        );
        assert_eq!(refused.body["errors"][0]["pointer"], pointer);
    }
    let list = send(world.of(&tenant, "GET", "/v1/storages")).await;
    assert_eq!(list.body["data"], json!([]));
}
