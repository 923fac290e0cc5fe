//! A replica dies while Google is asked.

use std::{sync::Arc, time::Duration};

use secrecy::ExposeSecret;
use tintype_ports::{
    Vault,
    contract::vault::{google_secret, grant, storage, tenant},
};
use tintype_vault_core::Times;
use tokio::runtime;

use crate::support::{Place, SilentGoogle};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_replica_that_dies_in_mid_refresh_delays_the_others_by_its_lease() {
    let mut place = Place::on_a_server().await;
    place.settings.times = Times::Database;
    place.settings.refresh_lease = Duration::from_secs(5);
    let survivor = place.open().await;
    survivor
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    let account = grant(tenant(1), storage(1));

    // The dying one has a runtime of its own, as a process would.
    let silent = Arc::new(SilentGoogle::default());
    let doomed = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let place = Arc::new(place);
    doomed.spawn({
        let (place, silent, account) = (Arc::clone(&place), silent.clone(), account.clone());
        async move {
            let ring = place.ring.clone();
            let replica = place.open_in(ring, silent, place.clock.clone()).await;
            let _ = replica.unwrap().access_token(&account, None).await;
        }
    });
    silent.asked.notified().await;
    doomed.shutdown_background();

    let waiting = tokio::time::timeout(
        Duration::from_millis(500),
        survivor.access_token(&account, None),
    );
    assert!(waiting.await.is_err(), "the lease still holds");
    assert_eq!(place.google.calls(), 0, "google is asked once at a time");
    let token = survivor.access_token(&account, None).await.unwrap();
    assert_eq!(token.secret.expose_secret(), "access-token-1");
    assert_eq!(place.google.calls(), 1);
    assert_eq!(*silent.calls.lock().unwrap(), 1);
    survivor.verify_audit(tenant(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_silent_google_is_left_alone_by_all_replicas() {
    let mut place = Place::on_a_server().await;
    place.settings.refresh_lease = Duration::from_millis(900);
    let silent = Arc::new(SilentGoogle::default());
    let open = async || {
        let ring = place.ring.clone();
        let opened = place.open_in(ring, silent.clone(), place.clock.clone());
        opened.await.unwrap()
    };
    let (one, two) = (open().await, open().await);
    one.put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    let account = grant(tenant(1), storage(1));
    for replica in [&one, &two, &one, &two] {
        replica.access_token(&account, None).await.unwrap_err();
    }
    assert_eq!(*silent.calls.lock().unwrap(), 1);
}
