//! Listings, albums and items by id.

use std::collections::HashSet;

use tintype_emulator::{Generated, Library};
use tintype_model::item::{MediaKind, ProviderId};
use tintype_ports::photos::{PhotoError, Scope};

use crate::world::{LIBRARY, World};

async fn all_ids(world: &World, scope: &Scope) -> Vec<ProviderId> {
    let mut ids = Vec::new();
    let mut token = None;
    loop {
        let page = world.source.list(scope, token.as_deref()).await.unwrap();
        assert_eq!(page.malformed, None);
        ids.extend(page.entries.into_iter().map(|item| item.id));
        token = page.next;
        if token.is_none() {
            return ids;
        }
    }
}

#[tokio::test]
async fn a_library_is_listed_at_one_request_for_a_hundred_items() {
    let world = World::with_photos(250).await;
    let ids = all_ids(&world, &LIBRARY).await;
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 250);
    assert_eq!(world.gate.admits(), 3);
    world.close().await;
}

#[tokio::test]
async fn overlapping_short_and_empty_pages_lose_nothing() {
    let world = World::with_photos(120).await;
    world.control.set(|it| {
        it.page_overlap = true;
        it.short_pages = true;
        it.empty_pages = true;
    });
    let ids = all_ids(&world, &LIBRARY).await;
    assert_eq!(ids.into_iter().collect::<HashSet<_>>().len(), 120);
    world.close().await;
}

#[tokio::test]
async fn archived_items_are_listed_only_when_asked_for() {
    let library = Generated {
        archived_every: 10,
        ..Generated::photos(50, 1024)
    };
    let world = World::with(Library::Generated(library)).await;
    let visible = all_ids(
        &world,
        &Scope::Library {
            include_archived: false,
        },
    )
    .await
    .len();
    let all = all_ids(&world, &LIBRARY).await.len();
    assert_eq!((visible, all), (45, 50));
    world.close().await;
}

#[tokio::test]
async fn albums_are_listed_and_so_are_their_items() {
    let library = Generated {
        albums: 60,
        album_items: 7,
        ..Generated::photos(200, 1024)
    };
    let world = World::with(Library::Generated(library)).await;
    let first = world.source.albums(None).await.unwrap();
    let second = world.source.albums(first.next.as_deref()).await.unwrap();
    assert_eq!(
        (first.entries.len(), second.entries.len(), second.next),
        (50, 10, None)
    );
    let album = &first.entries[0];
    let items = all_ids(&world, &Scope::Album(album.provider_id.clone())).await;
    assert_eq!((items.len() as u64, album.items_count), (7, 7));
    world.close().await;
}

#[tokio::test]
async fn items_come_in_the_order_asked_and_unknown_ones_have_an_error_of_their_own() {
    let world = World::with_photos(3).await;
    let mut ids = all_ids(&world, &LIBRARY).await;
    ids.reverse();
    ids.insert(
        1,
        "no-such-item-no-such-item-no-such-item-no-such-item-abcde"
            .parse()
            .unwrap(),
    );
    let mut found = world.source.items(&ids).await.unwrap();
    assert!(matches!(found.remove(1), Err(PhotoError::ItemNotFound)));
    ids.remove(1);
    let found = found
        .into_iter()
        .map(|item| item.unwrap().id)
        .collect::<Vec<_>>();
    assert_eq!(found, ids);
    world.close().await;
}

#[tokio::test]
async fn more_ids_than_google_takes_cost_no_call() {
    let world = World::with_photos(1).await;
    let id = world.first_item().await.id;
    for ids in [vec![], vec![id; 51]] {
        assert!(matches!(
            world.source.items(&ids).await,
            Err(PhotoError::Rejected(_))
        ));
    }
    assert_eq!(world.gate.admits(), 1);
    world.close().await;
}

#[tokio::test]
async fn a_video_in_processing_has_no_base_url_yet() {
    let library = Library::Generated(Generated::videos(1, 4096));
    let world = World::with(library).await;
    let item = world.first_item().await;
    assert_eq!(item.metadata.kind, MediaKind::Video);
    assert!(item.base_url.is_some() && !item.metadata.is_processing());
    let change = tintype_emulator::ItemChange {
        processing_ms: Some(60_000),
        ..Default::default()
    };
    world.control.change_item(item.id.as_str(), change).unwrap();
    let item = world.first_item().await;
    assert!(item.base_url.is_none() && item.metadata.is_processing());
    world.close().await;
}
