//! Google refuses a third of one project's calls for a while.

use tintype_emulator::{CallKind, Effect, Fault, LedgerEntry};
use tintype_testkit::sized;

use super::{
    api::Customer,
    google::a_second,
    install::Install,
    services::until_ready,
    whole::{is_whole, nothing_was_overspent},
};

/// Of each download, so that downloads at once are what is scarce, and not this machine.
const DOWNLOAD_MS: u64 = 100;
const AT_ONCE: &str = "16";
const REFUSED: f64 = 0.3;
/// After so many the storm is over.
const REFUSALS: u64 = 40;
/// Downloads of the innocent that its speed is taken from, before and in the storm.
const SAMPLE: usize = 300;

fn of(entries: &[LedgerEntry], customer: &Customer) -> Vec<LedgerEntry> {
    let is_its = |entry: &&LedgerEntry| entry.account.as_deref() == Some(&customer.account);
    entries.iter().filter(is_its).cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_refusals_costs_few_calls_and_no_neighbour_anything() {
    let photos = sized(1_200, 10_000);
    let mut install = Install::new().await;
    install.google.control.set(|switches| {
        switches.latency_ms.insert(CallKind::Download, DOWNLOAD_MS);
    });
    let some = [("TINTYPE_WORKER__MAX_DOWNLOADS", AT_ONCE)];
    let processes = [
        install.serve("vault"),
        install.serve("scheduler"),
        install.serve("gateway"),
        install.serve_with("worker", &some),
    ];
    for process in &processes {
        until_ready(process).await;
    }
    let api = install.api();
    let mut customers = Vec::new();
    for number in 0..2 {
        let account = install.google.account(number, photos);
        customers.push(api.customer(account, install.dir.path()).await);
    }
    api.stored(&customers, 3 * SAMPLE as u64).await;
    let calm = install
        .google
        .control
        .ledger(Some(CallKind::Download), 0, 1_000_000);
    let project = of(&calm, &customers[0])[0].project.clone();
    // Told when to come back: without that, calls wait for the half minute that Google asks for.
    let refusal = Effect::Status {
        code: 429,
        message: None,
        retry_after: Some(1),
    };
    let mut storm = Fault::on(CallKind::Download, refusal);
    storm.project = project;
    storm.fraction_of_calls = Some(REFUSED);
    storm.times = Some(REFUSALS);
    install.google.control.fault(storm);
    api.succeeded(&customers).await;

    for customer in &customers {
        is_whole(&install.google, customer).await;
    }
    nothing_was_overspent(&install.google);
    let all = install
        .google
        .control
        .ledger(Some(CallKind::Download), 0, 1_000_000);
    let calls = of(&all, &customers[0]);
    let refused = calls.iter().filter(|call| call.status == 429).count() as u64;
    assert_eq!(refused, REFUSALS, "the storm was sat through");
    // One call for each photo and one more for each refusal; a tenth more may be asked in vain.
    let needed = photos + refused;
    assert!(
        calls.len() as u64 * 10 <= needed * 11,
        "{} calls for {photos} photos and {refused} refusals",
        calls.len()
    );
    // It gives way: the one who is refused asks less often.
    let last = calls
        .iter()
        .rposition(|call| call.status == 429)
        .expect("refusals");
    let first = calls
        .iter()
        .position(|call| call.status == 429)
        .expect("refusals");
    let (before, stormy) = (
        a_second(&calls[first - SAMPLE..first]),
        a_second(&calls[first..=last]),
    );
    assert!(
        stormy <= 0.5 * before,
        "{before:.0} calls a second before the storm, {stormy:.0} in it"
    );

    // The neighbour, of another project, notices nothing.
    let before = of(&calm, &customers[1]);
    let since = of(&all[calm.len()..], &customers[1]);
    let before = a_second(&before[before.len() - SAMPLE..]);
    let since = a_second(&since[..SAMPLE]);
    assert!(
        since >= 0.9 * before,
        "the innocent had {before:.0} downloads a second before the storm and {since:.0} in it"
    );
}
