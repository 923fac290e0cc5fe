//! `tintype admin` on a hosted install and on an embedded one.

use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tintype_emulator::CallKind;
use tokio::time::{Instant, sleep};

use super::{api::PATIENCE, install::Install};
use crate::household::{Ended, run, text, tintype};

struct Operator<'a>(&'a Install);

impl Operator<'_> {
    async fn run(&self, words: &[&str]) -> Ended {
        let settings = self.0.fleet();
        let mut arguments = vec!["admin", "--config", &settings];
        arguments.extend(words);
        run(tintype(&arguments)).await
    }

    async fn json(&self, words: &[&str]) -> Value {
        let ended = self.run(&[words, &["--json"]].concat()).await;
        ended.assert_code(0);
        ended.json()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_the_fleet_and_puts_work_back() {
    let mut install = Install::new().await;
    install.google.control.set(|switches| {
        switches.latency_ms.insert(CallKind::Download, 500);
    });
    let mut processes: Vec<_> = ["vault", "scheduler", "gateway"]
        .map(|role| install.serve(role))
        .into();
    let api = install.api();
    let account = install.google.account(0, 300);
    let customer = api.customer(account, install.dir.path()).await;
    let operator = Operator(&install);
    let nobody = operator.run(&["workers"]).await;
    nobody.assert_code(0);
    assert!(
        nobody.stdout.contains("no worker is there"),
        "{}",
        nobody.stdout
    );

    processes.push(install.serve("worker"));
    let customers = [customer];
    api.stored(&customers, 1).await;
    let workers = operator.json(&["workers"]).await;
    assert_eq!(workers["workers"].as_array().map(Vec::len), Some(1));
    assert!(workers["leader"].is_object(), "{workers}");
    let queues = operator.json(&["queues"]).await;
    assert_eq!(queues["data"].as_array().map(Vec::len), Some(8), "{queues}");
    let leases = operator.json(&["leases"]).await;
    let lease = &leases["data"][0];
    let shard = lease["shard"]["id"].as_str().expect("a shard");
    assert_eq!(lease["shard"]["tenant"], customers[0].tenant);
    let table = operator.run(&["leases"]).await;
    assert!(table.stdout.contains(shard), "{}", table.stdout);
    let quota = operator.json(&["quota"]).await;
    let used = &quota["data"][1];
    assert_eq!(used["kind"], "download");
    let left = used["left"].as_u64().expect("a count");
    assert!(left < used["limit"].as_u64().expect("a count"), "{quota}");

    let refused = operator.run(&["requeue", shard]).await;
    refused.assert_code(1);
    assert!(
        refused.stderr.contains("a worker holds"),
        "{}",
        refused.stderr
    );
    let taken = operator.json(&["requeue", shard, "--even-leased"]).await;
    assert_eq!(taken["data"][0]["id"], shard);
    let unknown = format!("shd_{}", "0".repeat(32));
    operator.run(&["requeue", &unknown]).await.assert_code(1);
    operator.run(&["requeue"]).await.assert_code(2);
    install.google.control.set(|switches| {
        switches.latency_ms.clear();
    });
    api.succeeded(&customers).await;

    let none = operator.json(&["set-aside"]).await;
    assert_eq!(none, json!({"data": []}));
}

/// A worker that dies of a shard again and again: the shard is set aside, its message is a dead letter, and redriving it ends
/// the run.
#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_redriven_and_purged() {
    let mut install = Install::new().await;
    let _processes: Vec<_> = ["vault", "scheduler", "gateway"]
        .map(|role| install.serve(role))
        .into();
    let api = install.api();
    let account = install.google.account(0, 40);
    let customer = api.customer(account, install.dir.path()).await;
    // Nothing can be written: the work of this shard dies with its worker each time.
    let began = Instant::now();
    loop {
        let mut worker = install.serve_dying_at("page-listed");
        let died = worker.spawned.wait(PATIENCE);
        tokio::select! {
            _ = died => {}
            () = until_waiting(&api, &customer) => break,
        }
        assert!(began.elapsed() < PATIENCE, "it is never set aside");
    }
    let operator = Operator(&install);
    let aside = operator.json(&["set-aside"]).await;
    assert_eq!(aside["data"].as_array().map(Vec::len), Some(1), "{aside}");
    let reason = aside["data"][0]["reason"].as_str().expect("a reason");
    assert!(reason.contains("worker"), "{reason}");
    let listed = operator.run(&["dead-letters", "list"]).await;
    listed.assert_code(0);
    let unsure = operator.run(&["dead-letters", "purge"]).await;
    unsure.assert_code(2);
    assert!(unsure.stderr.contains("--yes"), "{}", unsure.stderr);

    let _worker = install.serve("worker");
    let redriven = operator.json(&["dead-letters", "redrive"]).await;
    let back = operator.json(&["requeue", "--all"]).await;
    let shards = redriven["shards"].as_u64().unwrap_or_default()
        + back["data"].as_array().map_or(0, Vec::len) as u64;
    assert_eq!(shards, 1, "{redriven} {back}");
    api.succeeded(&[customer]).await;
    let purged = operator.json(&["dead-letters", "purge", "--yes"]).await;
    assert!(purged["purged"].is_u64(), "{purged}");
    let none = operator.json(&["dead-letters", "list"]).await;
    assert_eq!(none, json!({"data": []}));
}

async fn until_waiting(api: &super::api::Api, customer: &super::api::Customer) {
    loop {
        let run = api.run_of(customer).await;
        if run["state"] == "waiting_user" {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_install_is_looked_after_too() {
    let dir = TempDir::new().expect("a folder");
    let missing = dir.path().join("nowhere");
    let ended = run(tintype(&["admin", "--data-dir", text(&missing), "quota"])).await;
    ended.assert_code(2);
    assert!(
        ended.stderr.contains("there is no folder"),
        "{}",
        ended.stderr
    );
    let home = dir.path().join("home");
    std::fs::create_dir(&home).expect("a folder");
    for words in [
        &["quota"][..],
        &["set-aside"],
        &["leases"],
        &["queues"],
        &["dead-letters", "list"],
    ] {
        let arguments = [&["admin", "--data-dir", text(&home)], words].concat();
        run(tintype(&arguments)).await.assert_code(0);
    }
}
