//! Stored items whose originals are looked for: the plan's mark, the shard, and what it may change.

use std::time::Duration;

use tintype_model::{
    fidelity::{Channel, Encoding, Location},
    item::{ItemState, StoredContent},
    progress::Progress,
    run::RunState,
    shard::{Lease, Shard, ShardKind},
    storage::ProxyUrl,
};

use super::{
    items::{all_stored, catalogue, cropped},
    world::{LONG, StoreUnderTest, World, content, failed, item_id},
};
use crate::store::{
    Holder, ItemUpsert, OriginalsMark, OriginalsWrite, Outcome, PageWrite, Release, StoreError,
};

fn proxy(port: u16) -> ProxyUrl {
    let address = format!("http://127.0.0.1:{port}/dl");
    address.parse().expect("an address")
}

fn mark(after: Option<u64>) -> OriginalsMark {
    OriginalsMark {
        proxy: proxy(8282),
        after,
    }
}

async fn mark_of(world: &World) -> Option<OriginalsMark> {
    let read = world.store.originals_mark(world.tenant, world.plan.id);
    read.await.expect("read")
}

fn page(originals: OriginalsWrite) -> PageWrite {
    PageWrite {
        originals: Some(originals),
        ..PageWrite::default()
    }
}

/// A shard for the originals of so many items behind the mark, up to `last`.
async fn add(world: &World, listing: &Lease, after: Option<u64>, items: u32, last: u64) -> Shard {
    let shard = Shard {
        items,
        ..world.shard(listing.shard.run, ShardKind::Originals)
    };
    let page = page(OriginalsWrite {
        mark: mark(after),
        shard: Some((shard.clone(), last)),
    });
    let written = world.store.write_page(listing, &page).await;
    written.expect("a page");
    shard
}

fn original(seq: u64) -> StoredContent {
    let mut original = content(100 + seq);
    original.fidelity.channel = Channel::Proxy;
    original.fidelity.encoding = Encoding::Original;
    original.fidelity.location = Location::Present;
    original
}

fn found(seq: u64) -> Outcome {
    Outcome {
        seq,
        result: Ok(original(seq)),
    }
}

async fn record(world: &World, lease: &Lease, outcomes: &[Outcome]) {
    let spent = Progress {
        originals: outcomes.len() as u64,
        ..Progress::default()
    };
    let recorded = world.store.record(lease, outcomes, &spent).await;
    recorded.expect("recorded");
}

async fn contents(world: &World) -> Vec<(ItemState, Option<StoredContent>)> {
    let items = catalogue(world).await.into_iter();
    items.map(|item| (item.state, item.content)).collect()
}

pub async fn a_mark_is_set_with_its_proxy_and_only_moves_on(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let neighbour = world.neighbour("next door").await;
    let listing = all_stored(&world, 5).await;
    assert_eq!(mark_of(&world).await, None);
    let shard = add(&world, &listing, None, 3, 4).await;
    assert_eq!(mark_of(&world).await, Some(mark(None)));
    let end = async |world: &World| {
        let end = world.store.originals_end(world.tenant, shard.id).await;
        end.expect("read")
    };
    assert_eq!(end(&world).await, Some(4));
    assert_eq!(end(&neighbour).await, None);
    let listings = world.store.originals_end(world.tenant, listing.shard.id);
    assert_eq!(listings.await.expect("read"), None);

    let lease = world.lease(&shard).await;
    for (to, expected) in [(0, 0), (3, 3), (1, 3)] {
        let moved = world.store.move_originals_mark(&lease, to).await;
        moved.expect("moved");
        assert_eq!(mark_of(&world).await, Some(mark(Some(expected))));
    }
    let elsewhere = OriginalsMark {
        proxy: proxy(9000),
        after: Some(1),
    };
    let elsewhere_only = page(OriginalsWrite {
        mark: elsewhere.clone(),
        shard: None,
    });
    let written = world.store.write_page(&listing, &elsewhere_only).await;
    written.expect("a page");
    assert_eq!(mark_of(&world).await, Some(elsewhere));
    assert_eq!(mark_of(&neighbour).await, None);
    let read = world.store.plan(world.tenant, world.plan.id).await;
    assert_eq!(read.expect("read").as_ref(), Some(&world.plan));
}

pub async fn a_mark_and_its_shard_are_written_together_or_not_at_all(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let listing = all_stored(&world, 3).await;
    let shard = add(&world, &listing, Some(0), 2, 2).await;
    let again = page(OriginalsWrite {
        mark: mark(Some(2)),
        shard: Some((shard.clone(), 2)),
    });
    let refused = world.store.write_page(&listing, &again).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    assert_eq!(mark_of(&world).await, Some(mark(Some(0))));
}

pub async fn an_original_takes_the_place_of_what_is_stored_and_waits_for_nothing(
    under_test: StoreUnderTest,
) {
    let world = World::new(under_test).await;
    let neighbour = world.neighbour("next door").await;
    all_stored(&neighbour, 4).await;
    let listing = all_stored(&world, 4).await;
    // Other bytes of item 2 are on their way.
    let transfer = Shard {
        items: 1,
        ..world.shard(listing.shard.run, ShardKind::Transfer)
    };
    let changed = PageWrite {
        items: vec![ItemUpsert {
            seq: 2,
            provider_id: item_id(2),
            metadata: cropped(2),
            shard: Some(transfer.id),
        }],
        shards: vec![transfer],
        ..PageWrite::default()
    };
    let written = world.store.write_page(&listing, &changed).await;
    written.expect("a page");
    let shard = add(&world, &listing, None, 2, 2).await;
    let lease = world.lease(&shard).await;

    // Item 3 lies behind the shard's last one, item 9 is none.
    let outcomes = [found(0), failed(1), found(2), found(3), found(9)];
    record(&world, &lease, &outcomes).await;
    let expected = [
        (ItemState::Stored, Some(original(0))),
        (ItemState::Stored, Some(content(1))),
        (ItemState::Pending, Some(content(2))),
        (ItemState::Stored, Some(content(3))),
    ];
    assert_eq!(contents(&world).await, expected);
    record(&world, &lease, &outcomes[..1]).await;
    assert_eq!(contents(&world).await, expected);
    let unstored = world.store.unstored(world.tenant, world.plan.id).await;
    assert_eq!(unstored.expect("read"), 1);
    let untouched: Vec<_> = (0..4)
        .map(|seq| (ItemState::Stored, Some(content(seq))))
        .collect();
    assert_eq!(contents(&neighbour).await, untouched);
    let progress = world.store.progress(world.tenant, shard.run).await;
    assert_eq!(progress.expect("read").originals, 6);
}

