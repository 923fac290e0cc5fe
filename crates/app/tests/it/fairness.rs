//! Several tenants on one cloud project: a noisy one does not hold up a quiet one.

use tintype_app::runs::RunChoice;
use tintype_emulator::{CallKind, Generated, Library};
use tintype_model::run::RunState;

use crate::world::World;

const QUIET: u64 = 400;

#[tokio::test]
async fn a_quiet_tenant_ends_within_one_and_a_half_times_its_work_beside_a_noisy_one() {
    let noisy = Library::Generated(Generated::photos(20 * QUIET, 20_000));
    let world = World::with_settings(noisy, |settings| settings.max_downloads = 16).await;
    world.emulator().set(|switches| {
        switches.latency_ms.insert(CallKind::Download, 25);
    });
    let quiet = world
        .neighbour(
            "quiet@example.com",
            Library::Generated(Generated::photos(QUIET, 20_000)),
        )
        .await;
    let noisy_run = world.start(RunChoice::Full).await;
    world.until_stored(&noisy_run, 300).await;

    let began = world.calls(CallKind::Download);
    let quiet_run = world.start_for(&quiet, RunChoice::Full).await;
    let quiet_run = world.until_over(&quiet_run).await;
    let served = world.calls(CallKind::Download) - began;
    assert_eq!(quiet_run.status.state, RunState::Succeeded);
    assert!(
        served * 2 <= QUIET * 3,
        "{served} downloads were served until the quiet run of {QUIET} had ended"
    );

    world
        .app()
        .cancel_run(world.tenant(), noisy_run.id)
        .await
        .expect("cancelled");
    world.until_over(&noisy_run).await;
    world.until_idle().await;
}
