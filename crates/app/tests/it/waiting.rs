//! Quota used up, token revoked, destination in trouble: the run waits in a typed state and loses nothing.

use chrono::{DateTime, Utc};
use tintype_app::runs::RunChoice;
use tintype_emulator::{CallKind, Effect, Fault, Generated, Library};
use tintype_model::{
    ErrorKind,
    quota::{HOLD_AFTER_MIDNIGHT, QuotaLimits},
    run::RunState,
};

use crate::world::World;

async fn limited(start: &str, downloads_per_day: u64) -> World {
    let world = World::new(Library::Generated(Generated::photos(300, 20_000))).await;
    world.set_time(start.parse().expect("a time"));
    world.limit(QuotaLimits {
        requests_per_day: 10_000,
        downloads_per_day,
    });
    world
}

async fn waits_for_the_pacific_midnight(start: &str, midnight: &str) {
    let world = limited(start, 200).await;
    let run = world.start(RunChoice::Full).await;
    let waiting = world.until_state(&run, RunState::WaitingQuota).await;
    let midnight: DateTime<Utc> = midnight.parse().expect("a time");
    // No call is admitted in the moments around midnight.
    let resumes_at = midnight + HOLD_AFTER_MIDNIGHT;
    assert_eq!(waiting.status.resumes_at, Some(resumes_at));
    assert_eq!(world.calls(CallKind::Download), 200);
    // Other shards may still be recording their last downloads; the jump below would end their leases.
    world.until_idle().await;
    world.set_time(midnight - chrono::TimeDelta::seconds(20));
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(world.calls(CallKind::Download), 200);
    world.set_time(resumes_at);
    let run = world.until_over(&run).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    assert_eq!(world.calls(CallKind::Download), 300);
    assert_eq!(world.manifest(&run).await.items.len(), 300);
}

#[tokio::test]
async fn quota_comes_back_after_a_day_of_23_hours() {
    waits_for_the_pacific_midnight("2027-03-14T18:00:00Z", "2027-03-15T07:00:00Z").await;
}

#[tokio::test]
async fn quota_comes_back_after_a_day_of_25_hours() {
    waits_for_the_pacific_midnight("2026-11-01T18:00:00Z", "2026-11-02T08:00:00Z").await;
}

#[tokio::test]
async fn google_saying_that_the_day_is_over_is_believed() {
    let world = World::new(Library::Generated(Generated::photos(300, 20_000))).await;
    world
        .emulator()
        .set(|switches| switches.quota.loads_per_day = Some(120));
    let run = world.start(RunChoice::Full).await;
    let waiting = world.until_state(&run, RunState::WaitingQuota).await;
    assert!(waiting.status.resumes_at.is_some());
    world.until_idle().await;
    let refused = world.calls(CallKind::Download) - 120;
    assert!(
        refused <= 64,
        "{refused} calls went on after google had said no"
    );
}

#[tokio::test]
async fn a_revoked_token_parks_the_run_until_reauthorised() {
    let world = World::new(Library::Generated(Generated::photos(300, 20_000))).await;
    world.emulator().set(|switches| {
        switches.latency_ms.insert(CallKind::Download, 200);
    });
    let run = world.start(RunChoice::Full).await;
    world.until_stored(&run, 40).await;
    world.revoke();
    world.expire_base_urls();
    let waiting = world.until_state(&run, RunState::WaitingAuth).await;
    assert_eq!(
        waiting.status.reason.map(|it| it.kind),
        Some(ErrorKind::AuthLost)
    );
    world.until_idle().await;
    let asked = world.calls(CallKind::Token);
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    assert_eq!(world.calls(CallKind::Token), asked);
    world.reauthorise().await;
    let run = world.until_over(&run).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    assert_eq!(world.manifest(&run).await.items.len(), 300);
}

#[tokio::test]
async fn a_refusal_that_is_older_than_the_credential_parks_nothing_for_long() {
    let world = World::new(Library::Generated(Generated::photos(300, 20_000))).await;
    world.emulator().set(|switches| {
        switches.latency_ms.insert(CallKind::Download, 200);
    });
    // Some shard still waits for these when the others have met the refusal, and meets it after the credential was replaced.
    let slow = Fault::on(CallKind::Download, Effect::Delay { ms: 4_000 });
    world.emulator().fault(slow.times(2));
    let run = world.start(RunChoice::Full).await;
    world.until_stored(&run, 40).await;
    world.revoke();
    world.expire_base_urls();
    world.until_state(&run, RunState::WaitingAuth).await;
    world.reauthorise().await;
    let run = world.until_over(&run).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    assert_eq!(world.manifest(&run).await.items.len(), 300);
}

#[tokio::test]
async fn a_missing_destination_parks_the_run_and_it_goes_on_when_mended() {
    let world = World::new(Library::Generated(Generated::photos(200, 20_000))).await;
    world.emulator().set(|switches| {
        switches.latency_ms.insert(CallKind::Download, 200);
    });
    let run = world.start(RunChoice::Full).await;
    world.until_stored(&run, 20).await;
    world.hide_destination();
    let waiting = world.until_state(&run, RunState::WaitingUser).await;
    assert_eq!(
        waiting.status.reason.map(|it| it.kind),
        Some(ErrorKind::DestinationMissing)
    );
    world.until_idle().await;
    world.bring_destination_back();
    world
        .app()
        .resume_run(world.tenant(), run.id)
        .await
        .expect("resumed");
    let run = world.until_over(&run).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    let manifest = world.manifest(&run).await;
    assert_eq!(manifest.items.len(), 200);
    world.assert_archive_is_clean().await;
}

#[tokio::test]
async fn a_run_without_news_notices_that_its_archive_is_away() {
    let world = World::new(Library::Sample).await;
    world.back_up(RunChoice::Full).await;
    world.hide_destination();
    let run = world.start(RunChoice::Routine).await;
    let waiting = world.until_state(&run, RunState::WaitingUser).await;
    let kind = waiting.status.reason.map(|it| it.kind);
    assert_eq!(kind, Some(ErrorKind::DestinationMissing));
    world.bring_destination_back();
    let resumed = world.app().resume_run(world.tenant(), run.id).await;
    resumed.expect("resumed");
    let run = world.until_over(&run).await;
    assert_eq!(run.status.state, RunState::Succeeded);
}
