//! Connecting an account by signing in at Google, and its end.

use reqwest::{Client, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};
use tintype_emulator::{
    CallKind, ClientConfig, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET,
};
use tintype_ports::vault::OAuthClient;
use tintype_runtime::HttpSettings;

use crate::world::{World, send};

/// The person's browser, which follows Google's redirect by itself.
struct Browser(Client);

impl Browser {
    fn new() -> Self {
        Self(HttpSettings::default().client().expect("a client"))
    }

    /// Answers the consent page; says where Google sends the person then.
    async fn consent(&self, url: &str, account: &str, decision: &str) -> String {
        let shown = self.0.get(url).send().await.expect("the consent page");
        assert_eq!(shown.status(), StatusCode::OK);
        let form = [("account", account), ("decision", decision)];
        let answer = self.0.post(url).form(&form).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), StatusCode::FOUND);
        let back = answer.headers()["location"].to_str().expect("text");
        back.to_owned()
    }

    async fn open(&self, url: &str) -> (StatusCode, String) {
        let page = self.0.get(url).send().await.expect("a page");
        let kind = page.headers()["content-type"].to_str().expect("text");
        assert_eq!(kind, "text/html; charset=utf-8");
        (page.status(), page.text().await.expect("text"))
    }
}

async fn begin(world: &World, tenant: &str) -> (String, String) {
    let body = json!({"name": "family", "client_id": DEFAULT_CLIENT_ID,
                      "client_secret": DEFAULT_CLIENT_SECRET});
    let begun = send(world.of(tenant, "POST", "/v1/storages/sign-in").json(&body)).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
    let storage = begun.body["storage"]["id"].as_str().expect("an id");
    let url = begun.body["url"].as_str().expect("a url");
    (storage.to_owned(), url.to_owned())
}

async fn again(world: &World, tenant: &str, storage: &str, body: Value) -> String {
    let path = format!("/v1/storages/{storage}/sign-in");
    let begun = send(world.of(tenant, "POST", &path).json(&body)).await;
    assert_eq!(begun.status, StatusCode::OK, "{begun:?}");
    begun.body["url"].as_str().expect("a url").to_owned()
}

async fn credential(world: &World, tenant: &str, storage: &str) -> Value {
    let path = format!("/v1/storages/{storage}");
    let shown = send(world.of(tenant, "GET", &path)).await;
    assert_eq!(shown.status, StatusCode::OK, "{shown:?}");
    shown.body["credential"].clone()
}

async fn passes(world: &World, tenant: &str, storage: &str) -> bool {
    let path = format!("/v1/storages/{storage}/test");
    let tested = send(world.of(tenant, "POST", &path)).await;
    tested.body["passed"].as_bool().expect("an end")
}

#[tokio::test]
async fn a_person_signs_in_and_the_account_is_connected() {
    let world = World::new(3).await;
    let tenant = world.tenant("Acme").await;
    let (storage, url) = begin(&world, &tenant).await;
    for part in [
        "code_challenge_method=S256",
        "access_type=offline",
        "prompt=consent",
        "scope=openid+",
        "oauth%2Fcallback",
    ] {
        assert!(url.contains(part), "{part}: {url}");
    }
    assert!(!url.contains(DEFAULT_CLIENT_SECRET));
    assert_eq!(credential(&world, &tenant, &storage).await, Value::Null);
    assert!(!passes(&world, &tenant, &storage).await);

    let browser = Browser::new();
    let back = browser.consent(&url, DEFAULT_ACCOUNT, "allow").await;
    let (status, page) = browser.open(&back).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert!(page.contains("family is connected"), "{page}");
    let known = credential(&world, &tenant, &storage).await;
    assert_eq!(known["public_id"], DEFAULT_CLIENT_ID, "{known}");
    assert!(passes(&world, &tenant, &storage).await);

    let tokens = world.google.calls(CallKind::Token);
    let (status, page) = browser.open(&back).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
    assert!(page.contains("no sign-in waits for this answer"), "{page}");
    assert_eq!(
        world.google.calls(CallKind::Token),
        tokens,
        "google was not asked"
    );
    assert_eq!(credential(&world, &tenant, &storage).await, known);
}

