//! Workers that stand still for longer than their leases, and then go on as if nothing had been.

use tintype_emulator::CallKind;
use tintype_testkit::sized;
use tokio::time::sleep;

use super::{
    install::{Install, LEASE},
    services::until_ready,
    whole::{is_whole, nothing_was_overspent},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_wakes_up_after_its_lease_writes_nothing() {
    let (freezes, photos) = sized((4, 1_200), (40, 10_000));
    let mut install = Install::new().await;
    install.google.control.set(|switches| {
        switches.latency_ms.insert(CallKind::Download, 150);
    });
    let _others = ["vault", "scheduler", "gateway"].map(|role| install.serve(role));
    let mut workers = [install.serve("worker"), install.serve("worker")];
    for worker in &workers {
        until_ready(worker).await;
    }
    let api = install.api();
    let mut customers = Vec::new();
    for number in 0..3 {
        let account = install.google.account(number, photos);
        customers.push(api.customer(account, install.dir.path()).await);
    }
    let all = 3 * photos;
    for freeze in 0..freezes {
        api.stored(&customers, all * freeze / freezes + 1).await;
        let worker = &mut workers[usize::try_from(freeze % 2).expect("0 or 1")];
        worker.spawned.stop();
        // Its shards go to the other one meanwhile.
        sleep(2 * LEASE).await;
        worker.spawned.resume();
    }
    api.succeeded(&customers).await;
    for customer in &customers {
        is_whole(&install.google, customer).await;
        // What the sleeper had written was neither lost nor counted again.
        let run = api.run_of(customer).await;
        assert_eq!(run["progress"]["stored"], photos, "{run}");
    }
    nothing_was_overspent(&install.google);
}
