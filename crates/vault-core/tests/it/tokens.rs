//! Access tokens under load, over two replicas, and when Google or the disk refuses.

use chrono::TimeDelta;
use futures::future::join_all;
use secrecy::{ExposeSecret, SecretString};
use tintype_ports::{
    Vault, VaultError,
    contract::vault::{FakeGoogle, google_secret, grant, storage, tenant},
    google_auth::{RefreshAnswer, RefreshError},
};

use crate::support::{Place, eventually};

on_both!(
    five_hundred_callers_cause_one_call_to_google_and_five_hundred_log_entries,
    a_caller_that_goes_away_does_not_lose_the_new_refresh_token,
    a_new_refresh_token_is_used_by_every_replica,
    a_replaced_secret_ends_the_other_replicas_cached_token,
    a_refusal_is_remembered_over_a_restart,
    an_answer_that_could_not_be_stored_is_stored_later_without_asking_again,
    a_token_survives_a_restart,
);

async fn five_hundred_callers_cause_one_call_to_google_and_five_hundred_log_entries(place: Place) {
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

async fn a_caller_that_goes_away_does_not_lose_the_new_refresh_token(place: Place) {
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
    let caller = tokio::spawn({
        let (vault, grant) = (vault.clone(), grant.clone());
        async move { vault.access_token(&grant, None).await }
    });
    // Google takes 30 ms to answer: the caller leaves as soon as it was asked.
    eventually("google is asked", async || place.google.calls() == 1).await;
    caller.abort();
    vault.access_token(&grant, None).await.unwrap();
    place.clock.advance(TimeDelta::hours(2));
    vault.access_token(&grant, None).await.unwrap();
    assert_eq!(
        place.google.last_refresh_token().as_deref(),
        Some("1//second")
    );
}

async fn a_new_refresh_token_is_used_by_every_replica(place: Place) {
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
    assert_eq!(place.google.calls(), 1);
    place.clock.advance(TimeDelta::hours(2));
    two.access_token(&grant, None).await.unwrap();
    let used = place.google.last_refresh_token();
    assert_eq!(used.as_deref(), Some("1//newer-a"));
    place.clock.advance(TimeDelta::hours(2));
    one.access_token(&grant, None).await.unwrap();
    let used = place.google.last_refresh_token();
    assert_eq!(used.as_deref(), Some("1//newer-b"));
    one.verify_audit(tenant(1)).await.unwrap();
}

async fn a_replaced_secret_ends_the_other_replicas_cached_token(place: Place) {
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

async fn a_refusal_is_remembered_over_a_restart(place: Place) {
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

async fn an_answer_that_could_not_be_stored_is_stored_later_without_asking_again(place: Place) {
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
        .fill_disk("credential", Some("NEW.access_token IS NOT NULL"))
        .await;
    let grant = grant(tenant(1), storage(1));
    for _ in 0..3 {
        let token = vault.access_token(&grant, None).await;
        assert!(matches!(token, Err(VaultError::Database(_))), "{token:?}");
    }
    place.empty_disk("credential").await;
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

async fn a_token_survives_a_restart(place: Place) {
    let vault = place.open().await;
    vault
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    let grant = grant(tenant(1), storage(1));
    let first = vault.access_token(&grant, None).await.unwrap();
    vault.close().await;
    let vault = place.open().await;
    let second = vault.access_token(&grant, None).await.unwrap();
    assert!(second.is_same(&first));
    assert_eq!(
        (second.expires_at, second.scopes),
        (first.expires_at, first.scopes)
    );
    assert_eq!(place.google.calls(), 1);
}
