//! Items that are stored as what Google makes of them, and a download proxy that is named later.

use std::{collections::BTreeMap, time::Duration};

use tintype_app::{Settings, Step, runs::RunChoice};
use tintype_emulator::{CallKind, Effect, Fault, ItemBytes, Library, NewItem};
use tintype_model::{
    fidelity::Channel,
    plan::Layout,
    progress::Progress,
    quota::QuotaLimits,
    run::{Run, RunMode, RunState},
};

use crate::{
    picks,
    proxy::{HEAD, photos, status},
    world::World,
};

/// Ids in the order in which the proxy is asked.
async fn in_order(world: &World, run: &Run) -> Vec<String> {
    let store = &world.app().ports().store;
    let items = store.items(run.tenant, run.plan, None, 10_000).await;
    let items = items.expect("items").into_iter();
    items.map(|it| it.provider_id.to_string()).collect()
}

impl World {
    /// One whose photos came from Google, and whose account has a proxy now. Nothing may be downloaded from Google any more.
    async fn stored_by_google(world: Self) -> (Self, Run) {
        let run = world.back_up(RunChoice::Full).await;
        assert_eq!(run.status.state, RunState::Succeeded);
        world.limit(QuotaLimits {
            requests_per_day: 1_000,
            downloads_per_day: 0,
        });
        world.name_proxy().await;
        (world, run)
    }

    async fn next_run(&self) -> (Run, Progress) {
        let run = self.back_up(RunChoice::Routine).await;
        assert_eq!(run.mode, RunMode::Routine);
        assert_eq!(run.status.state, RunState::Succeeded, "{:?}", run.status);
        let progress = self.progress(&run).await;
        assert_eq!((progress.stored, progress.failed), (0, 0));
        (run, progress)
    }

    fn asked(&self) -> u64 {
        self.calls(CallKind::Original)
    }