pub async fn no_other_shard_replaces_what_is_stored(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let listing = all_stored(&world, 2).await;
    let transfer = world.list(&listing, 2..3).await;
    let mut forged = world.lease(&transfer).await;
    forged.shard.kind = ShardKind::Originals;
    record(&world, &forged, &[found(0)]).await;
    assert_eq!(
        contents(&world).await[0],
        (ItemState::Stored, Some(content(0)))
    );
    let moved = world.store.move_originals_mark(&forged, 1).await;
    moved.expect("no effect");
    assert_eq!(mark_of(&world).await, None);
}

pub async fn a_stale_lease_replaces_nothing_and_moves_no_mark(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let listing = all_stored(&world, 2).await;
    let shard = add(&world, &listing, None, 2, 1).await;
    let lease = world.lease(&shard).await;
    let (later, nothing) = (Release::Later(Duration::ZERO), Progress::default());
    let released = world.store.release(&lease, later, &nothing).await;
    released.expect("released");
    let next = world.lease(&shard).await;
    let answers = [
        world.store.record(&lease, &[found(0)], &nothing).await,
        world.store.move_originals_mark(&lease, 0).await,
    ];
    for answer in answers {
        assert!(matches!(answer, Err(StoreError::LeaseLost)), "{answer:?}");
    }
    assert_eq!(
        contents(&world).await[0],
        (ItemState::Stored, Some(content(0)))
    );
    assert_eq!(mark_of(&world).await, Some(mark(None)));
    let moved = world.store.move_originals_mark(&next, 0).await;
    moved.expect("the holder goes on");

    world.end(listing.shard.run, RunState::Queued).await;
    let decided = page(OriginalsWrite {
        mark: mark(Some(1)),
        shard: None,
    });
    let stale = world.store.write_page(&listing, &decided).await;
    assert!(matches!(stale, Err(StoreError::LeaseLost)), "{stale:?}");
    assert_eq!(mark_of(&world).await, Some(mark(Some(0))));
}

pub async fn a_mark_that_moves_is_work_that_gets_done(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let listing = all_stored(&world, 1).await;
    let shard = add(&world, &listing, None, 1, 0).await;
    let (failed, nothing) = (Release::Failed(Duration::ZERO), Progress::default());
    let lease = world.lease(&shard).await;
    let released = world.store.release(&lease, failed, &nothing).await;
    released.expect("released");
    let lease = world.lease(&shard).await;
    assert_eq!(lease.failures, 1);
    let moved = world.store.move_originals_mark(&lease, 0).await;
    moved.expect("moved");
    let released = world.store.release(&lease, failed, &nothing).await;
    released.expect("released");
    assert_eq!(world.lease(&shard).await.failures, 1);
}

pub async fn originals_go_last_and_are_told_by_their_kind(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let listing = all_stored(&world, 4).await;
    let originals = add(&world, &listing, None, 3, 3).await;
    let transfer = world.list(&listing, 4..6).await;
    let ready = async || world.store.ready(world.tenant, 5).await.expect("read");
    assert_eq!(ready().await, [transfer.clone(), originals.clone()]);
    let standing = world.store.shard(originals.id).await.expect("read");
    assert_eq!(standing.map(|it| it.shard).as_ref(), Some(&originals));

    let transferring = world.lease(&transfer).await;
    let lease = world.lease(&originals).await;
    assert_eq!(lease.shard, originals);
    let open = world.store.open_leases(5).await.expect("read");
    let mut kinds: Vec<&str> = open.iter().map(|it| it.shard.kind.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["enumerate", "originals", "transfer"]);

    // It needs none of the tenant's permits, and holds a slot like any other.
    let around = world.store.renew(&transferring, LONG).await;
    assert_eq!(around.expect("renewed").transfers, 1);
    let holders = world.store.holders().await.expect("read");
    let held = Holder {
        tenant: world.tenant,
        weight: 3,
        transfers: 2,
        recalled: 0,
    };
    assert_eq!(holders, [held]);
    record(&world, &lease, &[found(0)]).await;
    let mut asked = world.store.recall(world.tenant, 2).await.expect("asked");
    asked.sort_unstable();
    assert_eq!(asked, [2, 2], "one of three is done");
    assert!(
        world
            .store
            .renew(&lease, LONG)
            .await
            .expect("renewed")
            .recalled
    );
    let later = Release::Later(Duration::ZERO);
    let released = world
        .store
        .release(&lease, later, &Progress::default())
        .await;
    released.expect("released");
    let left: Vec<_> = ready().await.iter().map(|it| (it.id, it.items)).collect();
    assert_eq!(left, [(originals.id, 2)]);

    let lease = world.lease(&originals).await;
    let aside = world.store.set_aside(&lease, "it breaks").await;
    aside.expect("set aside");
    let aside = world.store.shards_set_aside(5).await.expect("read");
    assert_eq!(aside[0].shard, originals);
}
