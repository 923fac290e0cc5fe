//! What tenants were told of accounts whose credentials will die.

use tintype_model::{
    StorageId, TenantId,
    credential::health::{Deadline, Warned},
    storage::Storage,
};

use super::world::{StoreUnderTest, World, instant, new_id};
use crate::store::WatchedStorage;

fn warned(dies_at: i64, deadline: Deadline) -> Warned {
    Warned {
        dies_at: instant(dies_at),
        deadline,
    }
}

async fn watched(world: &World) -> Vec<WatchedStorage> {
    let found = world.store.watched_storages(None, 100).await;
    found.expect("read")
}

async fn told(world: &World, storage: &Storage) -> Option<Warned> {
    let all = watched(world).await;
    let found = all.into_iter().find(|it| it.storage.id == storage.id);
    found.expect("the storage").warned
}

pub async fn storages_of_all_tenants_are_looked_through_in_pages(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    world.neighbour("next door").await;
    let whole = watched(&world).await;
    assert_eq!(whole.len(), 4);
    let mut known = Vec::new();
    for tenant in world.store.tenants(None, 10).await.expect("read") {
        let storages = world.store.page_of_storages(tenant.id, None, 10).await;
        known.extend(storages.expect("read"));
    }
    let found: Vec<Storage> = whole.iter().map(|it| it.storage.clone()).collect();
    assert_eq!(found, known, "each once, in order");
    assert!(whole.iter().all(|it| it.warned.is_none()));
    let mut after = None;
    let mut paged = Vec::new();
    loop {
        let page = world.store.watched_storages(after, 3).await.expect("read");
        let Some(last) = page.last() else { break };
        after = Some((last.storage.tenant, last.storage.id));
        assert!(page.len() <= 3);
        paged.extend(page);
    }
    assert_eq!(paged, whole);
}

pub async fn a_warning_is_recorded_once(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let account = world.store.storage_by_name(world.tenant, "photos").await;
    let account = account.expect("read").expect("there");
    let record = async |from: Option<Warned>, to: Warned| {
        let (tenant, id) = (account.tenant, account.id);
        let done = world.store.record_warning(tenant, id, from, to);
        done.await.expect("an answer")
    };
    let (early, late) = (
        warned(1, Deadline::ThreeDays),
        warned(1, Deadline::TwoHours),
    );
    assert!(record(None, early).await);
    assert!(!record(None, late).await, "somebody else did meanwhile");
    assert_eq!(told(&world, &account).await, Some(early));
    let other_death = warned(2, Deadline::ThreeDays);
    assert!(!record(Some(other_death), late).await);
    assert!(record(Some(early), late).await);
    assert!(record(Some(late), other_death).await);
    assert_eq!(told(&world, &account).await, Some(other_death));
    // A change of the storage leaves it.
    let renamed = Storage {
        name: "family".into(),
        ..account.clone()
    };
    let changed = world.store.update_storage(&account, &renamed).await;
    changed.expect("changed");
    assert_eq!(told(&world, &account).await, Some(other_death));
    let disk = world.store.storage_by_name(world.tenant, "disk").await;
    let disk = disk.expect("read").expect("there");
    assert_eq!(told(&world, &disk).await, None);
}

pub async fn of_two_who_warn_one_is_recorded(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let account = world.plan.source;
    let to = warned(1, Deadline::OneDay);
    let record = || world.store.record_warning(world.tenant, account, None, to);
    let (one, other) = tokio::join!(record(), record());
    let (one, other) = (one.expect("an answer"), other.expect("an answer"));
    assert_ne!(one, other);
    let nowhere = new_id(StorageId::new);
    let gone = world.store.record_warning(world.tenant, nowhere, None, to);
    assert!(!gone.await.expect("an answer"));
    let stranger = new_id(TenantId::new);
    let theirs = world.store.record_warning(stranger, account, Some(to), to);
    assert!(!theirs.await.expect("an answer"));
}
