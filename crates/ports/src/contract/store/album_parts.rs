//! The albums at an account that stand for an album of a plan.

use tintype_model::{PlanId, plan::Plan, run::RunState};

use super::{
    doubts::strange_name,
    world::{StoreUnderTest, World, new_id, plan, provider_id},
};
use crate::store::{AlbumGrowth, AlbumPart, UploadRecord};

fn part(part: u32, id: Option<&str>, members: u64) -> AlbumPart {
    AlbumPart {
        album: "2024/Sea".into(),
        part,
        id: id.map(provider_id),
        members,
    }
}

fn growth(album: &str, part: u32, added: u64) -> AlbumGrowth {
    AlbumGrowth {
        album: album.into(),
        part,
        added,
    }
}

async fn parts(world: &World, plan: PlanId, album: &str) -> Vec<AlbumPart> {
    let parts = world.store.album_parts(world.tenant, plan, album).await;
    parts.expect("read")
}

pub async fn a_part_is_noted_before_it_is_made(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (store, id) = (&world.store, world.plan.id);
    let (_, lease) = world.listing().await;
    let parts = async || parts(&world, id, "2024/Sea").await;
    let put = async |number, id: Option<&str>| {
        let id = id.map(provider_id);
        let put = store.put_album_part(&lease, "2024/Sea", number, id.as_ref());
        put.await.expect("noted");
    };
    assert_eq!(parts().await, []);
    put(1, None).await;
    put(0, None).await;
    assert_eq!(parts().await, [part(0, None, 0), part(1, None, 0)]);
    put(0, Some("album-0")).await;
    assert_eq!(
        parts().await,
        [part(0, Some("album-0"), 0), part(1, None, 0)]
    );
    // It was removed at the account, and is to be made anew.
    put(0, None).await;
    assert_eq!(parts().await, [part(0, None, 0), part(1, None, 0)]);
}

pub async fn parts_of_an_album_grow_with_what_is_recorded(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (store, account, id) = (&world.store, world.plan.source, world.plan.id);
    let (_, lease) = world.listing().await;
    let ids = ["album-0", "album-1"].map(provider_id);
    for (number, id) in (0..).zip(&ids) {
        let put = store.put_album_part(&lease, "2024/Sea", number, Some(id));
        put.await.expect("noted");
    }
    let put = store.put_album_part(&lease, "2024", 0, None).await;
    put.expect("noted");
    for _ in 0..2 {
        let call = UploadRecord {
            albums: vec![
                growth("2024/Sea", 1, 3),
                growth("2024", 0, 50),
                growth("2024/Sea", 0, 20),
                growth("2024/Sea", 1, 4),
            ],
            ..UploadRecord::default()
        };
        let recorded = store.record_uploads(&lease, account, &call).await;
        recorded.expect("recorded");
    }
    let elsewhere = provider_id("moved");
    let moved = store.put_album_part(&lease, "2024/Sea", 1, Some(&elsewhere));
    moved.await.expect("noted");
    assert_eq!(
        parts(&world, id, "2024/Sea").await,
        [part(0, Some("album-0"), 40), part(1, Some("moved"), 14)]
    );
    let other = AlbumPart {
        album: "2024".into(),
        ..part(0, None, 100)
    };
    assert_eq!(parts(&world, id, "2024").await, [other]);
}

pub async fn plans_have_albums_of_their_own(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (store, account) = (&world.store, world.plan.source);
    let second = Plan {
        id: new_id(PlanId::new),
        ..plan(world.tenant, "second", account, world.plan.destination)
    };
    store.add_plan(&second, None).await.expect("added");
    let (run, lease) = world.listing().await;
    let made = provider_id("album-0");
    let put = store.put_album_part(&lease, "2024/Sea", 0, Some(&made));
    put.await.expect("noted");
    assert_eq!(parts(&world, second.id, "2024/Sea").await, []);
    let neighbour = world.neighbour("next door").await;
    assert_eq!(parts(&neighbour, world.plan.id, "2024/Sea").await, []);
    world.end(run.id, RunState::Queued).await;
    let (mut run, mut first) = world.new_run(1);
    (run.plan, first.plan) = (second.id, second.id);
    store.start_run(&run, &first).await.expect("a run");
    let lease = world.lease(&first).await;
    let put = store.put_album_part(&lease, "2024/Sea", 0, None).await;
    put.expect("noted");
    let call = UploadRecord {
        albums: vec![growth("2024/Sea", 0, 7)],
        ..UploadRecord::default()
    };
    let recorded = store.record_uploads(&lease, account, &call).await;
    recorded.expect("recorded");
    assert_eq!(
        parts(&world, world.plan.id, "2024/Sea").await,
        [part(0, Some("album-0"), 0)]
    );
    assert_eq!(
        parts(&world, second.id, "2024/Sea").await,
        [part(0, None, 7)]
    );
}

pub async fn strange_names_of_albums_survive(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, lease) = world.listing().await;
    let (name, other) = (strange_name(), format!("{}!", strange_name()));
    for album in [&name, &other] {
        let put = world.store.put_album_part(&lease, album, 0, None).await;
        put.expect("noted");
    }
    for album in [name, other] {
        let expected = AlbumPart {
            album: album.clone(),
            ..part(0, None, 0)
        };
        assert_eq!(parts(&world, world.plan.id, &album).await, [expected]);
    }
}