#[tokio::test]
async fn forged_answers_and_a_no_connect_nothing() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let (storage, url) = begin(&world, &tenant).await;
    let browser = Browser::new();
    for query in [
        "",
        "?code=4/x",
        "?state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&code=4/x",
        "?state=%00&error=access_denied",
    ] {
        let url = format!("http://{}/oauth/callback{query}", world.address());
        let (status, page) = browser.open(&url).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{query}: {page}");
    }
    let back = browser.consent(&url, DEFAULT_ACCOUNT, "deny").await;
    let (status, page) = browser.open(&back).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{page}");
    assert!(
        page.contains("google gave no consent: access_denied"),
        "{page}"
    );
    assert_eq!(credential(&world, &tenant, &storage).await, Value::Null);
    // Whatever comes in the address is text on the page.
    let url = again(
        &world,
        &tenant,
        &storage,
        json!({"client_id": DEFAULT_CLIENT_ID,
        "client_secret": DEFAULT_CLIENT_SECRET}),
    )
    .await;
    let state = url.split("state=").nth(1).expect("a state");
    let state = state.split('&').next().expect("a state");
    let hostile = format!(
        "http://{}/oauth/callback?state={state}&error=%3Cscript%3Ealert(1)%3C/script%3E",
        world.address()
    );
    let (_, page) = browser.open(&hostile).await;
    assert!(
        page.contains("&lt;script&gt;") && !page.contains("<script>"),
        "{page}"
    );
}

#[tokio::test]
async fn another_person_is_refused_unless_that_was_said() {
    let world = World::new(1).await;
    world.google.add_account("bob@example.com");
    let tenant = world.tenant("Acme").await;
    let (storage, url) = begin(&world, &tenant).await;
    let browser = Browser::new();
    let back = browser.consent(&url, DEFAULT_ACCOUNT, "allow").await;
    assert_eq!(browser.open(&back).await.0, StatusCode::OK);
    let before = credential(&world, &tenant, &storage).await;

    let url = again(&world, &tenant, &storage, json!({})).await;
    let back = browser.consent(&url, "bob@example.com", "allow").await;
    let (status, page) = browser.open(&back).await;
    assert_eq!(status, StatusCode::CONFLICT, "{page}");
    assert!(page.contains("another google account"), "{page}");
    assert_eq!(credential(&world, &tenant, &storage).await, before);

    let url = again(&world, &tenant, &storage, json!({"other_account": true})).await;
    let back = browser.consent(&url, "bob@example.com", "allow").await;
    assert_eq!(browser.open(&back).await.0, StatusCode::OK);
    let after = credential(&world, &tenant, &storage).await;
    assert!(
        after["version"].as_i64() > before["version"].as_i64(),
        "{after}"
    );
}

#[tokio::test]
async fn a_run_that_waited_goes_on_after_a_new_sign_in() {
    let world = World::new(3).await;
    let tenant = world.tenant("Acme").await;
    let (storage, url) = begin(&world, &tenant).await;
    let browser = Browser::new();
    let back = browser.consent(&url, DEFAULT_ACCOUNT, "allow").await;
    browser.open(&back).await;
    let folder = world.folder(&tenant).await;
    let plan = json!({"name": "backup", "source": storage, "destination": folder});
    let plan = send(world.of(&tenant, "POST", "/v1/plans").json(&plan))
        .await
        .id();
    world
        .google
        .revoke_all(DEFAULT_ACCOUNT, None)
        .expect("revoked");
    world.google.expire_access_tokens();
    let run = world.run(&tenant, &plan).await;
    world.until(&tenant, &run, &["waiting_auth"]).await;
    let url = again(&world, &tenant, &storage, json!({})).await;
    let back = browser.consent(&url, DEFAULT_ACCOUNT, "allow").await;
    assert_eq!(browser.open(&back).await.0, StatusCode::OK);
    world.until(&tenant, &run, &["succeeded"]).await;
}