    async fn until_asked(&self, count: u64) {
        let asked = async {
            while self.asked() < count {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let soon = Duration::from_secs(30);
        tokio::time::timeout(soon, asked).await.expect("asked");
    }

    /// One with a run at work whose proxy has given so many originals and hangs at the next.
    async fn with_a_hanging_proxy(count: u64, given: usize) -> (Self, Run) {
        let world = Self::beside_proxy(photos(count), Duration::from_secs(600), |_| {}).await;
        let (world, first) = Self::stored_by_google(world).await;
        let order = in_order(&world, &first).await;
        world.proxy_fault(&order[given], Effect::Hang);
        let run = world.start(RunChoice::Routine).await;
        world.until_asked(given as u64 + 1).await;
        (world, run)
    }

    async fn by_proxy_in(&self, run: &Run) -> Vec<String> {
        let channels: BTreeMap<String, Channel> = self.channels(run).await;
        let by_proxy = channels.into_iter().filter(|it| it.1 == Channel::Proxy);
        by_proxy.map(|(id, _)| id).collect()
    }
}

#[tokio::test]
async fn a_proxy_that_is_named_later_gives_the_originals_of_what_is_stored() {
    let world = World::beside_proxy(Library::Sample, HEAD, |_| {}).await;
    let (world, first) = World::stored_by_google(world).await;
    let old = world.manifest(&first).await;
    let downloads = world.calls(CallKind::Download);
    let (run, progress) = world.next_run().await;
    let new = world.manifest(&run).await;
    assert_ne!(run.snapshot, first.snapshot);
    assert_eq!(world.by_proxy_in(&run).await.len(), 6);
    let bytes: u64 = new.items.values().map(|it| it.content.size).sum();
    assert_eq!((progress.originals, progress.bytes), (6, bytes));
    assert_eq!((progress.queued, progress.downloads), (0, 0));
    assert_eq!(world.asked(), 6);
    assert_eq!(world.calls(CallKind::Download), downloads);
    // What Google made of them is there as well, for the snapshot before.
    world.assert_manifest_is_what_google_serves(&old);
    world.assert_archive_is_clean().await;

    // Nothing is left to ask for: no shard, and the snapshot stays.
    let (again, progress) = world.next_run().await;
    assert_eq!((again.snapshot, progress.originals), (run.snapshot, 0));
    let full = world.back_up(RunChoice::Full).await;
    assert_eq!((full.snapshot, world.asked()), (run.snapshot, 6));
}

#[tokio::test]
async fn what_a_proxy_does_not_give_stays_and_is_asked_for_again_by_a_full_run() {
    let world = World::beside_proxy(Library::Sample, HEAD, |_| {}).await;
    let (world, first) = World::stored_by_google(world).await;
    let downloads = world.calls(CallKind::Download);
    let order = in_order(&world, &first).await;
    // Not one after the other, or the proxy would rest.
    let wrong = [&order[0], &order[2], &order[4]];
    let smallest = world.id_of("chart.png");
    let other = if wrong.contains(&&smallest) {
        &order[1]
    } else {
        &smallest
    };
    world.proxy_fault(wrong[0], status(404));
    world.proxy_fault(wrong[1], Effect::OtherItem { id: other.clone() });
    world.proxy_fault(wrong[2], Effect::Html);
    let (run, progress) = world.next_run().await;
    assert_eq!((progress.originals, world.asked()), (3, 6));
    let (old, new) = (world.manifest(&first).await, world.manifest(&run).await);
    for id in wrong {
        assert_eq!(new.items[id].content, old.items[id].content);
    }
    world.assert_archive_is_clean().await;

    let (same, _) = world.next_run().await;
    assert_eq!((same.snapshot, world.asked()), (run.snapshot, 6));
    let full = world.back_up(RunChoice::Full).await;
    assert_eq!(full.status.state, RunState::Succeeded);
    assert_eq!((full.snapshot, world.asked()), (run.snapshot, 9));

    // Another proxy may have them.
    world.emulator().clear_faults(None);
    let elsewhere = world.google_url().replace("127.0.0.1", "localhost");
    world.name_proxy_at(&format!("{elsewhere}/gphotosdl")).await;
    let (last, progress) = world.next_run().await;
    assert_eq!((progress.originals, world.asked()), (3, 12));
    assert_eq!(world.by_proxy_in(&last).await.len(), 6);
    assert_eq!(world.calls(CallKind::Download), downloads);
}

#[tokio::test]
async fn a_proxy_that_is_smaller_in_what_it_gives_changes_nothing() {
    let world = World::beside_proxy(Library::Sample, HEAD, |_| {}).await;
    let (world, first) = World::stored_by_google(world).await;
    let [lake, chart] = ["lake.jpg", "chart.png"].map(|name| world.id_of(name));
    world.proxy_fault(&lake, Effect::OtherItem { id: chart });
    let (run, progress) = world.next_run().await;
    assert_eq!(progress.originals, 5);
    let (old, new) = (world.manifest(&first).await, world.manifest(&run).await);
    assert_eq!(new.items[&lake].content, old.items[&lake].content);
}

#[tokio::test]
async fn a_proxy_that_fails_again_and_again_is_left_and_the_next_run_goes_on_there() {
    let world = World::beside_proxy(photos(12), HEAD, |_| {}).await;
    let (world, first) = World::stored_by_google(world).await;
    let downloads = world.calls(CallKind::Download);
    let order = in_order(&world, &first).await;
    for id in &order[4..] {
        world.proxy_fault(id, status(500));
    }
    let (run, progress) = world.next_run().await;
    assert_eq!(progress.originals, 4);
    // Three more failed, each after one repetition. Then it rests.
    assert_eq!(world.asked(), 4 + 6);
    let (resting, progress) = world.next_run().await;
    assert_eq!((resting.snapshot, progress.originals), (run.snapshot, 0));
    assert_eq!(world.asked(), 10);

    world.emulator().clear_faults(None);
    let world = world.restart().await;
    let (last, progress) = world.next_run().await;
    assert_eq!((progress.originals, world.asked()), (5, 15));
    // Those that it failed at have their turn again in a full run.
    let by_proxy = world.by_proxy_in(&last).await;
    assert!(order[4..7].iter().all(|id| !by_proxy.contains(id)));
    let full = world.back_up(RunChoice::Full).await;
    assert_eq!(world.progress(&full).await.originals, 3);
    assert_eq!(world.by_proxy_in(&full).await.len(), 12);
    assert_eq!(world.calls(CallKind::Download), downloads);
}

#[tokio::test]
async fn more_than_a_run_asks_for_is_spread_over_runs() {
    let few = |it: &mut tintype_app::Settings| it.originals_per_run = 3;
    let world = World::beside_proxy(photos(7), HEAD, few).await;
    let (world, first) = World::stored_by_google(world).await;
    let order = in_order(&world, &first).await;
    world.proxy_fault(&order[1], status(404));
    let mut last = first;
    for (replaced, asked) in [(2, 3), (3, 6), (1, 7), (0, 7)] {
        let (run, progress) = world.next_run().await;
        assert_eq!((progress.originals, world.asked()), (replaced, asked));
        last = run;
    }
    assert_eq!(world.by_proxy_in(&last).await.len(), 6);
    world.assert_archive_is_clean().await;
}

#[tokio::test]
async fn full_runs_alone_come_to_the_end_before_they_ask_again() {
    let few = |it: &mut Settings| it.originals_per_run = 2;
    let world = World::beside_proxy(photos(6), HEAD, few).await;
    let (world, first) = World::stored_by_google(world).await;
    let order = in_order(&world, &first).await;
    world.proxy_fault(&order[0], status(404));
    for replaced in [1, 3, 5] {
        let full = world.back_up(RunChoice::Full).await;
        assert_eq!(world.by_proxy_in(&full).await.len(), replaced);
    }
    world.emulator().clear_faults(None);
    let full = world.back_up(RunChoice::Full).await;
    assert_eq!(world.by_proxy_in(&full).await.len(), 6);
    assert_eq!(world.asked(), 7);
}

#[tokio::test]
async fn new_photos_and_older_ones_are_each_asked_for_once_in_a_run() {
    let world = World::beside_proxy(photos(4), HEAD, |_| {}).await;
    let (world, _) = World::stored_by_google(world).await;
    world.limit(QuotaLimits {
        requests_per_day: 1_000,
        downloads_per_day: 1_000,
    });
    let later = world.now().timestamp_millis();
    let new = ["a.jpg", "b.jpg"].map(|name| world.add_photo(name, Some(later)));
    world.proxy_fault(&new[0], status(404));
    let run = world.back_up(RunChoice::Routine).await;
    let progress = world.progress(&run).await;
    assert_eq!((progress.stored, progress.originals), (2, 4));
    assert_eq!((progress.downloads, world.asked()), (1, 6));
    let by_proxy = world.by_proxy_in(&run).await;
    assert_eq!((by_proxy.len(), by_proxy.contains(&new[0])), (5, false));
    // What was missing when it was new has one more chance, and then waits for a full run.
    let (_, progress) = world.next_run().await;
    assert_eq!((progress.originals, world.asked()), (0, 7));
    world.next_run().await;
    assert_eq!(world.asked(), 7);
}

#[tokio::test]
async fn what_a_proxy_did_not_have_a_moment_ago_is_left_to_the_next_run() {
    let world = World::by_proxy(photos(110), HEAD).await;
    let ids = world.item_ids();
    for id in ids.iter().step_by(2) {
        world.proxy_fault(id, status(404));
    }
    // Long before the listing ends its first page is stored.
    world.emulator().set(|switches| {
        switches.latency_ms.insert(CallKind::Search, 1_500);
    });
    let run = world.back_up(RunChoice::Full).await;
    let progress = world.progress(&run).await;
    assert_eq!((progress.stored, progress.originals), (110, 0));
    assert_eq!((world.asked(), progress.downloads), (110, 55));
    world.emulator().clear_faults(None);
    let (_, progress) = world.next_run().await;
    assert_eq!((progress.originals, world.asked()), (55, 165));
}

#[tokio::test]
async fn a_run_that_is_cancelled_loses_nothing_and_the_next_one_goes_on() {
    let (world, run) = World::with_a_hanging_proxy(8, 3).await;
    let downloads = world.calls(CallKind::Download);
    let cancelled = world.app().cancel_run(run.tenant, run.id).await;
    cancelled.expect("cancelled");
    world.until_over(&run).await;
    assert_eq!(world.progress(&run).await.originals, 3);
    world.emulator().clear_faults(None);
    let (next, progress) = world.next_run().await;
    assert_eq!((progress.originals, world.asked()), (5, 9));
    assert_eq!(world.by_proxy_in(&next).await.len(), 8);
    assert_eq!(world.calls(CallKind::Download), downloads);
    world.assert_archive_is_clean().await;
}

#[tokio::test]
async fn whoever_stops_does_not_wait_for_a_hanging_proxy_and_the_run_goes_on() {
    let (world, run) = World::with_a_hanging_proxy(6, 2).await;
    let downloads = world.calls(CallKind::Download);
    let soon = Duration::from_secs(30);
    let restarted = tokio::time::timeout(soon, world.restart()).await;
    let world = restarted.expect("it stops although the proxy hangs");
    world.emulator().clear_faults(None);
    let run = world.until_over(&run).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    let originals = world.progress(&run).await.originals;
    assert_eq!((originals, world.asked()), (6, 7));
    assert_eq!(world.by_proxy_in(&run).await.len(), 6);
    assert_eq!(world.calls(CallKind::Download), downloads);
}

#[tokio::test]
async fn whatever_dies_on_the_way_nothing_is_lost_or_counted_twice() {
    let steps = [
        Step::PageWritten,
        Step::Downloaded,
        Step::Committed,
        Step::Recorded,
    ];
    for step in steps {
        let world = World::beside_proxy(photos(3), HEAD, |_| {}).await;
        let (world, _) = World::stored_by_google(world).await;
        let downloads = world.calls(CallKind::Download);
        world.break_once_at(step);
        let (run, progress) = world.next_run().await;
        assert_eq!((world.deaths(), progress.originals), (1, 3), "{step}");
        assert_eq!(world.by_proxy_in(&run).await.len(), 3);
        assert_eq!(world.calls(CallKind::Download), downloads);
        world.assert_archive_is_clean().await;
    }
}

#[tokio::test]
async fn a_listing_that_dies_behind_its_last_write_cuts_no_second_shard() {
    let world = World::beside_proxy(photos(4), HEAD, |_| {}).await;
    let (world, first) = World::stored_by_google(world).await;
    let order = in_order(&world, &first).await;
    // The shard is not through when the listing is tried again.
    world.proxy_fault(&order[0], Effect::Hang);
    // Whatever is written kills who wrote it: what was found, and the shard.
    world.break_at(Some(Step::PageWritten));
    let (_, progress) = world.next_run().await;
    assert_eq!(world.deaths(), 2);
    assert_eq!((progress.originals, world.asked()), (3, 4));
}

#[tokio::test]
async fn in_a_mirror_an_original_lies_beside_the_older_file() {
    let world = World::with_layout(Library::Sample, Layout::Mirror).await;
    // The second one of a name has a name of its own already.
    for _ in 0..2 {
        let bytes = ItemBytes::Sample("lake.jpg".into());
        world.add("twin", NewItem::new("same.jpg", bytes));
    }
    let (world, first) = World::stored_by_google(world).await;
    let (run, progress) = world.next_run().await;
    assert_eq!(progress.originals, 8);
    let (old, new) = (world.manifest(&first).await, world.manifest(&run).await);
    let mut beside = 0;
    for (id, item) in &new.items {
        let (old, new) = (&old.items[id].content, &item.content);
        // Where Google took nothing away, one file is enough.
        assert_eq!(old.path == new.path, old.blob == new.blob, "{id}");
        beside += u32::from(old.path != new.path);
    }
    assert!((3..8).contains(&beside), "{beside}");
    assert_eq!(world.by_proxy_in(&run).await.len(), 8);
    // The files of both snapshots are whole.
    world.assert_archive_is_clean().await;
}

#[tokio::test]
async fn what_a_person_picked_is_not_asked_for() {
    let world = picks::world(3).await;
    world.back_up(RunChoice::Full).await;
    let others: Vec<String> = (0..4)
        .map(|it| picks::of_camera(&world, it, 20_000))
        .collect();
    let picked = picks::pick(&world, &others).await;
    assert_eq!(picked.status.state, RunState::Succeeded);
    world.name_proxy().await;
    let (run, progress) = world.next_run().await;
    assert_eq!((progress.originals, world.asked()), (3, 3));
    let manifest = world.manifest(&run).await;
    assert_eq!(manifest.items.len(), 7);
    // A run of picks asks for nothing.
    let more = vec![picks::of_camera(&world, 9, 20_000)];
    picks::pick(&world, &more).await;
    assert_eq!(world.asked(), 3);
}

#[tokio::test]
async fn a_proxy_that_is_taken_back_meanwhile_is_not_asked() {
    let world = World::beside_proxy(photos(4), HEAD, |_| {}).await;
    let (world, first) = World::stored_by_google(world).await;
    let order = in_order(&world, &first).await;
    let slow = Fault::on(CallKind::Original, Effect::Hang).item(&order[1]);
    world.emulator().fault(slow);
    let run = world.start(RunChoice::Routine).await;
    world.until_asked(2).await;
    world.choose(|it| it.proxy = None).await;
    let world = world.restart().await;
    let run = world.until_over(&run).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    assert_eq!(
        (world.progress(&run).await.originals, world.asked()),
        (1, 2)
    );
}
