//! Uploads of backups and from other accounts, and what they would do.

use tintype_app::runs::RunChoice;
use tintype_emulator::{CallKind, Generated, ItemBytes, Library, NewItem};
use tintype_model::{
    plan::{UploadFrom, UploadOptions},
    quota::QuotaLimits,
    run::RunState,
};

use crate::upload::{empty, upload};
use crate::world::{World, photo};

#[tokio::test]
async fn a_backup_goes_back_and_what_is_still_there_stays_one() {
    let world = World::new(Library::Generated(Generated::photos(130, 20_000))).await;
    world.add(
        "described",
        NewItem {
            description: Some("by the sea".into()),
            ..NewItem::new("sea.jpg", ItemBytes::Photo(20_000))
        },
    );
    world.back_up(RunChoice::Full).await;
    let ids = world.item_ids();
    for id in &ids[..40] {
        world.emulator().remove_item(id).expect("removed");
    }
    let sea_is_gone = !world.names_in(World::EMAIL).contains_key("sea.jpg");
    let backup = world.backup();
    let options = UploadOptions {
        from: UploadFrom::Snapshot {
            plan: backup.plan,
            snapshot: None,
        },
        albums: true,
    };
    let plan = world
        .restore_plan(options, world.account())
        .await
        .expect("a plan");
    world.emulator().reset_ledger();
    let run = upload(&world, &plan).await;
    assert_eq!(run.status.state, RunState::Succeeded, "{:?}", run.status);
    let names = world.names_in(World::EMAIL);
    assert_eq!(names.values().sum::<usize>(), 131);
    assert_eq!(world.calls(CallKind::UploadRaw), 40);
    if sea_is_gone {
        let told = world.descriptions_in(World::EMAIL).await;
        assert_eq!(told["sea.jpg"], "by the sea");
    }
}

#[tokio::test]
async fn a_backup_goes_into_another_account_with_albums_and_descriptions() {
    let world = World::new(Library::Sample).await;
    world.back_up(RunChoice::Full).await;
    let before = world.albums_in(World::EMAIL).await;
    assert!(!before.is_empty());
    let other = world.second_account("other@example.com").await;
    let options = UploadOptions {
        from: UploadFrom::Snapshot {
            plan: world.backup().plan,
            snapshot: None,
        },
        albums: true,
    };
    let plan = world.restore_plan(options, other).await.expect("a plan");
    let run = upload(&world, &plan).await;
    assert_eq!(run.status.state, RunState::Succeeded, "{:?}", run.status);
    assert_eq!(
        world.names_in("other@example.com"),
        world.names_in(World::EMAIL)
    );
    assert_eq!(world.albums_in("other@example.com").await, before);
    assert_eq!(
        world.descriptions_in("other@example.com").await,
        world.descriptions_in(World::EMAIL).await
    );
}

#[tokio::test]
async fn five_hundred_items_move_from_account_to_account_with_albums_and_descriptions() {
    let world = empty().await;
    let albums: Vec<String> = (0..3)
        .map(|n| world.add_album(&format!("Album {n}")))
        .collect();
    for number in 0..500 {
        let album = (number % 5 != 0).then(|| albums[number % 3].clone());
        world.add(
            "an item",
            NewItem {
                description: (number % 2 == 0).then(|| format!("described {number}")),
                album,
                ..NewItem::new(format!("item-{number:03}.jpg"), ItemBytes::Photo(5_000))
            },
        );
    }
    let other = world.second_account("other@example.com").await;
    let plan = world
        .plan_between(world.account(), other, None)
        .await
        .expect("a plan");
    let party = world.party_of(&plan);
    world.emulator().reset_ledger();
    let run = upload(&world, &party).await;
    assert_eq!(run.status.state, RunState::Succeeded, "{:?}", run.status);
    let progress = world.progress(&run).await;
    assert_eq!(
        (progress.stored, progress.failed, progress.downloads),
        (500, 0, 500)
    );
    assert_eq!(
        world.names_in("other@example.com"),
        world.names_in(World::EMAIL)
    );
    assert_eq!(
        world.albums_in("other@example.com").await,
        world.albums_in(World::EMAIL).await
    );
    assert_eq!(
        world.descriptions_in("other@example.com").await,
        world.descriptions_in(World::EMAIL).await
    );
    world.emulator().reset_ledger();
    let again = upload(&world, &party).await;
    assert_eq!(again.status.state, RunState::Succeeded);
    assert_eq!(world.calls(CallKind::UploadRaw), 0);
    assert_eq!(world.calls(CallKind::AlbumAdd), 0);
}

#[tokio::test]
async fn a_preflight_tells_what_an_upload_would_do_and_asks_google_nothing() {
    let world = empty().await;
    let folder = world.folder("pictures");
    world.put_photos(&folder, "a/", 0..120);
    world.put(&folder, "notes.txt", b"not a photo");
    world.put(&folder, "empty.jpg", b"");
    let party = world.upload_plan(&folder).await;
    world.limit(QuotaLimits {
        requests_per_day: 50,
        downloads_per_day: 1_000,
    });
    world.emulator().reset_ledger();
    let found = world
        .app()
        .preflight(party.tenant, party.plan)
        .await
        .expect("a look");
    assert_eq!((found.files, found.uploads, found.done), (122, 120, 0));
    // 120 for the bytes, 3 for the batches, 1 for the album.
    assert_eq!(found.requests, 124);
    assert_eq!(
        found.bytes,
        (0..120).map(|n| photo(n).len() as u64).sum::<u64>()
    );
    assert_eq!(found.refused.values().sum::<u64>(), 2);
    assert_eq!(found.named.len(), 2);
    assert_eq!(found.forecast.expect("a forecast").quota_days, 3);
    assert_eq!(world.all_calls(), 0);
}
