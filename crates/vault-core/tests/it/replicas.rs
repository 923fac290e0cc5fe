//! Several vaults on one PostgreSQL database are one vault.

use std::sync::Arc;

use chrono::TimeDelta;
use futures::future::join_all;
use secrecy::ExposeSecret;
use tintype_ports::{
    Vault, VaultError, VaultKeeper,
    contract::vault::{google_secret, grant, s3_secret, storage, tenant},
    fake::ManualClock,
    google_auth::RefreshError,
    vault::{AccessToken, Grant},
};
use tintype_vault_core::{Times, VaultCore};

use crate::support::Place;

fn account() -> Grant {
    grant(tenant(1), storage(1))
}

/// Three replicas, and an account.
async fn three() -> (Place, [VaultCore; 3]) {
    let place = Place::on_a_server().await;
    let replicas = [place.open().await, place.open().await, place.open().await];
    replicas[0]
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    (place, replicas)
}

async fn ask_all(
    replicas: &[VaultCore],
    callers: usize,
    rejected: Option<&AccessToken>,
) -> Vec<Result<AccessToken, VaultError>> {
    let calls = (0..callers).map(|number| {
        let replica = replicas[number % replicas.len()].clone();
        let rejected = rejected.cloned();
        tokio::spawn(async move { replica.access_token(&account(), rejected.as_ref()).await })
    });
    let answers = join_all(calls).await;
    answers.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_hundred_callers_over_three_replicas_cause_one_call_to_google() {
    let (place, replicas) = three().await;
    for answer in ask_all(&replicas, 500, None).await {
        assert_eq!(answer.unwrap().secret.expose_secret(), "access-token-1");
    }
    assert_eq!(place.google.calls(), 1);
    let log = replicas[1].verify_audit(tenant(1)).await.unwrap();
    assert_eq!(log.count, 502);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rejected_token_is_replaced_once_for_all_replicas() {
    let (place, replicas) = three().await;
    let first = replicas[0].access_token(&account(), None).await.unwrap();
    for answer in ask_all(&replicas, 60, Some(&first)).await {
        assert_eq!(answer.unwrap().secret.expose_secret(), "access-token-2");
    }
    let second = replicas[1].access_token(&account(), None).await.unwrap();
    for answer in ask_all(&replicas, 60, Some(&second)).await {
        assert!(
            matches!(answer, Err(VaultError::Unavailable(_))),
            "{answer:?}"
        );
    }
    assert_eq!(
        place.google.calls(),
        2,
        "at most one forced refresh a minute"
    );
    place.clock.advance(TimeDelta::seconds(61));
    for answer in ask_all(&replicas, 60, Some(&second)).await {
        assert_eq!(answer.unwrap().secret.expose_secret(), "access-token-3");
    }
    assert_eq!(place.google.calls(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rejected_token_is_not_handed_out_by_another_replica_from_memory() {
    let (_place, [one, two, _]) = three().await;
    let first = one.access_token(&account(), None).await.unwrap();
    let same = two.access_token(&account(), None).await.unwrap();
    assert!(same.is_same(&first));
    one.access_token(&account(), Some(&first)).await.unwrap();
    let next = two.access_token(&account(), None).await.unwrap();
    assert_eq!(next.secret.expose_secret(), "access-token-2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn trouble_at_google_is_tried_once_a_cooldown_over_all_replicas() {
    let (place, replicas) = three().await;
    for round in 1..=3 {
        let trouble = RefreshError::Unavailable("503".into());
        place.google.script(Err(trouble));
        for answer in ask_all(&replicas, 90, None).await {
            assert!(
                matches!(answer, Err(VaultError::Unavailable(_))),
                "{answer:?}"
            );
        }
        assert_eq!(place.google.calls(), round);
        place.clock.advance(TimeDelta::minutes(10));
    }
    for answer in ask_all(&replicas, 90, None).await {
        answer.unwrap();
    }
    assert_eq!(place.google.calls(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refused_credential_is_tried_once_over_all_replicas() {
    let (place, replicas) = three().await;
    place
        .google
        .script(Err(RefreshError::InvalidGrant("revoked".into())));
    for _ in 0..3 {
        for answer in ask_all(&replicas, 90, None).await {
            assert!(matches!(answer, Err(VaultError::Refused(_))), "{answer:?}");
        }
        place.clock.advance(TimeDelta::hours(1));
    }
    assert_eq!(place.google.calls(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_one_replica_changes_ends_the_tokens_of_the_others() {
    let (place, [one, two, three]) = three().await;
    let ask = async |expected: &str| {
        for replica in [&two, &three] {
            let token = replica.access_token(&account(), None).await.unwrap();
            assert_eq!(token.secret.expose_secret(), expected);
        }
    };
    ask("access-token-1").await;
    one.put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    ask("access-token-2").await;
    one.rotate(tenant(1), storage(1), None, google_secret())
        .await
        .unwrap();
    ask("access-token-3").await;
    one.rotate_tenant_key(tenant(1)).await.unwrap();
    ask("access-token-3").await;
    one.revoke(tenant(1), storage(1), "stolen").await.unwrap();
    for replica in [&two, &three] {
        let answer = replica.access_token(&account(), None).await;
        assert!(matches!(answer, Err(VaultError::Refused(_))), "{answer:?}");
    }
    one.put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    ask("access-token-4").await;
    one.delete(tenant(1), storage(1)).await.unwrap();
    for replica in [&two, &three] {
        let answer = replica.access_token(&account(), None).await;
        assert!(matches!(answer, Err(VaultError::NotFound)), "{answer:?}");
    }
    assert_eq!(place.google.calls(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicas_whose_clocks_differ_go_by_the_servers_time() {
    let mut place = Place::on_a_server().await;
    place.settings.times = Times::Database;
    let mut replicas = Vec::new();
    for minutes in [-10, 0, 10] {
        let now = tintype_ports::Clock::now(&*place.clock) + TimeDelta::minutes(minutes);
        let (google, clock) = (place.google.clone(), Arc::new(ManualClock::new(now)));
        let replica = place.open_in(place.ring.clone(), google, clock).await;
        replicas.push(replica.unwrap());
    }
    replicas[0]
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    place
        .google
        .script(Err(RefreshError::Unavailable("503".into())));
    for answer in ask_all(&replicas, 30, None).await {
        assert!(
            matches!(answer, Err(VaultError::Unavailable(_))),
            "{answer:?}"
        );
    }
    assert_eq!(place.google.calls(), 1, "the pause is over for nobody");
    replicas[2]
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    let ends: Vec<_> = ask_all(&replicas, 30, None).await;
    let ends = ends.into_iter().map(|answer| answer.unwrap().expires_at);
    let ends: std::collections::BTreeSet<_> = ends.collect();
    assert_eq!(ends.len(), 1, "one token with one end: {ends:?}");
    assert_eq!(place.google.calls(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tenants_are_logged_by_all_replicas_at_once_without_a_deadlock() {
    const TENANTS: u8 = 20;
    const USES: u8 = 30;
    let place = Place::on_a_server().await;
    let replicas = [place.open().await, place.open().await, place.open().await];
    for number in 1..=TENANTS {
        replicas[0]
            .put(tenant(number), storage(1), s3_secret())
            .await
            .unwrap();
    }
    let calls = (0..USES).flat_map(|turn| (1..=TENANTS).map(move |number| (turn, number)));
    let calls = calls.map(|(turn, number)| {
        let replica = replicas[usize::from(turn) % 3].clone();
        tokio::spawn(async move {
            replica
                .bucket_keys(&grant(tenant(number), storage(1)))
                .await
        })
    });
    for answer in join_all(calls).await {
        answer.unwrap().unwrap();
    }
    for number in 1..=TENANTS {
        let log = replicas[1].verify_audit(tenant(number)).await.unwrap();
        assert_eq!(log.count, i64::from(USES) + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_tenant_is_made_once_however_many_replicas_meet_it_first() {
    let place = Place::on_a_server().await;
    let replicas = [place.open().await, place.open().await, place.open().await];
    let puts = (0..30_u8).map(|number| {
        let replica = replicas[usize::from(number) % 3].clone();
        tokio::spawn(async move { replica.put(tenant(1), storage(number), s3_secret()).await })
    });
    for put in join_all(puts).await {
        put.unwrap().unwrap();
    }
    for number in 0..30 {
        let bucket = grant(tenant(1), storage(number));
        replicas[0].bucket_keys(&bucket).await.unwrap();
    }
    let log = replicas[2].verify_audit(tenant(1)).await.unwrap();
    assert_eq!(log.count, 60);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_signing_key_is_made_however_many_replicas_need_it_first() {
    let place = Place::on_a_server().await;
    let replicas = [place.open().await, place.open().await, place.open().await];
    let calls = (0..30).map(|number| {
        let replica = replicas[number % 3].clone();
        tokio::spawn(async move { replica.signing_key(&account()).await })
    });
    let keys = join_all(calls).await;
    let keys: std::collections::BTreeSet<_> =
        keys.into_iter().map(|key| key.unwrap().unwrap()).collect();
    assert_eq!(keys.len(), 1);
}
