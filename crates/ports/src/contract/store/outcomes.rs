//! Items: what became of them, and what is left.

use tintype_model::{
    item::{Item, ItemMetadata, ItemState},
    progress::Progress,
    run::RunState,
    shard::ShardKind,
};

use super::{
    items::{all_stored, catalogue, known, waiting, write},
    world::{
        StoreUnderTest, World, content, counts, failed, fault, item_id, metadata, stored, upsert,
    },
};
use crate::store::{FailedItem, ItemUpsert, PageWrite, StoreError};

pub async fn what_is_recorded_is_read_back(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, listing) = world.listing().await;
    let shard = world.list(&listing, 0..3).await;
    let transfer = world.lease(&shard).await;
    world
        .store
        .record(&transfer, &[stored(2), failed(0)], &counts(1))
        .await
        .expect("recorded");
    let item = |seq, state, content, fault| Item {
        seq,
        provider_id: item_id(seq),
        metadata: metadata(seq),
        state,
        content,
        fault,
        gone: false,
    };
    let expected = [
        item(0, ItemState::Failed, None, Some(fault())),
        item(1, ItemState::Pending, None, None),
        item(2, ItemState::Stored, Some(content(2)), None),
    ];
    assert_eq!(catalogue(&world).await, expected);
    assert_eq!(
        world
            .store
            .pending(world.tenant, shard.id, None, 9)
            .await
            .expect("read"),
        [waiting(1)]
    );
    assert_eq!(
        world
            .store
            .unstored(world.tenant, world.plan.id)
            .await
            .expect("read"),
        2
    );
    assert_eq!(
        world
            .store
            .progress(world.tenant, run.id)
            .await
            .expect("read"),
        counts(1)
    );
    assert_eq!(
        (known(&world, 0).await.shard, known(&world, 2).await.shard),
        (None, None)
    );
}

pub async fn a_batch_recorded_twice_has_one_effect(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    let shard = world.list(&listing, 0..2).await;
    let transfer = world.lease(&shard).await;
    world
        .store
        .record(&transfer, &[stored(0), stored(1)], &Progress::default())
        .await
        .expect("recorded");
    let before = catalogue(&world).await;
    world
        .store
        .record(&transfer, &[failed(0), stored(1)], &Progress::default())
        .await
        .expect("no effect");
    assert_eq!(catalogue(&world).await, before);
}

pub async fn items_of_another_shard_are_not_recorded(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    let mine = world.list(&listing, 0..1).await;
    let other = world.list(&listing, 1..2).await;
    let lease = world.lease(&mine).await;
    world
        .store
        .record(&lease, &[stored(1)], &Progress::default())
        .await
        .expect("no effect");
    assert_eq!(
        world
            .store
            .pending(world.tenant, other.id, None, 9)
            .await
            .expect("read"),
        [waiting(1)]
    );
}

pub async fn newer_bytes_take_the_place_of_older_ones(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let listing = all_stored(&world, 2).await;
    let shard = world.list(&listing, 0..3).await;
    let transfer = world.lease(&shard).await;
    let mut newer = stored(0);
    newer.result = Ok(content(70));
    world
        .store
        .record(&transfer, &[newer, failed(1), stored(2)], &counts(1))
        .await
        .expect("recorded");
    let items = catalogue(&world).await;
    let states: Vec<_> = items
        .into_iter()
        .map(|item| (item.state, item.content))
        .collect();
    let expected = [
        (ItemState::Stored, Some(content(70))),
        (ItemState::Failed, Some(content(1))),
        (ItemState::Stored, Some(content(2))),
    ];
    assert_eq!(states, expected);
}

pub async fn items_wait_in_shards_of_their_own_write(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    let earlier = world.list(&listing, 0..1).await;
    let page = PageWrite {
        items: vec![upsert(1, Some(earlier.id))],
        ..PageWrite::default()
    };
    let refused = world.store.write_page(&listing, &page).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
}

pub async fn gone_items_come_back(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let listing = all_stored(&world, 4).await;
    let present = async || {
        let present = world
            .store
            .present(world.tenant, world.plan.id, None, 9)
            .await
            .expect("read");
        present.into_iter().map(|(seq, _)| seq).collect::<Vec<_>>()
    };
    let page = PageWrite {
        gone: vec![1, 2, 3],
        ..PageWrite::default()
    };
    world
        .store
        .write_page(&listing, &page)
        .await
        .expect("a page");
    assert_eq!(present().await, [0]);
    assert!(known(&world, 2).await.gone);
    // One is shown unchanged, one is shown changed.
    let page = PageWrite {
        back: vec![2],
        items: vec![upsert(3, None)],
        ..PageWrite::default()
    };
    world
        .store
        .write_page(&listing, &page)
        .await
        .expect("a page");
    assert_eq!(present().await, [0, 2, 3]);
    assert!(catalogue(&world).await[1].gone);
}

