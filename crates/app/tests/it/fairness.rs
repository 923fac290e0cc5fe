//! Several tenants on one cloud project: a noisy one does not hold up a quiet one.

use tintype_app::runs::RunChoice;
use tintype_emulator::{CallKind, Generated, LedgerEntry, Library};
use tintype_model::run::RunState;

use crate::world::World;

const QUIET: u64 = 600;
const ACCOUNT: &str = "quiet@example.com";

#[tokio::test]
async fn a_quiet_tenant_ends_within_one_and_a_half_times_its_work_beside_a_noisy_one() {
    let noisy = Library::Generated(Generated::photos(20 * QUIET, 20_000));
    let world = World::with_settings(noisy, |settings| settings.max_downloads = 8).await;
    world.emulator().set(|switches| {
        switches.latency_ms.insert(CallKind::Download, 40);
    });
    let library = Library::Generated(Generated::photos(QUIET, 20_000));
    let quiet = world.neighbour(ACCOUNT, library).await;
    let noisy_run = world.start(RunChoice::Full).await;
    world.until_stored(&noisy_run, 300).await;

    let before = downloads(&world).len();
    let quiet_run = world.start_for(&quiet, RunChoice::Full).await;
    let quiet_run = world.until_over(&quiet_run).await;
    assert_eq!(quiet_run.status.state, RunState::Succeeded);

    // Work, not seconds: downloads served to anybody while the quiet run had photos to fetch. Its listing takes time, but
    // no share of the downloads.
    let since = &downloads(&world)[before..];
    let is_quiets = |entry: &LedgerEntry| entry.account.as_deref() == Some(ACCOUNT);
    let first = since.iter().position(is_quiets).expect("its downloads");
    let last = since.iter().rposition(is_quiets).expect("its downloads");
    let served = (last - first) as u64 + 1;
    assert!(
        served * 2 <= QUIET * 3,
        "{served} downloads were served until the quiet run of {QUIET} had its last photo"
    );
    world
        .app()
        .cancel_run(world.tenant(), noisy_run.id)
        .await
        .expect("cancelled");
    world.until_over(&noisy_run).await;
    world.until_idle().await;
}

fn downloads(world: &World) -> Vec<LedgerEntry> {
    let kind = Some(CallKind::Download);
    world.emulator().ledger(kind, 0, 100_000)
}
