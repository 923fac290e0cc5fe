//! Items as the pages of a listing write them.

use tintype_model::{
    fidelity::Dimensions,
    item::{Item, ItemMetadata, ItemState},
    progress::Progress,
    shard::{Lease, ShardKind},
};

use super::world::{
    SHORT, StoreUnderTest, World, content, counts, item_id, metadata, provider_id, stored, upsert,
};
use crate::store::{
    Checkpoint, ItemUpsert, KnownItem, PageWrite, PendingItem, Release, StoreError,
};

pub(super) fn waiting(seq: u64) -> PendingItem {
    PendingItem {
        seq,
        provider_id: item_id(seq),
        metadata: metadata(seq),
        has_content: false,
    }
}

pub(super) fn cropped(seq: u64) -> ItemMetadata {
    ItemMetadata {
        dimensions: Some(Dimensions {
            width: 10,
            height: 10,
        }),
        ..metadata(seq)
    }
}

/// A run whose listing showed items 0..count, all of them stored.
pub(super) async fn all_stored(world: &World, count: u64) -> Lease {
    let (_, listing) = world.listing().await;
    let shard = world.list(&listing, 0..count).await;
    let transfer = world.lease(&shard).await;
    let outcomes: Vec<_> = (0..count).map(stored).collect();
    world
        .store
        .record(&transfer, &outcomes, &Progress::default())
        .await
        .expect("recorded");
    world
        .store
        .release(&transfer, Release::Done, &Progress::default())
        .await
        .expect("released");
    listing
}

pub(super) async fn write(world: &World, listing: &Lease, items: Vec<ItemUpsert>) {
    let page = PageWrite {
        items,
        ..PageWrite::default()
    };
    world
        .store
        .write_page(listing, &page)
        .await
        .expect("a page");
}

pub(super) async fn catalogue(world: &World) -> Vec<Item> {
    world
        .store
        .items(world.tenant, world.plan.id, None, 2_000)
        .await
        .expect("read")
}

pub(super) async fn known(world: &World, seq: u64) -> KnownItem {
    let mut found = world
        .store
        .known(world.tenant, world.plan.id, &[item_id(seq)])
        .await
        .expect("read");
    assert_eq!(found.len(), 1);
    found.remove(0)
}

pub async fn a_page_is_read_back_whole(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    assert_eq!(
        world
            .store
            .next_seq(world.tenant, world.plan.id)
            .await
            .expect("read"),
        0
    );
    let shard = world.list(&listing, 0..3).await;
    assert_eq!(
        world
            .store
            .next_seq(world.tenant, world.plan.id)
            .await
            .expect("read"),
        3
    );
    let pending = world
        .store
        .pending(world.tenant, shard.id, None, 10)
        .await
        .expect("read");
    assert_eq!(pending, [waiting(0), waiting(1), waiting(2)]);
    let ids = [item_id(2), item_id(7)];
    let known = world
        .store
        .known(world.tenant, world.plan.id, &ids)
        .await
        .expect("read");
    let expected = KnownItem {
        provider_id: item_id(2),
        seq: 2,
        metadata_fingerprint: metadata(2).metadata_fingerprint(),
        content_fingerprint: metadata(2).content_fingerprint(),
        state: ItemState::Pending,
        gone: false,
        shard: Some(shard.id),
    };
    assert_eq!(known, [expected]);
    assert_eq!(
        world
            .store
            .known(world.tenant, world.plan.id, &[])
            .await
            .expect("read"),
        []
    );
}

pub async fn a_known_item_keeps_its_position(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    world.list(&listing, 0..2).await;
    // One with its own position, one with a wrong one.
    let moved = ItemUpsert {
        seq: 9,
        ..upsert(1, None)
    };
    write(&world, &listing, vec![upsert(0, None), moved]).await;
    assert_eq!(
        (known(&world, 0).await.seq, known(&world, 1).await.seq),
        (0, 1)
    );
    assert_eq!(catalogue(&world).await.len(), 2);
}

