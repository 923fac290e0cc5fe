//! What a person picks at Google: waited for, fetched within its time, and one library with what the app made itself.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tintype_app::{Step, runs::RunChoice};
use tintype_emulator::{
    CallKind, ClientConfig, DEFAULT_ACCOUNT, Generated, ItemBytes, Library, NewItem,
};
use tintype_model::{
    ErrorKind,
    fidelity::{Channel, Location},
    run::{Run, RunMode, RunState},
};

use crate::world::{World, photo};

const CAMERA: &str = "777-camera.apps.googleusercontent.com";
/// The date of the first photo that another app made; each that follows is a minute younger.
const FIRST: i64 = 1_700_000_000_000;

/// An account with so many photos of this app, and nothing else.
pub(crate) async fn world(own: u64) -> World {
    let world = World::new(Library::Generated(Generated::photos(own, 20_000))).await;
    world.emulator().add_client(ClientConfig {
        client_id: CAMERA.into(),
        ..ClientConfig::default()
    });
    world.allow_picking().await;
    world
}

/// A photo that another app made, which this one never sees in a listing.
pub(crate) fn of_camera(world: &World, number: i64, bytes: u64) -> String {
    let name = format!("CAM_{number:04}.JPG");
    let item = NewItem {
        created_ms: Some(FIRST + number * 60_000),
        ..NewItem::new(name, ItemBytes::Photo(bytes))
    };
    let added = world.emulator().add_item(DEFAULT_ACCOUNT, CAMERA, item);
    added.expect("added")
}

/// The run's window is open: its session.
async fn session(world: &World, run: &Run) -> String {
    let waiting = world.until_state(run, RunState::WaitingUser).await;
    let reason = waiting.status.reason.expect("a reason");
    assert_eq!(reason.kind, ErrorKind::PickAwaited);
    let window = world.app().pick_window(run.tenant, run.id).await;
    let uri = window.expect("read").expect("a window").uri;
    assert!(reason.message.contains(&uri), "{}", reason.message);
    let (_, session) = uri.rsplit_once('/').expect("a path");
    session.to_owned()
}

pub(crate) async fn pick(world: &World, items: &[String]) -> Run {
    let run = world.start(RunChoice::Picks).await;
    assert_eq!(run.mode, RunMode::Picks);
    let session = session(world, &run).await;
    world.emulator().pick(&session, items).expect("picked");
    world.until_over(&run).await
}

fn library_calls(world: &World) -> u64 {
    let listing = [CallKind::Search, CallKind::ListItems, CallKind::BatchGet];
    listing.into_iter().map(|kind| world.calls(kind)).sum()
}

