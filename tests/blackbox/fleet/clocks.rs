//! Machines whose clocks are wrong.

use super::{
    install::Install,
    whole::{is_whole, nothing_was_overspent},
};

const TEN_MINUTES: i64 = 600;

#[tokio::test(flavor = "multi_thread")]
async fn machines_ten_minutes_apart_work_together() {
    let mut install = Install::new().await;
    let _processes = [
        install.serve_skewed("vault", TEN_MINUTES),
        install.serve_skewed("gateway", -TEN_MINUTES),
        install.serve_skewed("scheduler", TEN_MINUTES),
        install.serve_skewed("scheduler", -TEN_MINUTES),
        install.serve_skewed("worker", -TEN_MINUTES),
        install.serve_skewed("worker", TEN_MINUTES),
    ];
    let api = install.api();
    let mut customers = Vec::new();
    for number in 0..3 {
        let account = install.google.account(number, 400);
        customers.push(api.customer(account, install.dir.path()).await);
    }
    api.succeeded(&customers).await;
    for customer in &customers {
        is_whole(&install.google, customer).await;
    }
    nothing_was_overspent(&install.google);
}
