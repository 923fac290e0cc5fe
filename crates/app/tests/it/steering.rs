//! Pause, resume, cancel, and processes that come and go.

use tintype_app::runs::RunChoice;
use tintype_emulator::{CallKind, Generated, Library};
use tintype_model::run::RunState;

use crate::world::World;

async fn slow_world() -> World {
    let world = World::new(Library::Generated(Generated::photos(400, 20_000))).await;
    world.emulator().set(|switches| {
        switches.latency_ms.insert(CallKind::Download, 200);
    });
    world
}

#[tokio::test]
async fn a_paused_run_rests_and_goes_on_without_downloading_twice() {
    let world = slow_world().await;
    let run = world.start(RunChoice::Full).await;
    world.until_stored(&run, 50).await;
    world
        .app()
        .pause_run(world.tenant(), run.id)
        .await
        .expect("paused");
    world.until_state(&run, RunState::Paused).await;
    let resting = world.calls(CallKind::Download);
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    assert_eq!(world.calls(CallKind::Download), resting);
    world
        .app()
        .resume_run(world.tenant(), run.id)
        .await
        .expect("resumed");
    let run = world.until_over(&run).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    assert_eq!(world.calls(CallKind::Download), 400);
    assert_eq!(world.manifest(&run).await.items.len(), 400);
}

#[tokio::test]
async fn a_cancelled_run_keeps_what_it_stored_for_the_next_one() {
    let library = Library::Generated(Generated::photos(400, 20_000));
    let world = World::with_settings(library, |settings| settings.max_downloads = 8).await;
    world.emulator().set(|switches| {
        switches.latency_ms.insert(CallKind::Download, 100);
    });
    let run = world.start(RunChoice::Full).await;
    world.until_stored(&run, 100).await;
    world
        .app()
        .cancel_run(world.tenant(), run.id)
        .await
        .expect("cancelled");
    world.until_over(&run).await;
    world.until_idle().await;
    let spent = world.calls(CallKind::Download);
    let kept = world.progress(&run).await.stored;
    assert!(kept >= 30 && spent < 400);
    let next = world.back_up(RunChoice::Full).await;
    assert_eq!(next.status.state, RunState::Succeeded);
    assert_eq!(world.manifest(&next).await.items.len(), 400);
    let wasted = world.calls(CallKind::Download) - 400;
    assert!(
        wasted <= spent - kept,
        "{wasted} of {spent} downloads were repeated, {kept} were stored"
    );
}

#[tokio::test]
async fn a_second_run_of_the_same_plan_is_refused_while_one_is_at_work() {
    let world = slow_world().await;
    let run = world.start(RunChoice::Full).await;
    assert!(
        world
            .app()
            .start_run(world.tenant(), run.plan, RunChoice::Full)
            .await
            .is_err()
    );
    world.until_over(&run).await;
}

#[tokio::test]
async fn a_stopped_process_hands_back_and_the_next_one_goes_on() {
    let world = slow_world().await;
    let run = world.start(RunChoice::Full).await;
    world.until_stored(&run, 60).await;
    let world = world.restart().await;
    let run = world.until_over(&run).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    assert_eq!(world.calls(CallKind::Download), 400);
}
