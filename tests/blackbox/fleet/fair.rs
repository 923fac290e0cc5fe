//! Many tenants of one cloud project, one of whom has fifty times the load of the others.

use std::collections::BTreeMap;

use reqwest::Method;
use tintype_emulator::{CallKind, LedgerEntry};
use tintype_testkit::sized;

use super::{
    google::{Google, a_second},
    install::Install,
    services::until_ready,
};

const QUIET_TENANTS: usize = 19;
const TIMES_THE_LOAD: u64 = 50;
/// Of each download, so that downloads at once are what is scarce, and not this machine.
const DOWNLOAD_MS: u64 = 20;
const AT_ONCE: &str = "8";
/// Far below what each of them has to fetch.
const BURST: &str = "50";

/// Jain's fairness index: 1 when all got the same, 1/n when one got everything.
#[expect(clippy::cast_precision_loss, reason = "counts of a test are small")]
fn jain(got: &[u64]) -> f64 {
    let sum: u64 = got.iter().sum();
    let squares: u64 = got.iter().map(|count| count * count).sum();
    (sum * sum) as f64 / (got.len() as u64 * squares) as f64
}

/// Downloads that were served, in order.
fn served(google: &Google) -> Vec<LedgerEntry> {
    let mut all = google
        .control
        .ledger(Some(CallKind::Download), 0, 1_000_000);
    all.retain(|entry| entry.status == 200);
    all
}

fn account(entry: &LedgerEntry) -> &str {
    entry.account.as_deref().expect("a download has an account")
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_tenants_get_the_same_and_a_noisy_one_gets_all_that_is_idle() {
    // Several shards each: it is by them that workers share.
    let quiet_load = sized(1_000, 5_000);
    let mut install = Install::new().await;
    install.google.control.set(|switches| {
        switches.latency_ms.insert(CallKind::Download, DOWNLOAD_MS);
    });
    // A slot for each tenant, so that all have work under way.
    let few = [
        ("TINTYPE_WORKER__MAX_DOWNLOADS", AT_ONCE),
        ("TINTYPE_WORKER__SLOTS", "12"),
        ("TINTYPE_FAIRNESS__BURST", BURST),
    ];
    let processes = [
        install.serve("vault"),
        install.serve_with("scheduler", &[("TINTYPE_FAIRNESS__BURST", BURST)]),
        install.serve("gateway"),
        install.serve_with("worker", &few),
        install.serve_with("worker", &few),
    ];
    for process in &processes {
        until_ready(process).await;
    }
    let api = install.api();
    // Even numbers are of one project.
    let noisy = install.google.account(0, quiet_load * TIMES_THE_LOAD);
    let noisy = api.customer(noisy, install.dir.path()).await;
    let mut quiet = Vec::new();
    for number in 1..=QUIET_TENANTS {
        let account = install.google.account(2 * number, quiet_load);
        quiet.push(api.newcomer(account, install.dir.path()).await);
    }
    let noisy = [noisy];
    api.stored(&noisy, 200).await;
    for customer in &mut quiet {
        customer.run = api.run(&customer.tenant, &customer.plan).await;
    }
    api.succeeded(&quiet).await;
    let all_had_theirs = served(&install.google).len();
    // Its own again: long enough to tell.
    let stored = api.run_of(&noisy[0]).await["progress"]["stored"].as_u64();
    api.stored(&noisy, stored.expect("a count") + 600).await;
    let (tenant, path) = (
        &noisy[0].tenant,
        format!("/v1/runs/{}/cancel", noisy[0].run),
    );
    let (status, cancelled) = api.ask(Method::POST, &path, tenant, None).await;
    assert!(status.is_success(), "{cancelled}");

    // While all of them had work: from when each had a photo until one had its last.
    let served = served(&install.google);
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, entry) in served.iter().enumerate() {
        first.entry(account(entry)).or_insert(place);
        last.insert(account(entry), place);
    }
    assert_eq!(first.len(), 1 + QUIET_TENANTS);
    let from = *first.values().max().expect("downloads");
    let until = *last.values().min().expect("downloads");
    let together = &served[from..=until];
    let mut got: BTreeMap<&str, u64> = BTreeMap::new();
    for entry in together {
        *got.entry(account(entry)).or_default() += 1;
    }
    let counts: Vec<u64> = got.values().copied().collect();
    assert_eq!(counts.len(), 1 + QUIET_TENANTS, "{got:?}");
    let index = jain(&counts);
    assert!(index >= 0.98, "Jain's index is {index:.4}: {got:?}");

    // What the others leave idle is lent to it at once, and it had it before they came, too.
    let alone = &served[all_had_theirs..];
    let is_noisys = |entry: &LedgerEntry| account(entry) == noisy[0].account;
    assert!(alone.iter().all(is_noisys));
    let (alone, together) = (a_second(alone), a_second(together));
    assert!(
        alone >= 0.85 * together,
        "{alone:.0} downloads a second alone, {together:.0} of all together"
    );
}
