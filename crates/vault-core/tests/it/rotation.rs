//! Keys change while the vault works, and while replicas die.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tintype_ports::{
    Vault, VaultKeeper,
    contract::vault::{google_secret, grant, s3_secret, storage, tenant},
    vault::KeyStanding,
};
use tintype_vault_core::VaultCore;

use crate::support::Place;

on_both!(
    key_changes_under_load_with_crashes_lose_nothing,
    a_rewrap_goes_on_where_it_stopped,
    one_tenant_that_does_not_open_does_not_stop_the_others,
    a_secret_sealed_with_an_old_data_key_does_not_come_back,
);

const TENANTS: u8 = 12;

/// Rewraps until nothing but what cannot be opened waits.
async fn rewrap_all(vault: &VaultCore) -> KeyStanding {
    for _ in 0..100 {
        let standing = vault.rewrap(5).await.unwrap();
        if standing.waiting == standing.failed {
            return standing;
        }
    }
    panic!("the rewrap never ends");
}

async fn use_and_put(vault: VaultCore, number: u8, stop: Arc<AtomicBool>) {
    let (mine, other) = (
        grant(tenant(number), storage(1)),
        grant(tenant(number), storage(2)),
    );
    while !stop.load(Ordering::Relaxed) {
        vault.bucket_keys(&mine).await.unwrap();
        vault.sign(&mine, b"m").await.unwrap();
        vault
            .put(other.tenant, other.storage, google_secret())
            .await
            .unwrap();
        vault.access_token(&other, None).await.unwrap();
    }
}

async fn key_changes_under_load_with_crashes_lose_nothing(mut place: Place) {
    let vault = place.open().await;
    for number in 1..=TENANTS {
        vault
            .put(tenant(number), storage(1), s3_secret())
            .await
            .unwrap();
    }
    for round in 0..3_u64 {
        // One replica is used all the time, two more are dropped in the middle of their work.
        place.ring = place.ring.with_new_key().unwrap();
        vault.unseal_with(place.ring.clone()).await.unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let users: Vec<_> = (1..=4)
            .map(|number| tokio::spawn(use_and_put(vault.clone(), number, Arc::clone(&stop))))
            .collect();
        let keepers: Vec<_> = [place.open().await, place.open().await]
            .into_iter()
            .map(|dying| {
                tokio::spawn(async move {
                    let mut number = 0;
                    loop {
                        dying.rewrap(3).await.unwrap();
                        number = number % TENANTS + 1;
                        dying.rotate_tenant_key(tenant(number)).await.unwrap();
                    }
                })
            })
            .collect();
        // Broken off at another moment each round, in the middle of a commit as often as not.
        tokio::time::sleep(Duration::from_millis(200 + 70 * round)).await;
        for keeper in keepers {
            assert!(
                !keeper.is_finished(),
                "the keepers work until they are dropped"
            );
            keeper.abort();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        stop.store(true, Ordering::Relaxed);
        for user in users {
            user.await.unwrap();
        }
    }
    let standing = rewrap_all(&vault).await;
    assert_eq!(
        (standing.newest, standing.in_use.as_slice(), standing.failed),
        (4, [4].as_slice(), 0)
    );
    for version in 1..=3 {
        place.ring = place.ring.without(version).unwrap();
    }
    vault.close().await;
    let vault = place.open().await;
    for number in 1..=TENANTS {
        vault
            .bucket_keys(&grant(tenant(number), storage(1)))
            .await
            .unwrap();
        if number <= 4 {
            vault
                .access_token(&grant(tenant(number), storage(2)), None)
                .await
                .unwrap();
        }
        vault.verify_audit(tenant(number)).await.unwrap();
    }
}

async fn a_rewrap_goes_on_where_it_stopped(mut place: Place) {
    let vault = place.open().await;
    for number in 1..=5 {
        vault
            .put(tenant(number), storage(1), s3_secret())
            .await
            .unwrap();
    }
    vault.destroy_tenant(tenant(5)).await.unwrap();
    place.ring = place.ring.with_new_key().unwrap();
    vault.unseal_with(place.ring.clone()).await.unwrap();
    let standing = |in_use: &[i64], waiting| KeyStanding {
        newest: 2,
        in_use: in_use.to_vec(),
        waiting,
        failed: 0,
    };
    assert_eq!(vault.key_standing().await.unwrap(), standing(&[1], 5));
    assert_eq!(vault.rewrap(2).await.unwrap(), standing(&[1, 2], 3));
    vault.close().await;
    let vault = place.open().await;
    assert_eq!(vault.rewrap(10).await.unwrap(), standing(&[2], 0));
    assert_eq!(vault.rewrap(10).await.unwrap(), standing(&[2], 0));
    vault.verify_audit(tenant(5)).await.unwrap();
}

async fn one_tenant_that_does_not_open_does_not_stop_the_others(mut place: Place) {
    let vault = place.open().await;
    for number in 1..=3 {
        vault
            .put(tenant(number), storage(1), s3_secret())
            .await
            .unwrap();
    }
    let broken = format!(
        "UPDATE vault_tenant SET data_key = {} WHERE tenant_id = {}",
        place.zeros(61),
        place.id(tenant(2))
    );
    place.tamper(&broken).await;
    place.ring = place.ring.with_new_key().unwrap();
    vault.unseal_with(place.ring.clone()).await.unwrap();
    let standing = rewrap_all(&vault).await;
    assert_eq!((standing.waiting, standing.failed), (1, 1));
    assert_eq!(standing.in_use, [1, 2]);
}

async fn a_secret_sealed_with_an_old_data_key_does_not_come_back(place: Place) {
    let vault = place.open().await;
    vault.put(tenant(1), storage(2), s3_secret()).await.unwrap();
    place
        .tamper("CREATE TABLE copy AS SELECT * FROM credential")
        .await;
    vault.rotate_tenant_key(tenant(1)).await.unwrap();
    let bucket = grant(tenant(1), storage(2));
    vault.bucket_keys(&bucket).await.unwrap();
    place
        .tamper("DELETE FROM credential; INSERT INTO credential SELECT * FROM copy")
        .await;
    vault.bucket_keys(&bucket).await.unwrap_err();
}
