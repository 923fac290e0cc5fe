//! Keys change while the vault works, and while it crashes.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tintype_ports::{
    Vault,
    contract::vault::{google_secret, grant, s3_secret, storage, tenant},
};
use tintype_vault_core::Rewrapped;
use uuid::Uuid;

use crate::support::Place;

const TENANTS: u8 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rewrap_under_load_with_crashes_loses_nothing() {
    let mut place = Place::new();
    let mut vault = place.open().await;
    for number in 1..=TENANTS {
        vault
            .put(tenant(number), storage(1), s3_secret())
            .await
            .unwrap();
    }
    place.ring = place.ring.with_new_key().unwrap();
    vault.use_key_ring(place.ring.clone()).await.unwrap();
    for round in 0..4_u64 {
        let stop = Arc::new(AtomicBool::new(false));
        let users: Vec<_> = (1..=4)
            .map(|number| {
                let (vault, stop) = (vault.clone(), Arc::clone(&stop));
                tokio::spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        vault
                            .bucket_keys(&grant(tenant(number), storage(1)))
                            .await
                            .unwrap();
                        vault
                            .sign(&grant(tenant(number), storage(1)), b"m")
                            .await
                            .unwrap();
                    }
                })
            })
            .collect();
        // Broken off at another moment each round, in the middle of a commit as often as not.
        let crashing = vault.clone();
        let rewrap = tokio::spawn(async move { crashing.rewrap().await });
        tokio::time::sleep(std::time::Duration::from_millis(3 + 7 * round)).await;
        rewrap.abort();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        stop.store(true, Ordering::Relaxed);
        for user in users {
            user.await.unwrap();
        }
        vault.close().await;
        vault = place.open().await;
    }
    vault.rewrap().await.unwrap();
    assert_eq!(vault.key_versions_in_use().await.unwrap(), [2]);
    place.ring = place.ring.without(1).unwrap();
    vault.use_key_ring(place.ring.clone()).await.unwrap();
    for number in 1..=TENANTS {
        vault
            .bucket_keys(&grant(tenant(number), storage(1)))
            .await
            .unwrap();
        vault.verify_audit(tenant(number)).await.unwrap();
    }
}

#[tokio::test]
async fn a_rewrap_goes_on_where_it_stopped() {
    let mut place = Place::new();
    let vault = place.open().await;
    for number in 1..=5 {
        vault
            .put(tenant(number), storage(1), s3_secret())
            .await
            .unwrap();
    }
    vault.destroy_tenant(tenant(5)).await.unwrap();
    place.ring = place.ring.with_new_key().unwrap();
    vault.use_key_ring(place.ring.clone()).await.unwrap();
    let batch = vault.rewrap_batch(&mut Uuid::nil(), 2).await.unwrap();
    assert_eq!(
        batch,
        Rewrapped {
            moved: 2,
            failed: 0
        }
    );
    assert_eq!(vault.key_versions_in_use().await.unwrap(), [1, 2]);
    vault.close().await;
    let vault = place.open().await;
    assert_eq!(
        vault.rewrap().await.unwrap(),
        Rewrapped {
            moved: 3,
            failed: 0
        }
    );
    assert_eq!(vault.rewrap().await.unwrap(), Rewrapped::default());
}

#[tokio::test]
async fn one_tenant_that_does_not_open_does_not_stop_the_others() {
    let mut place = Place::new();
    let vault = place.open().await;
    for number in 1..=3 {
        vault
            .put(tenant(number), storage(1), s3_secret())
            .await
            .unwrap();
    }
    let broken = tenant(2).as_uuid().simple();
    place
        .tamper(&format!(
            "UPDATE vault_tenant SET data_key = zeroblob(61) WHERE tenant_id = x'{broken}'"
        ))
        .await;
    place.ring = place.ring.with_new_key().unwrap();
    vault.use_key_ring(place.ring.clone()).await.unwrap();
    assert_eq!(
        vault.rewrap().await.unwrap(),
        Rewrapped {
            moved: 2,
            failed: 1
        }
    );
}

#[tokio::test]
async fn a_new_data_key_leaves_every_secret_readable() {
    let place = Place::new();
    let vault = place.open().await;
    vault
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    vault.put(tenant(1), storage(2), s3_secret()).await.unwrap();
    let key = vault
        .signing_key(&grant(tenant(1), storage(1)))
        .await
        .unwrap();
    place
        .tamper("CREATE TABLE copy AS SELECT * FROM credential")
        .await;
    vault.rotate_tenant_key(tenant(1)).await.unwrap();
    vault.rotate_tenant_key(tenant(1)).await.unwrap();
    vault
        .access_token(&grant(tenant(1), storage(1)), None)
        .await
        .unwrap();
    vault
        .bucket_keys(&grant(tenant(1), storage(2)))
        .await
        .unwrap();
    assert_eq!(
        vault
            .signing_key(&grant(tenant(1), storage(1)))
            .await
            .unwrap(),
        key
    );
    place
        .tamper("DELETE FROM credential; INSERT INTO credential SELECT * FROM copy")
        .await;
    vault
        .bucket_keys(&grant(tenant(1), storage(2)))
        .await
        .unwrap_err();
}