pub async fn leftovers_are_what_no_open_shard_will_do(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, listing) = world.listing().await;
    let first = world.list(&listing, 0..4).await;
    write(&world, &listing, vec![upsert(4, None)]).await;
    let transfer = world.lease(&first).await;
    world
        .store
        .record(
            &transfer,
            &[stored(0), failed(1), failed(2)],
            &Progress::default(),
        )
        .await
        .expect("recorded");
    let page = PageWrite {
        gone: vec![2],
        ..PageWrite::default()
    };
    world
        .store
        .write_page(&listing, &page)
        .await
        .expect("a page");
    let leftovers = async |after, limit| {
        let items = world
            .store
            .leftovers(world.tenant, world.plan.id, after, limit)
            .await
            .expect("read");
        items.into_iter().map(|item| item.seq).collect::<Vec<_>>()
    };
    assert_eq!(
        leftovers(None, 9).await,
        [1, 4],
        "item 3 waits in an open shard, item 2 is gone"
    );
    assert_eq!(
        world
            .store
            .unstored(world.tenant, world.plan.id)
            .await
            .expect("read"),
        3
    );
    world.end(run.id, RunState::Queued).await;
    assert_eq!(leftovers(None, 9).await, [1, 3, 4]);
    assert_eq!(leftovers(None, 1).await, [1]);
    assert_eq!(leftovers(Some(1), 9).await, [3, 4]);
}

pub async fn pages_of_items_follow_each_other(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    let shard = world.list(&listing, 0..5).await;
    let (store, tenant, plan) = (&world.store, world.tenant, world.plan.id);
    let items = store.items(tenant, plan, Some(1), 2).await.expect("read");
    assert_eq!(
        items.iter().map(|item| item.seq).collect::<Vec<_>>(),
        [2, 3]
    );
    let present = store.present(tenant, plan, Some(3), 2).await.expect("read");
    assert_eq!(present, [(4, item_id(4))]);
    let pending = store
        .pending(tenant, shard.id, Some(0), 1)
        .await
        .expect("read");
    assert_eq!(pending, [waiting(1)]);
    assert_eq!(
        store.items(tenant, plan, Some(4), 2).await.expect("read"),
        []
    );
}

pub async fn any_text_survives(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    let shard = world.shard(listing.shard.run, ShardKind::Transfer);
    let filename = "a\0b\u{202e}\\u0000'\"../\u{1F4F7}\u{301}".to_owned();
    let strange = ItemMetadata {
        filename,
        description: Some("\0".into()),
        ..metadata(0)
    };
    let page = PageWrite {
        items: vec![ItemUpsert {
            metadata: strange.clone(),
            ..upsert(0, Some(shard.id))
        }],
        shards: vec![shard.clone()],
        ..PageWrite::default()
    };
    world
        .store
        .write_page(&listing, &page)
        .await
        .expect("a page");
    let lease = world.lease(&shard).await;
    let mut outcome = failed(0);
    let message = "the server said \0".to_owned();
    outcome.result = Err(tintype_model::item::ItemFault {
        message: message.clone(),
        ..fault()
    });
    world
        .store
        .record(&lease, &[outcome], &Progress::default())
        .await
        .expect("recorded");
    let item = catalogue(&world).await.remove(0);
    assert_eq!(item.metadata, strange);
    assert_eq!(item.fault.map(|fault| fault.message), Some(message));
}

pub async fn a_thousand_items_go_in_one_page(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    let shard = world.list(&listing, 0..1_000).await;
    let transfer = world.lease(&shard).await;
    let outcomes: Vec<_> = (0..1_000).map(stored).collect();
    world
        .store
        .record(&transfer, &outcomes, &Progress::default())
        .await
        .expect("recorded");
    assert_eq!(
        world
            .store
            .unstored(world.tenant, world.plan.id)
            .await
            .expect("read"),
        0
    );
    let ids: Vec<_> = (0..1_000).map(item_id).collect();
    assert_eq!(
        world
            .store
            .known(world.tenant, world.plan.id, &ids)
            .await
            .expect("read")
            .len(),
        1_000
    );
}

pub async fn failures_are_listed_with_their_reasons(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    let shard = world.list(&listing, 0..5).await;
    let lease = world.lease(&shard).await;
    let outcomes = [failed(1), stored(2), failed(3), failed(4)];
    let recorded = world.store.record(&lease, &outcomes, &counts(0)).await;
    recorded.expect("recorded");
    let page = PageWrite {
        gone: vec![4],
        ..PageWrite::default()
    };
    let written = world.store.write_page(&listing, &page).await;
    written.expect("a page");
    let (store, tenant, plan) = (&world.store, world.tenant, world.plan.id);
    let first = store.failures(tenant, plan, None, 1).await.expect("read");
    let expected = |seq| FailedItem {
        seq,
        provider_id: item_id(seq),
        metadata: metadata(seq),
        fault: fault(),
    };
    assert_eq!(first, [expected(1)]);
    let rest = store.failures(tenant, plan, Some(1), 9).await;
    assert_eq!(rest.expect("read"), [expected(3)]);
    let thief = world.neighbour("next door").await;
    let theirs = store.failures(thief.tenant, plan, None, 9).await;
    assert_eq!(theirs.expect("read"), []);
}
