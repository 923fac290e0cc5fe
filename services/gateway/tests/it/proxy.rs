//! The option `proxy` of an account: set, shown, taken back, refused, tested.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tintype_emulator::{CallKind, Effect, Fault};
use tintype_model::storage::StoragePolicy;

use crate::world::{Answer, World, send};

fn form(world: &World, proxy: &str) -> Value {
    json!({"kind": "google_photos", "name": "photos", "credential": world.credential(), "proxy": proxy})
}

async fn test_new(world: &World, tenant: &str, proxy: &str) -> Value {
    let body = form(world, proxy);
    let asked = world.of(tenant, "POST", "/v1/storages/test").json(&body);
    let answer = send(asked).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.body
}

fn last(answer: &Value) -> &Value {
    let checks = answer["checks"].as_array().expect("checks");
    checks.last().expect("a line")
}

#[track_caller]
fn assert_refused(answer: &Answer, words: &str) {
    assert_eq!(
        answer.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{answer:?}"
    );
    let error = &answer.body["errors"][0];
    assert_eq!(error["pointer"], "/proxy", "{answer:?}");
    assert!(
        error["detail"].as_str().expect("text").contains(words),
        "{answer:?}"
    );
    assert!(!answer.body.to_string().contains("hunter2"), "{answer:?}");
}

#[tokio::test]
async fn a_proxy_is_set_shown_changed_and_taken_back() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let body = form(&world, "http://127.0.0.1:8282/");
    let made = send(world.of(&tenant, "POST", "/v1/storages").json(&body)).await;
    assert_eq!(made.body["proxy"], "http://127.0.0.1:8282", "{made:?}");
    let path = format!("/v1/storages/{}", made.id());
    let change = async |body: Value| send(world.of(&tenant, "PATCH", &path).json(&body)).await;
    let changed = change(json!({"proxy": "https://photos.example/dl/"})).await;
    assert_eq!(
        changed.body["proxy"], "https://photos.example/dl",
        "{changed:?}"
    );
    let other = change(json!({"read_size": true})).await;
    assert_eq!(
        other.body["proxy"], "https://photos.example/dl",
        "{other:?}"
    );
    let shown = send(world.of(&tenant, "GET", &path)).await;
    assert_eq!(shown.body["proxy"], "https://photos.example/dl");
    let cleared = change(json!({"proxy": null})).await;
    assert_eq!(cleared.status, StatusCode::OK, "{cleared:?}");
    let shown = send(world.of(&tenant, "GET", &path)).await;
    assert_eq!(shown.body.get("proxy"), None, "{shown:?}");

    let sign_in = json!({"name": "studio", "client_id": "12-a.apps.googleusercontent.com",
                         "client_secret": "s", "proxy": "http://127.0.0.1:8282"});
    let begun = send(
        world
            .of(&tenant, "POST", "/v1/storages/sign-in")
            .json(&sign_in),
    )
    .await;
    assert_eq!(
        begun.body["storage"]["proxy"], "http://127.0.0.1:8282",
        "{begun:?}"
    );
    let folder = world.folder(&tenant).await;
    let of_folder = world.of(&tenant, "PATCH", &format!("/v1/storages/{folder}"));
    let refused = send(of_folder.json(&json!({"proxy": "http://h"}))).await;
    assert_refused(&refused, "google photos");
}

/// Every way to set it: connecting, testing, signing in, changing.
async fn refused_everywhere(world: &World, tenant: &str, account: &str, proxy: &str, words: &str) {
    let mut whole = form(world, proxy);
    whole["name"] = json!("another");
    let sign_in = json!({"name": "a third", "client_id": "12-a.apps.googleusercontent.com",
                         "client_secret": "s", "proxy": proxy});
    let change = json!({ "proxy": proxy });
    let of_account = format!("/v1/storages/{account}");
    for (method, path, body) in [
        ("POST", "/v1/storages", &whole),
        ("POST", "/v1/storages/test", &whole),
        ("POST", "/v1/storages/sign-in", &sign_in),
        ("PATCH", of_account.as_str(), &change),
    ] {
        let answer = send(world.of(tenant, method, path).json(body)).await;
        assert_refused(&answer, words);
    }
}

#[tokio::test]
async fn what_is_no_address_of_a_proxy_is_pointed_at() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let account = world.account(&tenant).await;
    for (proxy, words) in [
        ("", "no address"),
        ("photos.example", "no address"),
        ("ftp://photos.example", "must begin with"),
        ("https://me:hunter2@photos.example", "name or password"),
        (
            "https://photos.example/?token=hunter2",
            "must end with the path",
        ),
        ("https://photos.example/#hunter2", "must end with the path"),
    ] {
        refused_everywhere(&world, &tenant, &account, proxy, words).await;
    }
    let number = json!({"proxy": 8282});
    let path = format!("/v1/storages/{account}");
    let answer = send(world.of(&tenant, "PATCH", &path).json(&number)).await;
    assert_refused(&answer, "a string");
}

