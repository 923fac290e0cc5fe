//! Tenants, storages and plans.

use tintype_model::{
    SnapshotId, TenantId,
    plan::{Plan, PlanKind, PlanOptions, UploadFrom, UploadOptions},
    storage::{Storage, StorageSettings},
    tenant::Tenant,
};

use super::{
    uploads::{journal, send, twin, twins, unmade},
    world::{StoreUnderTest, World, instant, new_id, plan, storage},
};
use crate::store::StoreError;

pub async fn a_tenant_is_found_by_id_and_by_name(under_test: StoreUnderTest) {
    let store = std::sync::Arc::clone(&under_test.store);
    let _keep = under_test;
    let tenant = |created| Tenant {
        id: new_id(TenantId::new),
        name: "Zoë's".into(),
        weight: 7,
        max_shards: Some(4),
        created_at: instant(created),
    };
    let (younger, older) = (tenant(5), tenant(1));
    for tenant in [&younger, &older] {
        store.add_tenant(tenant).await.expect("added");
    }
    assert_eq!(store.tenant(younger.id).await.expect("read"), Some(younger));
    assert_eq!(
        store.tenant_by_name("Zoë's").await.expect("read"),
        Some(older)
    );
    assert_eq!(store.tenant_by_name("nobody").await.expect("read"), None);
    assert_eq!(
        store.tenant(new_id(TenantId::new)).await.expect("read"),
        None
    );
}

pub async fn a_second_tenant_with_one_id_is_refused(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let tenant = world
        .store
        .tenant(world.tenant)
        .await
        .expect("read")
        .expect("there");
    let refused = world.store.add_tenant(&tenant).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
}