pub async fn new_metadata_leaves_stored_bytes_alone(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let listing = all_stored(&world, 2).await;
    let renamed = ItemMetadata {
        description: Some("the lake".into()),
        ..cropped(1)
    };
    write(
        &world,
        &listing,
        vec![ItemUpsert {
            metadata: renamed.clone(),
            ..upsert(1, None)
        }],
    )
    .await;
    let item = catalogue(&world).await.remove(1);
    assert_eq!(
        (item.metadata, item.state, item.content),
        (renamed.clone(), ItemState::Stored, Some(content(1)))
    );
    let known = known(&world, 1).await;
    assert_eq!(known.metadata_fingerprint, renamed.metadata_fingerprint());
    assert_eq!(
        known.content_fingerprint,
        metadata(1).content_fingerprint(),
        "that of the bytes we hold"
    );
}

pub async fn new_content_waits_while_the_old_bytes_stay(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let listing = all_stored(&world, 1).await;
    let shard = world.shard(listing.shard.run, ShardKind::Transfer);
    let page = PageWrite {
        items: vec![ItemUpsert {
            metadata: cropped(0),
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
    let item = catalogue(&world).await.remove(0);
    assert_eq!(
        (item.state, item.content),
        (ItemState::Pending, Some(content(0)))
    );
    assert_eq!(
        known(&world, 0).await.content_fingerprint,
        cropped(0).content_fingerprint()
    );
    let pending = world
        .store
        .pending(world.tenant, shard.id, None, 5)
        .await
        .expect("read");
    assert_eq!(
        pending,
        [PendingItem {
            metadata: cropped(0),
            has_content: true,
            ..waiting(0)
        }]
    );
}

pub async fn an_item_shown_twice_in_a_page_counts_once(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    let later = ItemUpsert {
        metadata: cropped(0),
        ..upsert(0, None)
    };
    write(
        &world,
        &listing,
        vec![upsert(0, None), upsert(1, None), later],
    )
    .await;
    let items = catalogue(&world).await;
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].metadata, cropped(0));
}

pub async fn a_position_is_never_given_twice(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    world.list(&listing, 0..2).await;
    let intruder = ItemUpsert {
        provider_id: provider_id("intruder"),
        ..upsert(1, None)
    };
    let page = PageWrite {
        items: vec![upsert(2, None), intruder],
        spent: counts(1),
        ..PageWrite::default()
    };
    let refused = world.store.write_page(&listing, &page).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    assert_eq!(
        catalogue(&world).await.len(),
        2,
        "nothing of the page was written"
    );
    let progress = world
        .store
        .progress(world.tenant, listing.shard.run)
        .await
        .expect("read");
    assert_eq!(progress, Progress::default());
}

pub async fn a_page_of_a_stale_lease_changes_nothing(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, first) = world.start().await;
    let stale = world.lease_for(&first, SHORT).await;
    world.pass(2 * SHORT).await;
    world.lease(&first).await;
    let page = PageWrite {
        items: vec![upsert(0, None)],
        shards: vec![world.shard(run.id, ShardKind::Transfer)],
        checkpoint: Some(Checkpoint::default()),
        ..PageWrite::default()
    };
    let lost = world.store.write_page(&stale, &page).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost)), "{lost:?}");
    assert_eq!(catalogue(&world).await, []);
    assert_eq!(
        world
            .store
            .checkpoint(world.tenant, run.id)
            .await
            .expect("read"),
        None
    );
    assert_eq!(
        world
            .store
            .open_shards(world.tenant, run.id)
            .await
            .expect("read")
            .open,
        1
    );
}

pub async fn a_checkpoint_replaces_the_one_before(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (run, listing) = world.listing().await;
    assert_eq!(
        world
            .store
            .checkpoint(world.tenant, run.id)
            .await
            .expect("read"),
        None
    );
    for page in 1..3 {
        let checkpoint = Checkpoint {
            cursor: format!("{{\"page\":{page}}}"),
            seen: vec![0, page, 255],
        };
        let write = PageWrite {
            checkpoint: Some(checkpoint.clone()),
            ..PageWrite::default()
        };
        world
            .store
            .write_page(&listing, &write)
            .await
            .expect("a page");
        assert_eq!(
            world
                .store
                .checkpoint(world.tenant, run.id)
                .await
                .expect("read"),
            Some(checkpoint)
        );
    }
    world
        .store
        .write_page(&listing, &PageWrite::default())
        .await
        .expect("a page");
    assert!(
        world
            .store
            .checkpoint(world.tenant, run.id)
            .await
            .expect("read")
            .is_some(),
        "none is no change"
    );
}