#[tokio::test]
async fn where_tenants_are_strangers_no_spelling_of_an_address_inside_is_taken() {
    let world = World::with(1, |it| it.policy = StoragePolicy::STRANGERS).await;
    let tenant = world.tenant("Acme").await;
    let account = world.account(&tenant).await;
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "0",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "2852039166",
        "100.64.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fd12:3456::1]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:7f00:1::]",
        "localhost",
        "LOCALHOST.",
        "metadata.google.internal",
        "redis",
        "１２７.0.0.1",
        "127。0。0。1",
    ] {
        let proxy = format!("https://{host}:8282/");
        refused_everywhere(&world, &tenant, &account, &proxy, "private network").await;
    }
    let plain = "http://photos.example";
    refused_everywhere(&world, &tenant, &account, plain, "https://").await;
    let path = format!("/v1/storages/{account}");
    let public = json!({"proxy": "https://photos.example"});
    let taken = send(world.of(&tenant, "PATCH", &path).json(&public)).await;
    assert_eq!(taken.status, StatusCode::OK, "{taken:?}");
    assert_eq!(world.google.ledger(None, 0, 10).len(), 0);
}

/// The gateway looks at how an address is written, the engine at what it calls: here the first is laxer than the second.
#[tokio::test]
async fn an_address_inside_that_was_saved_all_the_same_is_not_called() {
    let world = World::reaching(2, false, |_| {}).await;
    let tenant = world.tenant("Acme").await;
    let answer = test_new(&world, &tenant, &world.download_proxy).await;
    let line = last(&answer);
    assert_eq!(
        (&line["name"], &line["result"], &line["code"]),
        (
            &json!("download proxy"),
            &json!("failed"),
            &json!("forbidden")
        ),
        "{answer}"
    );
    assert_eq!(world.google.calls(CallKind::Original), 0);
}

#[tokio::test]
async fn a_test_proves_the_proxy_with_an_items_bytes_and_costs_google_nothing_more() {
    let world = World::new(3).await;
    let tenant = world.tenant("Acme").await;
    let answer = test_new(&world, &tenant, &world.download_proxy).await;
    assert_eq!(answer["passed"], true, "{answer}");
    assert_eq!(answer["requests"], 3);
    assert_eq!(answer["checks"].as_array().map(Vec::len), Some(7));
    let line = last(&answer);
    assert_eq!(line["name"], "download proxy");
    assert_eq!(line["detail"], "an original of 8000 bytes promised");
    let asked = world.google.ledger(Some(CallKind::Original), 0, 10);
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].status, asked[0].range_start), (206, Some(0)));
    assert_eq!(world.google.calls(CallKind::Download), 1);
}

#[tokio::test]
async fn without_an_item_the_proxy_is_not_said_to_work() {
    let world = World::new(0).await;
    let tenant = world.tenant("Acme").await;
    let answer = test_new(&world, &tenant, &world.download_proxy).await;
    let line = last(&answer);
    assert_eq!(
        (&line["name"], &line["result"]),
        (&json!("download proxy"), &json!("skipped")),
        "{answer}"
    );
    assert!(
        line["detail"]
            .as_str()
            .expect("text")
            .contains("not be proven")
    );
    assert_eq!(answer["passed"], true);
}

#[tokio::test]
async fn each_trouble_with_a_proxy_has_a_way_out_of_its_own() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let status = |code| Effect::Status {
        code,
        message: None,
        retry_after: None,
    };
    let elsewhere = Effect::Redirect {
        to: "http://127.0.0.1:9/".into(),
    };
    let mut actions = Vec::new();
    for (effect, code, cause) in [
        (status(404), "not_found", "does not find"),
        (status(500), "unavailable", "status 500"),
        (status(403), "unavailable", "status 403"),
        (Effect::Hang, "unavailable", "no answer within 3 s"),
        (elsewhere, "corrupt", "redirects"),
        (Effect::Html, "corrupt", "text/html"),
        (Effect::DropBefore, "unavailable", "cannot be reached"),
        (Effect::Truncate { at: 0.0 }, "unavailable", "breaks off"),
    ] {
        let fault = Fault::on(CallKind::Original, effect);
        let fault = world.google.fault(fault);
        let answer = test_new(&world, &tenant, &world.download_proxy).await;
        world.google.clear_faults(Some(fault));
        let line = last(&answer);
        assert_eq!(
            (&line["result"], &line["code"]),
            (&json!("failed"), &json!(code)),
            "{line}"
        );
        assert!(
            line["detail"].as_str().expect("text").contains(cause),
            "{line}"
        );
        assert_eq!(answer["requests"], 3);
        actions.push(line["action"].as_str().expect("text").to_owned());
    }
    let count = actions.len();
    actions.sort();
    actions.dedup();
    assert_eq!(actions.len(), count, "{actions:#?}");

    // The proxy's own page is no original, whatever its status.
    let page = format!("{}/wrong/path", world.download_proxy);
    let answer = test_new(&world, &tenant, &page).await;
    assert_eq!(last(&answer)["code"], "corrupt", "{answer}");
    let nobody = test_new(&world, &tenant, "http://127.0.0.1:9").await;
    assert_eq!(last(&nobody)["code"], "unavailable", "{nobody}");
}
