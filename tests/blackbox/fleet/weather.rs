//! Networks that are slow, lossy, cut and half open, between the processes and everything they connect to.

use std::time::Duration;

use tintype_emulator::CallKind;
use tintype_testkit::chaos::Weather;
use tokio::time::sleep;

use super::{
    api::PATIENCE,
    install::{Install, Process},
    whole::{is_whole, nothing_was_overspent},
};

/// Longer than any deadline that a worker's lease could outlive.
const SILENCE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_gets_through_bad_weather() {
    let mut install = Install::outdoors().await;
    install.google.control.set(|switches| {
        switches.latency_ms.insert(CallKind::Download, 150);
    });
    let roles = ["vault", "scheduler", "worker", "worker", "gateway"];
    let mut processes: Vec<Process> = roles.map(|role| install.serve(role)).into();
    let api = install.api();
    let mut customers = Vec::new();
    for number in 0..3 {
        let account = install.google.account(number, 1_000);
        customers.push(api.customer(account, install.dir.path()).await);
    }
    let weather = install.weather.as_ref().expect("it is outdoors");
    let rain = Weather {
        latency: Duration::from_millis(10),
        jitter: Duration::from_millis(20),
        loss: 0.01,
        retransmission: Duration::from_millis(200),
        ..Weather::default()
    };
    for proxy in weather.all() {
        proxy.set_both(rain);
    }
    api.stored(&customers, 300).await;
    for (number, proxy) in weather.all().into_iter().enumerate() {
        proxy.reset_all();
        api.stored(&customers, 400 + 100 * number as u64).await;
    }
    for (number, proxy) in weather.all().into_iter().enumerate() {
        proxy.half_open();
        sleep(SILENCE).await;
        proxy.calm();
        api.stored(&customers, 1_000 + 200 * number as u64).await;
    }
    api.succeeded(&customers).await;
    for customer in &customers {
        is_whole(&install.google, customer).await;
    }
    nothing_was_overspent(&install.google);
    // Nothing hangs: each process ends in order when it is asked to.
    for process in &mut processes {
        process.spawned.terminate();
        let status = process.spawned.wait(PATIENCE).await;
        assert!(status.success(), "{status}: {}", process.ops);
    }
}