pub async fn storages_are_listed_by_name_and_changed_in_place(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let names = async || {
        let storages = world.store.storages(world.tenant).await.expect("read");
        storages
            .into_iter()
            .map(|storage| storage.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["disk", "photos"]);
    let disk = world
        .store
        .storage_by_name(world.tenant, "disk")
        .await
        .expect("read")
        .expect("there");
    let changed = Storage {
        name: "attic".into(),
        settings: StorageSettings::LocalFolder {
            path: "/srv/attic".into(),
        },
        ..disk.clone()
    };
    let updated = world.store.update_storage(&disk, &changed).await;
    updated.expect("changed");
    assert_eq!(names().await, ["attic", "photos"]);
    assert_eq!(
        world
            .store
            .storage(world.tenant, disk.id)
            .await
            .expect("read"),
        Some(changed.clone())
    );
    let unknown = storage(world.tenant, "unknown");
    // Whoever saw what was there before changes nothing.
    let late = world.store.update_storage(&disk, &disk).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    let namesake = Storage {
        name: "photos".into(),
        ..changed.clone()
    };
    let taken = world.store.update_storage(&changed, &namesake).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    assert_eq!(names().await, ["attic", "photos"]);
    let refused = world.store.update_storage(&unknown, &unknown).await;
    assert!(
        matches!(refused, Err(StoreError::NotFound(_))),
        "{refused:?}"
    );
}

pub async fn a_name_is_taken_once_a_tenant(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    // The neighbour's storages and plan have the same names.
    world.neighbour("next door").await;
    let refused = world
        .store
        .add_storage(&storage(world.tenant, "photos"))
        .await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    let twin = plan(
        world.tenant,
        "backup",
        world.plan.source,
        world.plan.destination,
    );
    let refused = world.store.add_plan(&twin, None).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
}

pub async fn a_storage_that_a_plan_uses_cannot_be_removed(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    for used in [world.plan.source, world.plan.destination] {
        let refused = world.store.remove_storage(world.tenant, used).await;
        assert!(
            matches!(refused, Err(StoreError::Conflict(_))),
            "{refused:?}"
        );
    }
    let spare = storage(world.tenant, "spare");
    world.store.add_storage(&spare).await.expect("added");
    world
        .store
        .remove_storage(world.tenant, spare.id)
        .await
        .expect("removed");
    assert_eq!(
        world
            .store
            .storage(world.tenant, spare.id)
            .await
            .expect("read"),
        None
    );
    let refused = world.store.remove_storage(world.tenant, spare.id).await;
    assert!(
        matches!(refused, Err(StoreError::NotFound(_))),
        "{refused:?}"
    );
}

pub async fn a_storage_takes_its_journal_along(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (used, store) = (world.plan.source, &world.store);
    let spare = storage(world.tenant, "spare");
    store.add_storage(&spare).await.expect("added");
    let (_, lease) = world.listing().await;
    for account in [used, spare.id] {
        send(&world, &lease, account, &["a"]).await;
        let settled = store
            .settle_doubts(&lease, account, &[], &[twin("twin-1")])
            .await;
        settled.expect("settled");
    }
    let refused = store.remove_storage(world.tenant, used).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    let removed = store.remove_storage(world.tenant, spare.id).await;
    removed.expect("removed");
    store.add_storage(&spare).await.expect("added again");
    assert_eq!(journal(&world, spare.id, &["a"]).await, []);
    assert_eq!(twins(&world, spare.id).await, []);
    assert_eq!(journal(&world, used, &["a"]).await, [unmade("a")]);
    assert_eq!(twins(&world, used).await.len(), 1);
}

pub async fn a_plan_of_each_kind_is_read_back(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (tenant, store) = (world.tenant, &world.store);
    let make = |kind: PlanKind, upload| Plan {
        kind,
        options: PlanOptions {
            upload,
            ..PlanOptions::default()
        },
        ..plan(
            tenant,
            kind.as_str(),
            world.plan.destination,
            world.plan.source,
        )
    };
    let snapshot = UploadOptions {
        from: UploadFrom::Snapshot {
            plan: world.plan.id,
            snapshot: Some(new_id(SnapshotId::new)),
        },
        albums: false,
    };
    let upload = make(PlanKind::Upload, Some(snapshot));
    let transfer = make(PlanKind::Transfer, Some(UploadOptions::default()));
    for plan in [&upload, &transfer] {
        store.add_plan(plan, None).await.expect("added");
    }
    let renamed = Plan {
        name: "renamed".into(),
        ..transfer.clone()
    };
    let updated = store.update_plan(&transfer, &renamed, None).await;
    updated.expect("renamed");
    let read = store.plan(tenant, renamed.id).await.expect("read");
    assert_eq!(read, Some(renamed.clone()));
    let all = store.plans(tenant).await.expect("read");
    assert_eq!(all, [world.plan.clone(), renamed, upload]);
}

pub async fn a_plan_needs_storages_of_its_own_tenant(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let neighbour = world.neighbour("next door").await;
    let stolen = plan(
        world.tenant,
        "stolen",
        neighbour.plan.source,
        world.plan.destination,
    );
    let refused = world.store.add_plan(&stolen, None).await;
    assert!(
        matches!(refused, Err(StoreError::NotFound(_))),
        "{refused:?}"
    );
}

pub async fn plans_are_found_by_name_and_by_source(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let archive = plan(
        world.tenant,
        "archive",
        world.plan.source,
        world.plan.destination,
    );
    world.store.add_plan(&archive, None).await.expect("added");
    let (tenant, store) = (world.tenant, &world.store);
    assert_eq!(
        store.plan(tenant, archive.id).await.expect("read"),
        Some(archive.clone())
    );
    assert_eq!(
        store.plan_by_name(tenant, "archive").await.expect("read"),
        Some(archive.clone())
    );
    assert_eq!(
        store.plan_by_name(tenant, "none").await.expect("read"),
        None
    );
    let all = store.plans(tenant).await.expect("read");
    assert_eq!(all, [archive, world.plan.clone()]);
}

pub async fn storages_and_plans_come_in_pages(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (tenant, store) = (world.tenant, &world.store);
    let mut all: Vec<_> = [world.plan.source, world.plan.destination].into();
    all.sort();
    let page = async |after, limit| {
        let storages = store.page_of_storages(tenant, after, limit).await;
        let storages = storages.expect("read").into_iter();
        storages.map(|storage| storage.id).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 9).await, all);
    assert_eq!(page(None, 1).await, all[..1]);
    assert_eq!(page(Some(all[0]), 9).await, all[1..]);
    assert_eq!(page(Some(all[1]), 9).await, []);
    let second = plan(tenant, "a", world.plan.source, world.plan.destination);
    store.add_plan(&second, None).await.expect("added");
    let first = store.page_of_plans(tenant, None, 1).await.expect("read");
    assert_eq!(first, std::slice::from_ref(&world.plan));
    let rest = store.page_of_plans(tenant, Some(world.plan.id), 9).await;
    assert_eq!(rest.expect("read"), [second]);
    let thief = world.neighbour("next door").await;
    let theirs = store.page_of_plans(thief.tenant, None, 9).await;
    assert_eq!(theirs.expect("read"), [thief.plan]);
}
