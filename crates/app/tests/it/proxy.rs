//! Downloads by way of a full-resolution proxy, and what happens when it hangs, fails or lies.

use std::{collections::BTreeMap, time::Duration};

use tintype_app::runs::RunChoice;
use tintype_emulator::{CallKind, Effect, Fault, Generated, Library};
use tintype_model::{
    BlobHash,
    fidelity::{Channel, Encoding, Location},
    quota::QuotaLimits,
    run::{Run, RunState},
};

use crate::world::World;

/// Enough for an answer that comes at all.
pub(crate) const HEAD: Duration = Duration::from_secs(3);

pub(crate) fn status(code: u16) -> Effect {
    Effect::Status {
        code,
        message: None,
        retry_after: None,
    }
}

pub(crate) fn photos(count: u64) -> Library {
    Library::Generated(Generated::photos(count, 40_000))
}

impl World {
    /// The way each item came, after a look at its bytes: those of the original, or those that Google serves.
    pub(crate) async fn channels(&self, run: &Run) -> BTreeMap<String, Channel> {
        let manifest = self.manifest(run).await;
        let mut channels = BTreeMap::new();
        for (id, item) in &manifest.items {
            let fidelity = self.item(id).await.content.expect("its bytes").fidelity;
            if fidelity.channel == Channel::Proxy {
                assert_eq!(fidelity.encoding, Encoding::Original, "{id}");
                let original = self.uploaded(id);
                assert_eq!(item.content.blob, BlobHash::of(&original), "{id}");
            }
            channels.insert(id.clone(), fidelity.channel);
        }
        channels
    }

    pub(crate) fn proxy_fault(&self, item: &str, effect: Effect) {
        let fault = Fault::on(CallKind::Original, effect).item(item);
        self.emulator().fault(fault);
    }
}

#[tokio::test]
async fn originals_come_by_the_proxy_one_at_a_time_and_cost_no_download_of_google() {
    let world = World::by_proxy(Library::Sample, HEAD).await;
    // Nothing that counts as a download may be made at all.
    world.limit(QuotaLimits {
        requests_per_day: 1_000,
        downloads_per_day: 0,
    });
    let run = world.back_up(RunChoice::Full).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    let channels = world.channels(&run).await;
    assert_eq!(channels.len(), 6);
    assert!(channels.values().all(|it| *it == Channel::Proxy));
    for name in ["lake.jpg", "garden.heic", "clip.mp4"] {
        let item = world.item(&world.id_of(name)).await;
        let fidelity = item.content.expect("its bytes").fidelity;
        assert_eq!(fidelity.location, Location::Present, "{name}");
        assert_eq!(fidelity.promised, fidelity.got, "{name}");
    }
    // The emulator's proxy refuses a second one at the same time.
    let statuses = &world.emulator().summary().statuses[&CallKind::Original];
    assert_eq!(statuses, &BTreeMap::from([(200, 6)]));
    assert_eq!(world.calls(CallKind::Download), 0);
    assert_eq!(world.calls(CallKind::DownloadHead), 0);
    assert_eq!(world.progress(&run).await.downloads, 0);
    world.assert_archive_is_clean().await;
}

#[tokio::test]
async fn without_the_option_no_proxy_is_asked() {
    let world = World::by_proxy(photos(5), HEAD).await;
    world.choose(|it| it.proxy = None).await;
    let run = world.back_up(RunChoice::Full).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    assert_eq!(world.calls(CallKind::Original), 0);
    assert_eq!(world.calls(CallKind::Download), 5);
}

