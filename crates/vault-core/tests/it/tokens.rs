//! Access tokens under load, over two replicas, and when Google or the disk refuses.

use std::sync::Arc;

use chrono::TimeDelta;
use futures::future::join_all;
use secrecy::{ExposeSecret, SecretString};
use tintype_ports::{
    Vault, VaultError,
    contract::vault::{FakeGoogle, google_secret, grant, storage, tenant},
    google_auth::{RefreshAnswer, RefreshError},
};

use crate::support::Place;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_hundred_callers_cause_one_call_to_google_and_five_hundred_log_entries() {
    let place = Place::new();
    let vault = place.open().await;
    vault
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    let callers = (0..500).map(|_| {
        let vault = vault.clone();
        tokio::spawn(async move {
            vault
                .access_token(&grant(tenant(1), storage(1)), None)
                .await
        })
    });
    for token in join_all(callers).await {
        assert_eq!(
            token.unwrap().unwrap().secret.expose_secret(),
            "access-token-1"
        );
    }
    assert_eq!(place.google.calls(), 1);
    assert_eq!(vault.verify_audit(tenant(1)).await.unwrap().count, 502);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_lose_the_new_refresh_token() {
    let place = Place::new();
    let vault = place.open().await;
    vault
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    place.google.script(Ok(RefreshAnswer {
        refresh_token: Some(SecretString::from("1//second")),
        ..FakeGoogle::good("short-lived")
    }));
    let grant = grant(tenant(1), storage(1));
    let impatient = vault.access_token(&grant, None);
    let gone = tokio::time::timeout(std::time::Duration::from_millis(15), impatient).await;
    assert!(
        gone.is_err(),
        "the caller left while google was being asked"
    );
    vault.access_token(&grant, None).await.unwrap();
    place.clock.advance(TimeDelta::hours(2));
    vault.access_token(&grant, None).await.unwrap();
    assert_eq!(
        place.google.last_refresh_token().as_deref(),
        Some("1//second")
    );
}

#[tokio::test]
async fn a_replica_never_overwrites_a_newer_refresh_token() {
    let place = Place::new();
    let (one, two) = (place.open().await, place.open().await);
    one.put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    for token in ["1//newer-a", "1//newer-b"] {
        place.google.script(Ok(RefreshAnswer {
            refresh_token: Some(SecretString::from(token)),
            ..FakeGoogle::good("short-lived")
        }));
    }
    let grant = grant(tenant(1), storage(1));
    let (first, second) = tokio::join!(
        one.access_token(&grant, None),
        two.access_token(&grant, None)
    );
    assert!(first.is_ok() && second.is_ok());
    let after_both = one.describe(tenant(1), storage(1)).await.unwrap().unwrap();
    place.clock.advance(TimeDelta::hours(2));
    one.access_token(&grant, None).await.unwrap();
    let used = place.google.last_refresh_token().unwrap();
    assert!(used.starts_with("1//newer"), "{used}");
    let now = one.describe(tenant(1), storage(1)).await.unwrap().unwrap();
    assert_eq!(now.version, after_both.version);
    one.verify_audit(tenant(1)).await.unwrap();
}

#[tokio::test]
async fn a_replaced_secret_ends_the_other_replicas_cached_token() {
    let place = Place::new();
    let (one, two) = (place.open().await, place.open().await);
    let grant = grant(tenant(1), storage(1));
    one.put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    two.access_token(&grant, None).await.unwrap();
    one.put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    let token = two.access_token(&grant, None).await.unwrap();
    assert_eq!(token.secret.expose_secret(), "access-token-2");
    one.delete(tenant(1), storage(1)).await.unwrap();
    assert!(matches!(
        two.access_token(&grant, None).await,
        Err(VaultError::NotFound)
    ));
}

#[tokio::test]
async fn a_refusal_is_remembered_over_a_restart() {
    let place = Place::new();
    let vault = place.open().await;
    vault
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    place
        .google
        .script(Err(RefreshError::InvalidGrant("revoked".into())));
    let grant = grant(tenant(1), storage(1));
    let callers = join_all((0..50).map(|_| vault.access_token(&grant, None))).await;
    assert!(
        callers
            .iter()
            .all(|answer| matches!(answer, Err(VaultError::Refused(_))))
    );
    vault.close().await;
    let vault = place.open().await;
    assert!(matches!(
        vault.access_token(&grant, None).await,
        Err(VaultError::Refused(_))
    ));
    assert_eq!(place.google.calls(), 1);
}

#[tokio::test]
async fn an_answer_that_could_not_be_stored_is_stored_later_without_asking_again() {
    let place = Place::new();
    let vault = place.open().await;
    vault
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    place.google.script(Ok(RefreshAnswer {
        refresh_token: Some(SecretString::from("1//second")),
        ..FakeGoogle::good("short-lived")
    }));
    place
        .tamper("CREATE TRIGGER full BEFORE INSERT ON credential BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        .await;
    let vault = Arc::new(vault);
    let grant = grant(tenant(1), storage(1));
    for _ in 0..3 {
        let token = vault.access_token(&grant, None).await;
        assert!(matches!(token, Err(VaultError::Database(_))), "{token:?}");
    }
    place.tamper("DROP TRIGGER full").await;
    let token = vault.access_token(&grant, None).await.unwrap();
    assert_eq!(token.secret.expose_secret(), "short-lived");
    assert_eq!(place.google.calls(), 1);
    place.clock.advance(TimeDelta::hours(2));
    vault.access_token(&grant, None).await.unwrap();
    assert_eq!(
        place.google.last_refresh_token().as_deref(),
        Some("1//second")
    );
}