#[tokio::test]
async fn the_operators_client_serves_tenants_that_bring_none() {
    let world = World::with(1, |gateway| {
        gateway.sign_in.client = Some(OAuthClient {
            id: DEFAULT_CLIENT_ID.into(),
            secret: SecretString::from(DEFAULT_CLIENT_SECRET),
        });
    })
    .await;
    let tenant = world.tenant("Acme").await;
    let body = json!({"name": "family"});
    let begun = send(
        world
            .of(&tenant, "POST", "/v1/storages/sign-in")
            .json(&body),
    )
    .await;
    assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
    let url = begun.body["url"].as_str().expect("a url");
    let browser = Browser::new();
    let back = browser.consent(url, DEFAULT_ACCOUNT, "allow").await;
    assert_eq!(browser.open(&back).await.0, StatusCode::OK);
}

#[tokio::test]
async fn what_is_missing_for_a_sign_in_is_told_at_once() {
    let world = World::with(1, |gateway| gateway.sign_in.public_url = None).await;
    let tenant = world.tenant("Acme").await;
    let body = json!({"name": "family"});
    let closed = send(
        world
            .of(&tenant, "POST", "/v1/storages/sign-in")
            .json(&body),
    )
    .await;
    assert_eq!(closed.body["code"], "sign_in_unavailable", "{closed:?}");

    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    for (body, pointer) in [
        (json!({"name": "x"}), "/client_id"),
        (
            json!({"name": "x", "client_id": DEFAULT_CLIENT_ID}),
            "/client_secret",
        ),
        (
            json!({"name": "x", "client_id": "abc", "client_secret": "s"}),
            "/client_id",
        ),
        (
            json!({"name": "", "client_id": DEFAULT_CLIENT_ID, "client_secret": "s"}),
            "/name",
        ),
    ] {
        let refused = send(
            world
                .of(&tenant, "POST", "/v1/storages/sign-in")
                .json(&body),
        )
        .await;
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{refused:?}");
    }
    let list = send(world.of(&tenant, "GET", "/v1/storages")).await;
    assert_eq!(list.body["data"], json!([]));
}

#[tokio::test]
async fn a_wrong_client_secret_is_told_to_the_person() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let (_, url) = begin(&world, &tenant).await;
    let browser = Browser::new();
    let back = browser.consent(&url, DEFAULT_ACCOUNT, "allow").await;
    world.google.add_client(ClientConfig {
        client_secret: "GOCSPX-the-new-one".into(),
        ..ClientConfig::default()
    });
    let (status, page) = browser.open(&back).await;
    assert_eq!(status, StatusCode::CONFLICT, "{page}");
    assert!(page.contains("client id and secret"), "{page}");
}

#[tokio::test]
async fn what_is_disconnected_is_over_at_google_and_what_is_removed_is_gone() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let account = world.account(&tenant).await;
    let (of_account, test) = (
        format!("/v1/storages/{account}"),
        format!("/v1/storages/{account}/test"),
    );
    assert_eq!(
        send(world.of(&tenant, "POST", &test)).await.body["passed"],
        true
    );
    let disconnect = format!("/v1/storages/{account}/disconnect");
    let done = send(world.of(&tenant, "POST", &disconnect)).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{done:?}");
    assert_eq!(world.google.calls(CallKind::Revoke), 1);
    assert_eq!(credential(&world, &tenant, &account).await, Value::Null);
    let tested = send(world.of(&tenant, "POST", &test)).await.body;
    assert_eq!(tested["checks"][0]["result"], "failed", "{tested}");
    let gone = send(world.of(&tenant, "DELETE", &of_account)).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{gone:?}");
    let missing = send(world.of(&tenant, "GET", &of_account)).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);

    let other = world.tenant("Other").await;
    let plan = world.plan(&other).await;
    let plan = send(world.of(&other, "GET", &format!("/v1/plans/{plan}")))
        .await
        .body;
    for field in ["source", "destination"] {
        let path = format!("/v1/storages/{}", plan[field].as_str().expect("an id"));
        let used = send(world.of(&other, "DELETE", &path)).await;
        assert_eq!(used.status, StatusCode::CONFLICT, "{used:?}");
        assert!(
            used.body["detail"]
                .as_str()
                .expect("text")
                .contains("backup"),
            "{used:?}"
        );
    }
    assert_eq!(
        world.google.calls(CallKind::Revoke),
        1,
        "nothing was given back"
    );
}
