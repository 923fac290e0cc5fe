//! Albums and their members.

use tintype_model::{album::Album, item::ProviderId, shard::Lease};

use super::world::{StoreUnderTest, World, provider_id};
use crate::store::PageWrite;

fn album(id: &str, title: &str) -> Album {
    Album {
        provider_id: provider_id(id),
        title: title.into(),
        items_count: 3,
    }
}

fn ids(texts: &[&str]) -> Vec<ProviderId> {
    texts.iter().map(|text| provider_id(text)).collect()
}

async fn write(world: &World, listing: &Lease, page: PageWrite) {
    world
        .store
        .write_page(listing, &page)
        .await
        .expect("a page");
}

async fn members(world: &World, album: &str, from: u64, limit: u32) -> Vec<ProviderId> {
    let album = provider_id(album);
    world
        .store
        .album_members(world.tenant, world.plan.id, &album, from, limit)
        .await
        .expect("read")
}

async fn size(world: &World, album: &str) -> u64 {
    world
        .store
        .album_size(world.tenant, world.plan.id, &provider_id(album))
        .await
        .expect("read")
}

pub async fn albums_keep_their_order_and_their_last_facts(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    let albums = vec![(1, album("a", "Lake")), (0, album("z", "Sea\0"))];
    write(
        &world,
        &listing,
        PageWrite {
            albums,
            ..PageWrite::default()
        },
    )
    .await;
    let members = vec![(provider_id("a"), 0, ids(&["one", "two"]))];
    write(
        &world,
        &listing,
        PageWrite {
            members,
            ..PageWrite::default()
        },
    )
    .await;
    let albums = vec![(1, album("a", "The lake"))];
    write(
        &world,
        &listing,
        PageWrite {
            albums,
            ..PageWrite::default()
        },
    )
    .await;
    let listed = world
        .store
        .albums(world.tenant, world.plan.id)
        .await
        .expect("read");
    assert_eq!(listed, [album("z", "Sea\0"), album("a", "The lake")]);
    assert_eq!(
        size(&world, "a").await,
        2,
        "new facts leave the members alone"
    );
}

pub async fn members_are_replaced_from_a_position_on(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    let page = PageWrite {
        albums: vec![(0, album("a", "Lake")), (1, album("b", "Sea"))],
        members: vec![
            (provider_id("a"), 0, ids(&["1", "2", "3", "4"])),
            (provider_id("b"), 0, ids(&["4", "3"])),
        ],
        ..PageWrite::default()
    };
    write(&world, &listing, page).await;
    assert_eq!(members(&world, "a", 0, 9).await, ids(&["1", "2", "3", "4"]));
    assert_eq!(members(&world, "a", 1, 2).await, ids(&["2", "3"]));
    let shorter = vec![(provider_id("a"), 2, ids(&["9"]))];
    write(
        &world,
        &listing,
        PageWrite {
            members: shorter,
            ..PageWrite::default()
        },
    )
    .await;
    assert_eq!(members(&world, "a", 0, 9).await, ids(&["1", "2", "9"]));
    let cut = vec![(provider_id("a"), 1, Vec::new())];
    write(
        &world,
        &listing,
        PageWrite {
            members: cut,
            ..PageWrite::default()
        },
    )
    .await;
    assert_eq!(members(&world, "a", 0, 9).await, ids(&["1"]));
    assert_eq!(members(&world, "b", 0, 9).await, ids(&["4", "3"]));
}

pub async fn an_album_that_is_gone_takes_its_members_along(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    let page = PageWrite {
        albums: vec![(0, album("a", "Lake")), (1, album("b", "Sea"))],
        members: vec![
            (provider_id("a"), 0, ids(&["1"])),
            (provider_id("b"), 0, ids(&["1"])),
        ],
        ..PageWrite::default()
    };
    write(&world, &listing, page).await;
    write(
        &world,
        &listing,
        PageWrite {
            albums_gone: ids(&["a"]),
            ..PageWrite::default()
        },
    )
    .await;
    let listed = world
        .store
        .albums(world.tenant, world.plan.id)
        .await
        .expect("read");
    assert_eq!(listed, [album("b", "Sea")]);
    assert_eq!((size(&world, "a").await, size(&world, "b").await), (0, 1));
}
