//! What a hosted install promises while its parts are killed one after the other.

use std::time::Duration;

use reqwest::StatusCode;
use tintype_emulator::CallKind;
use tintype_runtime::HttpSettings;
use tintype_testkit::sized;
use tokio::time::{Instant, sleep};

use super::{
    api::PATIENCE,
    install::{Install, Process},
    whole::{is_whole, no_canary_in, no_canary_in_logs, nothing_was_overspent},
};

async fn get(address: &str, path: &str) -> Option<(StatusCode, String)> {
    let client = HttpSettings::default().client().expect("a client");
    let answer = client.get(format!("http://{address}{path}")).send().await;
    let answer = answer.ok()?;
    let status = answer.status();
    Some((status, answer.text().await.ok()?))
}

pub(super) async fn until_ready(process: &Process) {
    let began = Instant::now();
    loop {
        let answer = get(&process.ops, "/readyz").await;
        if matches!(answer, Some((StatusCode::OK, _))) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{answer:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_each_part_of_a_fleet_in_turn_and_lose_nothing() {
    // Photos of each of the three, and a hundredth of all of them together.
    let photos = sized(2_000, 10_000);
    let part = 3 * photos / 100;
    let mut install = Install::new().await;
    install.google.control.set(|switches| {
        switches.latency_ms.insert(CallKind::Download, 150);
    });
    let roles = [
        "vault",
        "worker",
        "worker",
        "scheduler",
        "scheduler",
        "gateway",
    ];
    let mut processes: Vec<Process> = roles.map(|role| install.serve(role)).into();
    for process in &processes {
        until_ready(process).await;
    }
    let api = install.api();
    let mut customers = Vec::new();
    for number in 0..3 {
        let account = install.google.account(number, photos);
        customers.push(api.customer(account, install.dir.path()).await);
    }
    api.stored(&customers, 3 * part).await;

    // A worker, with all leases that it holds; another one takes its place.
    processes[1].spawned.kill();
    processes.push(install.serve("worker"));
    api.stored(&customers, 17 * part).await;

    // Both schedulers, so certainly the one that leads.
    for which in [3, 4] {
        processes[which].spawned.kill();
        processes.push(install.serve("scheduler"));
    }
    api.stored(&customers, 30 * part).await;

    processes[5].spawned.kill();
    processes.push(install.serve("gateway"));
    api.stored(&customers, 38 * part).await;

    install.redis.kill();
    install.redis.restart().await.expect("Redis comes back");
    api.stored(&customers, 50 * part).await;

    install.rabbitmq.kill();
    install
        .rabbitmq
        .restart()
        .await
        .expect("RabbitMQ comes back");
    api.stored(&customers, 60 * part).await;

    // The catalogue, in mid-commit: what was acknowledged stays, what was not is done again.
    install.postgres.kill();
    install
        .postgres
        .restart()
        .await
        .expect("PostgreSQL comes back");
    api.stored(&customers, 70 * part).await;

    // The vault: tokens that were handed out still serve, new ones wait.
    processes[0].spawned.kill();
    processes.push(install.serve("vault"));

    api.succeeded(&customers).await;
    for customer in &customers {
        is_whole(&install.google, customer).await;
    }
    nothing_was_overspent(&install.google);
    let worker = &processes[2];
    let (_, metrics) = get(&worker.ops, "/metrics").await.expect("metrics");
    assert!(metrics.contains("tintype_"), "{metrics}");
    no_canary_in(&install.google, "metrics", metrics.as_bytes());
    no_canary_in_logs(&install.google, processes.iter().map(|it| &it.spawned));
    for database in ["postgres", "template1"] {
        let dump = install.postgres.dump(database).await.expect("a dump");
        assert!(dump.contains("tenant_id"), "{database} was dumped");
        no_canary_in(&install.google, database, dump.as_bytes());
    }
}

/// A part that is missing is named where an operator looks, and the process goes on by itself when it is back.
#[tokio::test(flavor = "multi_thread")]
async fn readiness_names_the_part_that_is_away() {
    let mut install = Install::new().await;
    let gateway = install.serve("gateway");
    until_ready(&gateway).await;
    let (status, health) = get(&gateway.ops, "/healthz").await.expect("health");
    assert_eq!((status, health.as_str()), (StatusCode::OK, "ok\n"));

    install.redis.kill();
    sleep(Duration::from_millis(1_100)).await;
    let (status, parts) = get(&gateway.ops, "/readyz").await.expect("readiness");
    assert_eq!(status, StatusCode::OK, "it goes on without Redis: {parts}");
    let parts: serde_json::Value = serde_json::from_str(&parts).expect("JSON");
    let redis = parts["parts"].as_array().expect("parts").iter();
    let redis = redis.clone().find(|it| it["name"] == "redis").expect("it");
    assert_eq!(redis["ok"], false);

    install.postgres.kill();
    let began = Instant::now();
    loop {
        let (status, parts) = get(&gateway.ops, "/readyz").await.expect("readiness");
        if status == StatusCode::SERVICE_UNAVAILABLE {
            assert!(parts.contains("catalogue"), "{parts}");
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{parts}");
        sleep(Duration::from_millis(100)).await;
    }
    install.postgres.restart().await.expect("it comes back");
    until_ready(&gateway).await;
}
