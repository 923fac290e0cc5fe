//! Runs of what a person picks: asked for, waited for, and gone on by themselves.

use reqwest::StatusCode;
use serde_json::json;
use tintype_emulator::{CallKind, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET};
use tintype_runtime::HttpSettings;

use crate::world::{World, send};

#[tokio::test]
async fn who_signed_in_picks_behind_the_runs_link_and_it_goes_on() {
    let world = World::new(8).await;
    let tenant = world.tenant("Acme").await;
    let body = json!({"name": "family", "client_id": DEFAULT_CLIENT_ID,
                      "client_secret": DEFAULT_CLIENT_SECRET});
    let begun = send(
        world
            .of(&tenant, "POST", "/v1/storages/sign-in")
            .json(&body),
    )
    .await;
    let browser = HttpSettings::default().client().expect("a client");
    let consent = begun.body["url"].as_str().expect("a url");
    let form = [("account", DEFAULT_ACCOUNT), ("decision", "allow")];
    let sent_back = browser.post(consent).form(&form).send().await;
    let sent_back = sent_back.expect("an answer");
    let back = sent_back.headers()["location"].to_str().expect("text");
    let connected = browser.get(back).send().await.expect("a page");
    assert_eq!(connected.status(), StatusCode::OK);

    let folder = world.folder(&tenant).await;
    let plan =
        json!({"name": "backup", "source": begun.body["storage"]["id"], "destination": folder});
    let plan = send(world.of(&tenant, "POST", "/v1/plans").json(&plan)).await;
    let path = format!("/v1/plans/{}/runs", plan.id());
    let run = send(
        world
            .of(&tenant, "POST", &path)
            .json(&json!({"mode": "picks"})),
    )
    .await;
    assert_eq!(run.body["mode"], "picks", "{run:?}");
    let run = run.id();
    let waiting = world.until(&tenant, &run, &["waiting_user"]).await;
    assert_eq!(waiting["reason"]["code"], "pick_awaited", "{waiting}");
    assert!(waiting["pick"]["expires_at"].is_string(), "{waiting}");
    let window = waiting["pick"]["uri"].as_str().expect("a link");
    let picked = browser.post(window).form(&[("newest", "3")]).send().await;
    assert_eq!(picked.expect("an answer").status(), StatusCode::OK);
    let over = world.until(&tenant, &run, &["succeeded", "failed"]).await;
    assert_eq!(over["state"], "succeeded", "{over}");
    assert_eq!(over["progress"]["stored"], 3, "{over}");
    assert_eq!(over["pick"], json!(null));
    assert_eq!(world.google.calls(CallKind::Search), 0);
}
