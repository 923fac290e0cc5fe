//! A hosted install waits for a person to pick, looks in one process whether that is done, and fetches in another.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use tintype_emulator::{CallKind, SCOPE_PICKER, SCOPE_READ};
use tintype_runtime::HttpSettings;
use tokio::time::{Instant, sleep};

use super::{
    api::PATIENCE,
    install::{Install, Process},
    services::until_ready,
    whole::no_canary_in_logs,
};

#[tokio::test(flavor = "multi_thread")]
async fn picks_are_noticed_by_the_scheduler_and_fetched_by_a_worker() {
    let mut install = Install::new().await;
    let mut account = install.google.account(0, 40);
    let scopes = format!("{SCOPE_READ} {SCOPE_PICKER}");
    let grant = install
        .google
        .control
        .grant(&account.email, account.client_id, Some(&scopes));
    account.refresh_token = grant.expect("a grant").refresh_token;
    install.google.canaries.push(account.refresh_token.clone());
    let roles = ["vault", "worker", "scheduler", "gateway"];
    let processes: Vec<Process> = roles.map(|role| install.serve(role)).into();
    for process in &processes {
        until_ready(process).await;
    }
    let api = install.api();
    let mut customer = api.newcomer(account, install.dir.path()).await;
    let path = format!("/v1/plans/{}/runs", customer.plan);
    let body = json!({"mode": "picks"});
    let asked = api.ask(Method::POST, &path, &customer.tenant, Some(&body));
    let (status, run) = asked.await;
    assert_eq!(status, StatusCode::CREATED, "{run}");
    customer.run = run["id"].as_str().expect("an id").to_owned();

    let begun = Instant::now();
    let window = loop {
        let run = api.run_of(&customer).await;
        if let Some(uri) = run["pick"]["uri"].as_str() {
            break uri.to_owned();
        }
        assert!(begun.elapsed() < PATIENCE, "{run}");
        sleep(Duration::from_millis(50)).await;
    };
    while install.google.control.calls(CallKind::PickerGet) == 0 {
        assert!(begun.elapsed() < PATIENCE, "nobody looks");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(api.run_of(&customer).await["state"], "waiting_user");
    let browser = HttpSettings::default().client().expect("a client");
    let picked = browser.post(&window).form(&[("newest", "30")]).send().await;
    assert!(picked.expect("an answer").status().is_success());
    let customers = [customer];
    api.succeeded(&customers).await;
    let over = api.run_of(&customers[0]).await;
    assert_eq!(over["progress"]["stored"], 30, "{over}");
    assert_eq!(over["progress"]["requests"], 0, "{over}");
    assert_eq!(over["progress"]["downloads"], 0, "{over}");
    no_canary_in_logs(&install.google, processes.iter().map(|it| &it.spawned));
}
