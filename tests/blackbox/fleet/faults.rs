//! What a hosted install promises while its parts are killed one after the other.

use std::{collections::BTreeMap, time::Duration};

use tintype_emulator::CallKind;
use tintype_model::run::RunState;
use tintype_testkit::process::{Spawned, Stream};

use super::install::{Customer, DOWNLOADS_A_DAY, Install};
use crate::{
    catalogue::manifest_in,
    household::{run, text, tintype},
};

const PATIENCE: Duration = Duration::from_secs(240);
const ITEMS: u64 = 2_000;

/// The archive holds just what Google does, byte for byte as far as hashes tell.
async fn is_whole(install: &Install, customer: &Customer) {
    let manifest = manifest_in(&customer.archive).await;
    let google = install.control.items(&customer.account, 1_000_000);
    let google: BTreeMap<String, u64> = google
        .expect("the account")
        .into_iter()
        .map(|item| {
            let bytes = install.control.expected(&item.id, "d").expect("known");
            (item.id, bytes.map_or(0, |it| it.bytes))
        })
        .collect();
    let held: BTreeMap<String, u64> = manifest
        .into_iter()
        .map(|(id, (_, size))| (id, size))
        .collect();
    assert!(
        held == google,
        "{}: the manifest is not google's library",
        customer.account
    );
    let verified = run(tintype(&["verify", text(&customer.archive)])).await;
    verified.assert_code(0);
}

fn no_canary_in(install: &Install, processes: &[Spawned]) {
    for process in processes {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let written = process.text(stream);
            for canary in &install.canaries {
                assert!(!written.contains(canary), "a secret stands in a log");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_each_part_of_a_fleet_in_turn_and_lose_nothing() {
    let mut install = Install::new().await;
    install.control.set(|switches| {
        switches.latency_ms.insert(CallKind::Download, 150);
    });
    let mut processes: Vec<Spawned> = ["vault", "worker", "worker", "scheduler", "scheduler"]
        .map(|role| install.serve(role))
        .into();
    let mut customers = Vec::new();
    for number in 0..3 {
        customers.push(install.customer(number, ITEMS).await);
    }
    install.stored(&customers, 200, PATIENCE).await;

    // A worker, with all leases that it holds; another one takes its place.
    processes[1].kill();
    processes.push(install.serve("worker"));
    install.stored(&customers, 1_000, PATIENCE).await;

    // Both schedulers, so certainly the one that leads.
    for which in [3, 4] {
        processes[which].kill();
        processes.push(install.serve("scheduler"));
    }
    install.stored(&customers, 2_000, PATIENCE).await;

    install.redis.kill();
    install.redis.restart().await.expect("Redis comes back");
    install.stored(&customers, 2_800, PATIENCE).await;

    install.rabbitmq.kill();
    install
        .rabbitmq
        .restart()
        .await
        .expect("RabbitMQ comes back");
    install.stored(&customers, 3_600, PATIENCE).await;

    // The vault: tokens that were handed out still serve, new ones wait.
    processes[0].kill();
    processes.push(install.serve("vault"));

    let states = install.over(&customers, PATIENCE).await;
    assert_eq!(states, [RunState::Succeeded; 3]);
    for customer in &customers {
        is_whole(&install, customer).await;
    }
    for (project, days) in install.control.quota() {
        for (day, used) in days {
            assert!(used.loads <= DOWNLOADS_A_DAY, "{project} {day}: {used:?}");
            assert_eq!(used.refused, 0, "{project} {day}: google refused calls");
        }
    }
    no_canary_in(&install, &processes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_its_settings_names_them_at_once() {
    for (role, name) in [
        ("worker", "postgres"),
        ("scheduler", "postgres"),
        ("vault", "vault_server"),
        ("migrate", "postgres.url"),
    ] {
        let ended = run(tintype(&["serve", "--role", role])).await;
        ended.assert_code(2);
        assert!(ended.stderr.contains(name), "{role}: {}", ended.stderr);
    }
}
