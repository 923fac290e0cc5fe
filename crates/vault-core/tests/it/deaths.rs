//! A replica dies while Google is asked.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use tintype_ports::{
    Vault,
    contract::vault::{FakeGoogle, google_secret, grant, storage, tenant},
    google_auth::RefreshAnswer,
};
use tintype_vault_core::Times;
use tokio::runtime;

use crate::support::{LateGoogle, Place};

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
    let silent = Arc::new(LateGoogle::default());
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
    let silent = Arc::new(LateGoogle::default());
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

/// A replica that slept through its lease, in two cases: with and without a newer refresh token in the answer that came first.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_late_answer_never_overwrites_a_newer_one() {
    for newer in [None, Some("1//newer")] {
        let place = Place::on_a_server().await;
        let prompt = place.open().await;
        prompt
            .put(tenant(1), storage(1), google_secret())
            .await
            .unwrap();
        let google = Arc::new(LateGoogle::default());
        let late = place.open_in(place.ring.clone(), google.clone(), place.clock.clone());
        let late = late.await.unwrap();
        let account = grant(tenant(1), storage(1));
        let sleeping = tokio::spawn({
            let (late, account) = (late.clone(), account.clone());
            async move { late.access_token(&account, None).await }
        });
        google.asked.notified().await;
        place.tamper("UPDATE credential SET lease_until = 0").await;
        place.google.script(Ok(RefreshAnswer {
            refresh_token: newer.map(SecretString::from),
            ..FakeGoogle::good("prompt-access-token")
        }));
        prompt.access_token(&account, None).await.unwrap();
        google.answer.notify_one();
        let token = sleeping.await.unwrap().unwrap();
        assert_eq!(token.secret.expose_secret(), "prompt-access-token");
        place.clock.advance(TimeDelta::hours(2));
        prompt.access_token(&account, None).await.unwrap();
        let used = place.google.last_refresh_token();
        assert_eq!(used.as_deref(), newer.or(Some("1//late")));
        prompt.verify_audit(tenant(1)).await.unwrap();
    }
}