#[tokio::test]
async fn whatever_goes_wrong_with_one_item_at_the_proxy_only_that_one_comes_from_google() {
    let world = World::by_proxy(photos(30), HEAD).await;
    let ids = world.item_ids();
    let elsewhere = format!("{}/gphotosdl/id/{}", world.google_url(), ids[1]);
    let faults = [
        Effect::Hang,
        Effect::Stall { at: 0.5 },
        status(404),
        status(500),
        Effect::Empty,
        Effect::Html,
        Effect::Redirect { to: elsewhere },
        Effect::Truncate { at: 0.5 },
        Effect::Short { at: 0.5 },
        Effect::DropBefore,
        Effect::OtherItem { id: "none".into() },
    ];
    let wrong: Vec<&String> = ids.iter().step_by(2).take(faults.len()).collect();
    for (id, effect) in wrong.iter().zip(faults.clone()) {
        world.proxy_fault(id, effect);
    }
    let run = world.back_up(RunChoice::Full).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    let channels = world.channels(&run).await;
    assert_eq!(channels.len(), ids.len());
    for id in &ids {
        let place = wrong.iter().position(|it| *it == id);
        let (expected, loads) = match place {
            Some(_) => (Channel::AppCreated, 1),
            None => (Channel::Proxy, 0),
        };
        let fault = place.map(|place| &faults[place]);
        assert_eq!(channels[id], expected, "{fault:?}");
        assert_eq!(world.emulator().downloads_of(id), loads, "{fault:?}");
    }
    assert_eq!(world.progress(&run).await.downloads, faults.len() as u64);
    world.assert_archive_is_clean().await;
}

#[tokio::test]
async fn what_is_smaller_or_of_another_kind_than_the_item_is_not_taken_for_its_original() {
    let world = World::by_proxy(Library::Sample, HEAD).await;
    let [lake, tower, chart, garden, motion, clip] = [
        "lake.jpg",
        "tower.jpg",
        "chart.png",
        "garden.heic",
        "motion.jpg",
        "clip.mp4",
    ]
    .map(|name| world.id_of(name));
    for (id, other) in [(&lake, &chart), (&tower, &clip), (&clip, &lake)] {
        world.proxy_fault(id, Effect::OtherItem { id: other.clone() });
    }
    let run = world.back_up(RunChoice::Full).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    let channels = world.channels(&run).await;
    for id in [&lake, &tower, &clip] {
        assert_eq!(channels[id], Channel::AppCreated);
    }
    for id in [&chart, &garden, &motion] {
        assert_eq!(channels[id], Channel::Proxy);
    }
    assert_eq!(world.calls(CallKind::Download), 3);
}

/// Google lists an edited copy, whose original may be larger, and of another type.
#[tokio::test]
async fn an_original_may_be_larger_and_of_another_type_than_google_tells() {
    let world = World::by_proxy(Library::Sample, HEAD).await;
    let (chart, garden) = (world.id_of("chart.png"), world.id_of("garden.heic"));
    world.proxy_fault(&chart, Effect::OtherItem { id: garden.clone() });
    let run = world.back_up(RunChoice::Full).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    let content = world.item(&chart).await.content.expect("its bytes");
    assert_eq!(content.fidelity.channel, Channel::Proxy);
    assert!(content.fidelity.dimensions_differ());
    assert_eq!(content.blob, BlobHash::of(&world.uploaded(&garden)));
    assert_eq!(world.calls(CallKind::Download), 0);
}

#[tokio::test]
async fn a_proxy_that_fails_again_and_again_rests_and_the_run_goes_on_without_it() {
    let world = World::by_proxy(photos(60), HEAD).await;
    let fault = Fault::on(CallKind::Original, status(500));
    world.emulator().fault(fault);
    let run = world.back_up(RunChoice::Full).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    let channels = world.channels(&run).await;
    assert_eq!(channels.len(), 60);
    assert!(channels.values().all(|it| *it == Channel::AppCreated));
    // Three failures, each after one repetition.
    assert_eq!(world.calls(CallKind::Original), 6);
    assert_eq!(world.calls(CallKind::Download), 60);
    assert_eq!(world.progress(&run).await.downloads, 60);
}

#[tokio::test]
async fn whoever_stops_does_not_wait_for_a_proxy_that_hangs() {
    let world = World::by_proxy(photos(8), Duration::from_secs(600)).await;
    let hang = Fault::on(CallKind::Original, Effect::Hang);
    world.emulator().fault(hang);
    let run = world.start(RunChoice::Full).await;
    let asked = async {
        while world.calls(CallKind::Original) == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let soon = Duration::from_secs(30);
    tokio::time::timeout(soon, asked).await.expect("asked");
    let restarted = tokio::time::timeout(soon, world.restart()).await;
    let world = restarted.expect("it stops although the proxy hangs");
    world.emulator().clear_faults(None);
    let run = world.until_over(&run).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    let channels = world.channels(&run).await;
    assert!(channels.values().all(|it| *it == Channel::Proxy));
    assert_eq!((channels.len(), world.calls(CallKind::Download)), (8, 0));
}
