//! No tenant sees or changes what is another's.

use tintype_model::{
    TenantId,
    album::Album,
    progress::Progress,
    run::{RunState, RunStatus},
    shard::{Lease, Shard},
};

use super::{
    uploads::{sent, twin},
    world::{LONG, StoreUnderTest, World, counts, instant, item_id, provider_id, stored, upsert},
};
use crate::store::{
    Checkpoint, LeaseAnswer, PageWrite, PathClaim, Release, StoreError, UploadRecord,
};

/// Everything there is of a tenant.
async fn fill(world: &World) -> (Lease, Shard) {
    let (run, listing) = world.listing().await;
    let shard = world.list(&listing, 0..3).await;
    let album = Album {
        provider_id: provider_id("album"),
        title: "Sea".into(),
        items_count: 1,
    };
    let page = PageWrite {
        albums: vec![(0, album)],
        members: vec![(provider_id("album"), 0, vec![item_id(0)])],
        checkpoint: Some(Checkpoint {
            cursor: "{}".into(),
            seen: vec![1],
        }),
        ..PageWrite::default()
    };
    world
        .store
        .write_page(&listing, &page)
        .await
        .expect("a page");
    world
        .store
        .add_snapshot(&listing, &world.snapshot(run.id, 1))
        .await
        .expect("a snapshot");
    (listing, shard)
}

pub async fn nothing_of_another_tenant_is_found(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (listing, shard) = fill(&world).await;
    let (run, plan, album) = (listing.shard.run, world.plan.id, provider_id("album"));
    let thief = world.neighbour("next door").await;
    let (store, tenant) = (&thief.store, thief.tenant);
    assert_eq!(
        store
            .storage(tenant, world.plan.source)
            .await
            .expect("read"),
        None
    );
    assert_eq!(store.plan(tenant, plan).await.expect("read"), None);
    let plans = store.plans(tenant).await.expect("read");
    assert!(plans.iter().all(|it| it.id != plan && it.tenant == tenant));
    assert_eq!(store.run(tenant, run).await.expect("read"), None);
    assert_eq!(store.runs(tenant, plan, 5).await.expect("read"), []);
    assert_eq!(
        store.progress(tenant, run).await.expect("read"),
        Progress::default()
    );
    assert_eq!(store.open_shards(tenant, run).await.expect("read").open, 0);
    assert_eq!(
        store
            .known(tenant, plan, &[item_id(0)])
            .await
            .expect("read"),
        []
    );
    assert_eq!(store.next_seq(tenant, plan).await.expect("read"), 0);
    assert_eq!(store.checkpoint(tenant, run).await.expect("read"), None);
    assert_eq!(
        store.originals_mark(tenant, plan).await.expect("read"),
        None
    );
    assert_eq!(
        store
            .pending(tenant, shard.id, None, 5)
            .await
            .expect("read"),
        []
    );
    assert_eq!(store.items(tenant, plan, None, 5).await.expect("read"), []);
    assert_eq!(
        store.present(tenant, plan, None, 5).await.expect("read"),
        []
    );
    assert_eq!(store.unstored(tenant, plan).await.expect("read"), 0);
    assert_eq!(
        store.leftovers(tenant, plan, None, 5).await.expect("read"),
        []
    );
    assert_eq!(store.albums(tenant, plan).await.expect("read"), []);
    assert_eq!(
        store.album_size(tenant, plan, &album).await.expect("read"),
        0
    );
    assert_eq!(
        store
            .album_members(tenant, plan, &album, 0, 5)
            .await
            .expect("read"),
        []
    );
    assert_eq!(
        store.latest_snapshot(tenant, plan).await.expect("read"),
        None
    );
    assert_eq!(store.ready(tenant, 5).await.expect("read"), []);
    assert_eq!(thief.try_lease(&shard, LONG).await, LeaseAnswer::Stale);
    let claims = [PathClaim {
        seq: 0,
        wanted: "a".into(),
        otherwise: "b".into(),
    }];
    let refused = store.claim_paths(tenant, plan, &claims).await;
    assert!(
        matches!(refused, Err(StoreError::NotFound(_))),
        "{refused:?}"
    );
}

pub async fn a_lease_of_another_tenant_changes_nothing(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (listing, _) = fill(&world).await;
    let thief = world.neighbour("next door").await;
    let forge = |tenant: TenantId| {
        let mut forged = listing.clone();
        forged.shard.tenant = tenant;
        forged
    };
    let (store, forged) = (&thief.store, forge(thief.tenant));
    let page = PageWrite {
        items: vec![upsert(0, None)],
        spent: counts(1),
        ..PageWrite::default()
    };
    let uploads = UploadRecord {
        outcomes: vec![stored(0)],
        spent: counts(1),
        ..UploadRecord::default()
    };
    let account = thief.plan.source;
    let answers = [
        store.renew(&forged, LONG).await.map(drop),
        store.release(&forged, Release::Done, &counts(1)).await,
        store
            .finish(&forged, &counts(1), &forged.shard)
            .await
            .map(drop),
        store.write_page(&forged, &page).await,
        store.record(&forged, &[stored(0)], &counts(1)).await,
        store
            .add_snapshot(&forged, &thief.snapshot(listing.shard.run, 1))
            .await,
        store.journal_sent(&forged, account, &[sent("a")]).await,
        store.record_uploads(&forged, account, &uploads).await,
        store
            .settle_doubts(&forged, account, &[], &[twin("twin-1")])
            .await,
        store.put_album_part(&forged, "Sea", 0, None).await,
        store.move_originals_mark(&forged, 0).await,
    ];
    for answer in answers {
        assert!(
            matches!(answer, Err(StoreError::LeaseLost | StoreError::NotFound(_))),
            "{answer:?}"
        );
    }
    let mut other_plan = listing.clone();
    other_plan.shard.plan = thief.plan.id;
    let answer = store.write_page(&other_plan, &page).await;
    assert!(matches!(answer, Err(StoreError::LeaseLost)), "{answer:?}");
    let to = RunStatus::plain(RunState::Cancelled);
    let run = listing.shard.run;
    let changed = store
        .set_run_status(thief.tenant, run, RunState::Queued, &to, instant(1))
        .await;
    assert!(!changed.expect("an answer"));
    let refused = store.remove_storage(thief.tenant, world.plan.source).await;
    assert!(
        matches!(refused, Err(StoreError::NotFound(_))),
        "{refused:?}"
    );
    store
        .renew(&forge(world.tenant), LONG)
        .await
        .expect("the true holder goes on");
    assert_eq!(
        store.progress(world.tenant, run).await.expect("read"),
        Progress::default()
    );
}