#[tokio::test]
async fn two_hundred_and_fifty_are_picked_late_and_make_one_library_with_the_apps_own() {
    let world = world(120).await;
    let full = world.back_up(RunChoice::Full).await;
    assert_eq!(full.status.state, RunState::Succeeded);
    let own = world.item_ids();
    let others: Vec<String> = (0..250).map(|it| of_camera(&world, it, 20_000)).collect();
    let (asked, downloads) = (library_calls(&world), world.calls(CallKind::Download));
    let before = spent(&world);

    let run = world.start(RunChoice::Picks).await;
    let session = session(&world, &run).await;
    // Nobody is in a hurry: it is looked at again and again, and the run stays where people see the link.
    let looks = world.calls(CallKind::PickerGet);
    while world.calls(CallKind::PickerGet) < looks + 5 {
        let now = world.until_state(&run, RunState::WaitingUser).await;
        assert!(now.status.resumes_at.is_some());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let world = world.restart().await;
    let mut picked = others.clone();
    picked.extend_from_slice(&own[..20]);
    world.emulator().pick(&session, &picked).expect("picked");
    let run = world.until_over(&run).await;

    assert_eq!(run.status.state, RunState::Succeeded, "{:?}", run.status);
    let manifest = world.manifest(&run).await;
    assert_eq!(manifest.items.len(), 120 + 250, "each photo once");
    let by_pick = manifest
        .items
        .values()
        .filter(|it| it.content.fidelity.channel == Channel::Picker);
    assert_eq!(by_pick.count(), 250);
    assert!(own.iter().all(|id| manifest.items.contains_key(id)));
    world.assert_archive_is_clean().await;

    // Each was fetched once, at no cost of the day's quota, and the session is closed.
    assert_eq!(world.calls(CallKind::Download), downloads + 270);
    assert_eq!(library_calls(&world), asked);
    assert_eq!(spent(&world), before);
    assert_eq!(world.calls(CallKind::PickerDelete), 1);
    assert!(world.emulator().pick(&session, &picked).is_err());
}

/// What the days so far have cost of the Library API's limits: calls, and loads of base URLs.
fn spent(world: &World) -> (u64, u64) {
    let days = world.emulator().quota().into_values();
    let days: Vec<_> = days.flat_map(BTreeMap::into_values).collect();
    let sum = |of: fn(&tintype_emulator::DayUse) -> u64| days.iter().map(of).sum();
    (sum(|it| it.calls), sum(|it| it.loads))
}

#[tokio::test]
async fn full_runs_leave_what_was_picked_alone() {
    let world = world(30).await;
    let camera = of_camera(&world, 1, 20_000);
    let run = pick(&world, &[camera]).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    assert_eq!(world.manifest(&run).await.items.len(), 1);
    // Nor does a new token of the account have to see it.
    world.reauthorise().await;
    for _ in 0..2 {
        let full = world.back_up(RunChoice::Full).await;
        assert_eq!(full.status.state, RunState::Succeeded);
        let manifest = world.manifest(&full).await;
        assert_eq!(manifest.items.len(), 31);
        assert!(manifest.items.keys().any(|id| id.starts_with("picked-")));
    }
    assert_eq!(world.calls(CallKind::BatchGet), 0, "nobody looked for it");
}

#[tokio::test]
async fn what_the_library_shows_later_is_the_same_photo_and_both_renditions_are_kept() {
    let world = world(3).await;
    let alike = |bytes: Vec<u8>| NewItem {
        created_ms: Some(FIRST),
        ..NewItem::new("CAM_0001.JPG", ItemBytes::Base64(STANDARD.encode(bytes)))
    };
    let camera = alike(photo(1));
    let camera = world.emulator().add_item(DEFAULT_ACCOUNT, CAMERA, camera);
    let camera = camera.expect("added");
    let first = pick(&world, std::slice::from_ref(&camera)).await;
    let seen = world.manifest(&first).await;
    let picked = seen.items.values().next().expect("an item").content.clone();
    // The person uploads it with this app: other bytes of the same photo.
    let uploaded = world.add("the same photo", alike(photo(2)));
    let full = world.back_up(RunChoice::Full).await;
    assert_eq!(full.status.state, RunState::Succeeded);
    let manifest = world.manifest(&full).await;
    assert_eq!(manifest.items.len(), 4);
    let merged = &manifest.items[&uploaded];
    assert_eq!(merged.content.fidelity.channel, Channel::AppCreated);
    assert_eq!(merged.renditions, [picked]);
    world.assert_archive_is_clean().await;
    // Picked once more, it is what it was.
    let again = pick(&world, &[camera]).await;
    assert_eq!(again.status.state, RunState::Succeeded);
    assert_eq!(world.manifest(&again).await.items.len(), 4);
}

#[tokio::test]
async fn a_library_that_calls_its_items_as_the_picker_does_is_the_same() {
    let world = world(20).await;
    world.emulator().set(|it| it.picker_own_ids = false);
    world.back_up(RunChoice::Full).await;
    let run = pick(&world, &world.item_ids()).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    assert_eq!(world.manifest(&run).await.items.len(), 20);
}

#[tokio::test]
async fn picks_are_fetched_although_their_urls_die_and_work_breaks_off() {
    let world = world(1).await;
    let others: Vec<String> = (0..220).map(|it| of_camera(&world, it, 20_000)).collect();
    world.emulator().set(|switches| {
        switches.latency_ms.insert(CallKind::Download, 30);
        switches.empty_pages = true;
    });
    let run = world.start(RunChoice::Picks).await;
    let session = session(&world, &run).await;
    world.break_once_at(Step::PageWritten);
    world.emulator().pick(&session, &others).expect("picked");
    world.until_stored(&run, 30).await;
    world.expire_base_urls();
    world.emulator().expire_access_tokens();
    let run = world.until_over(&run).await;
    assert_eq!(run.status.state, RunState::Succeeded, "{:?}", run.status);
    assert_eq!(world.deaths(), 1);
    let manifest = world.manifest(&run).await;
    assert_eq!(manifest.items.len(), 220);
    assert!(
        manifest
            .items
            .values()
            .all(|it| it.content.fidelity.location == Location::Absent),
        "google takes the position out"
    );
}

#[tokio::test]
async fn a_link_that_nobody_used_ends_the_run_and_another_run_has_another_link() {
    let world = world(1).await;
    let run = world.start(RunChoice::Picks).await;
    let first = session(&world, &run).await;
    world.set_time(
        tintype_ports::Clock::now(&tintype_runtime::SystemClock) + chrono::TimeDelta::days(2),
    );
    let run = world
        .until(&run, "the end", |run| run.status.state.is_final())
        .await;
    assert_eq!(run.status.state, RunState::Failed);
    let reason = run.status.reason.expect("a reason");
    assert!(reason.message.contains("expired"), "{}", reason.message);
    let next = world.start(RunChoice::Picks).await;
    assert_ne!(session(&world, &next).await, first);
    let cancelled = world.app().cancel_run(next.tenant, next.id).await;
    cancelled.expect("cancelled");
}

#[tokio::test]
async fn a_permission_that_is_missing_is_asked_for_and_then_the_run_goes_on() {
    let world = world(1).await;
    world.reauthorise().await;
    let run = world.start(RunChoice::Picks).await;
    let waiting = world.until_state(&run, RunState::WaitingUser).await;
    let reason = waiting.status.reason.expect("a reason");
    assert_eq!(reason.kind, ErrorKind::Forbidden, "{}", reason.message);
    world.allow_picking().await;
    let resumed = world.app().resume_run(run.tenant, run.id).await;
    resumed.expect("resumed");
    let waits = |run: &Run| {
        let reason = run.status.reason.as_ref();
        reason.is_some_and(|it| it.kind == ErrorKind::PickAwaited)
    };
    world.until(&run, "a link", waits).await;
    let session = session(&world, &run).await;
    let camera = of_camera(&world, 1, 20_000);
    world.emulator().pick(&session, &[camera]).expect("picked");
    let run = world.until_over(&run).await;
    assert_eq!(run.status.state, RunState::Succeeded);
}

#[tokio::test]
async fn a_pick_that_failed_is_fetched_when_it_is_picked_again() {
    let world = world(1).await;
    let camera = of_camera(&world, 1, 20_000);
    let broken = tintype_emulator::Fault::on(CallKind::Download, tintype_emulator::Effect::Html);
    let fault = world.emulator().fault(broken);
    let run = pick(&world, std::slice::from_ref(&camera)).await;
    assert_eq!(run.status.state, RunState::Partial);
    world.emulator().clear_faults(Some(fault));
    // A listing of the library does not try it: it could not be had there.
    let full = world.back_up(RunChoice::Full).await;
    assert_eq!(
        full.status.state,
        RunState::Partial,
        "it is still not there"
    );
    let run = pick(&world, &[camera]).await;
    assert_eq!(run.status.state, RunState::Succeeded, "{:?}", run.status);
    assert_eq!(world.manifest(&run).await.items.len(), 2);
}

#[tokio::test]
async fn only_backups_are_made_of_picks() {
    let world = world(1).await;
    let folder = world.folder("pictures");
    world.put_photos(&folder, "", 0..1);
    let plan = world.upload_plan(&folder).await.plan;
    let refused = world
        .app()
        .start_run(world.tenant(), plan, RunChoice::Picks)
        .await;
    let text = refused.expect_err("refused").to_string();
    assert!(text.contains("only a backup"), "{text}");
}
