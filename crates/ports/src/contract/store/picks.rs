//! Items that a person picked, and items that are renditions of others.

use tintype_model::{
    item::ProviderId,
    run::{Run, RunMode, RunState},
    shard::ShardKind,
};

use super::{
    items::{all_stored, catalogue, write},
    world::{StoreUnderTest, World, metadata, upsert},
};
use crate::store::{ItemUpsert, PageWrite, PickedItem, StoreError};

fn picked(seq: u64) -> PickedItem {
    let id: ProviderId = format!("Pick_{seq:02}").parse().expect("an id");
    PickedItem {
        seq,
        provider_id: ProviderId::picked(&id).expect("a short id"),
        metadata: metadata(seq),
    }
}

pub async fn a_run_of_picks_is_read_back_as_one(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, first) = world.new_run(0);
    let run = Run {
        mode: RunMode::Picks,
        ..run
    };
    world.store.start_run(&run, &first).await.expect("a run");
    let read = world.store.run(world.tenant, run.id).await.expect("read");
    assert_eq!(read, Some(run.clone()));
    let listed = world.store.runs(world.tenant, world.plan.id, 5).await;
    assert_eq!(listed.expect("read"), std::slice::from_ref(&run));
    world.end(run.id, RunState::Queued).await;
}

pub async fn picked_items_are_found_among_others_in_pages(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let neighbour = world.neighbour("next door").await;
    for of in [&world, &neighbour] {
        let listing = all_stored(of, 3).await;
        // Ids just before and behind theirs in the order of the index.
        let odd = |seq, id: &str| ItemUpsert {
            provider_id: id.parse().expect("an id"),
            ..upsert(seq, None)
        };
        let mut items: Vec<ItemUpsert> = (3..8)
            .map(|seq| ItemUpsert {
                provider_id: picked(seq).provider_id,
                ..upsert(seq, None)
            })
            .collect();
        items.extend([odd(8, "picked"), odd(9, "pickedx"), odd(10, "picked_")]);
        write(of, &listing, items).await;
    }
    let page = async |after: Option<&ProviderId>, limit| {
        let page = world
            .store
            .picked(world.tenant, world.plan.id, after, limit)
            .await;
        page.expect("read")
    };
    let all: Vec<PickedItem> = (3..8).map(picked).collect();
    assert_eq!(page(None, 100).await, all);
    assert_eq!(page(None, 2).await, all[..2]);
    assert_eq!(page(Some(&all[1].provider_id), 100).await, all[2..]);
    assert_eq!(page(Some(&all[4].provider_id), 100).await, []);
}

pub async fn the_last_word_on_a_rendition_stands(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let neighbour = world.neighbour("next door").await;
    let listing = all_stored(&world, 4).await;
    let other = all_stored(&neighbour, 4).await;
    for (of, lease, renditions) in [
        (&world, &listing, vec![(3, 0), (1, 0)]),
        (&world, &listing, vec![(1, 2)]),
        (&neighbour, &other, vec![(2, 0)]),
    ] {
        let page = PageWrite {
            renditions,
            ..PageWrite::default()
        };
        of.store.write_page(lease, &page).await.expect("a page");
    }
    let of = async |world: &World| {
        let all = world.store.renditions(world.tenant, world.plan.id).await;
        all.expect("read")
    };
    assert_eq!(of(&world).await, [(1, 2), (3, 0)]);
    assert_eq!(of(&neighbour).await, [(2, 0)]);

    world.end(listing.shard.run, RunState::Queued).await;
    let page = PageWrite {
        renditions: vec![(0, 1)],
        ..PageWrite::default()
    };
    let stale = world.store.write_page(&listing, &page).await;
    assert!(matches!(stale, Err(StoreError::LeaseLost)), "{stale:?}");
    assert_eq!(of(&world).await.len(), 2);
}

pub async fn items_are_read_by_position(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let listing = all_stored(&world, 6).await;
    assert_eq!(listing.shard.kind, ShardKind::Enumerate);
    let all = catalogue(&world).await;
    let found = world
        .store
        .items_at(world.tenant, world.plan.id, &[4, 1, 4, 99, 0])
        .await
        .expect("read");
    assert_eq!(found, [all[0].clone(), all[1].clone(), all[4].clone()]);
    let none = world.store.items_at(world.tenant, world.plan.id, &[]).await;
    assert_eq!(none.expect("read"), []);
}
