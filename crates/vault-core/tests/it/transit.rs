//! Key-encryption keys in a Transit engine outside, and what happens when it is down, sealed, slow or says no.

use std::{fs, time::Duration};

use tintype_ports::{
    Vault, VaultError, VaultKeeper,
    contract::vault::{google_secret, grant, s3_secret, storage, tenant},
};
use tintype_vault_core::{KeySource, TransitSettings, VaultCore};

use crate::{
    support::{Place, eventually},
    transit_server::{Mood, TOKEN, TransitServer},
};

on_both!(
    a_vault_works_with_keys_that_it_never_sees,
    the_engine_is_not_asked_for_every_token,
    a_rotated_key_is_used_for_new_tenants_and_old_ones_are_rewrapped,
    wrapped_keys_moved_to_another_tenant_do_not_open,
    a_vault_starts_sealed_while_the_engine_is_not_well_and_unseals_when_it_is,
    another_engines_key_does_not_unseal,
    a_token_file_that_is_renewed_is_read_again,
    a_stumbling_engine_is_tried_again,
    an_engine_that_is_away_fails_only_what_needs_it,
    tenants_whose_keys_are_at_hand_do_not_wait_for_those_whose_keys_are_not,
    many_callers_that_need_the_same_keys_ask_once,
    a_key_of_another_kind_is_refused_with_the_reason,
);

fn settings(place: &Place, server: &TransitServer) -> TransitSettings {
    let token_file = place.path("token");
    if !token_file.exists() {
        fs::write(&token_file, format!("{TOKEN}\n")).unwrap();
    }
    TransitSettings {
        mount: "kms/transit".to_owned(),
        namespace: Some("team".to_owned()),
        ..TransitSettings::new(server.url(), "tintype", token_file)
    }
}

async fn open(place: &Place, server: &TransitServer) -> VaultCore {
    let source = KeySource::from(settings(place, server));
    place.open_with(source).await.unwrap()
}

async fn a_vault_works_with_keys_that_it_never_sees(place: Place) {
    let server = TransitServer::start().await;
    let vault = open(&place, &server).await;
    assert_eq!(vault.sealed().await, None);
    vault
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    vault.close().await;
    let vault = open(&place, &server).await;
    let account = grant(tenant(1), storage(1));
    vault.access_token(&account, None).await.unwrap();
    vault.rotate_tenant_key(tenant(1)).await.unwrap();
    vault.sign(&account, b"m").await.unwrap();
    vault.verify_audit(tenant(1)).await.unwrap();
    vault.destroy_tenant(tenant(1)).await.unwrap();
    vault.verify_audit(tenant(1)).await.unwrap();
}

async fn the_engine_is_not_asked_for_every_token(place: Place) {
    let server = TransitServer::start().await;
    let vault = open(&place, &server).await;
    vault
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    vault.close().await;
    let vault = open(&place, &server).await;
    let before = server.calls("decrypt");
    for _ in 0..50 {
        vault
            .access_token(&grant(tenant(1), storage(1)), None)
            .await
            .unwrap();
    }
    assert_eq!(
        server.calls("decrypt") - before,
        2,
        "data key and audit key"
    );
}

async fn a_rotated_key_is_used_for_new_tenants_and_old_ones_are_rewrapped(place: Place) {
    let server = TransitServer::start().await;
    let vault = open(&place, &server).await;
    for number in 1..=3 {
        vault
            .put(tenant(number), storage(1), s3_secret())
            .await
            .unwrap();
    }
    server.rotate();
    vault.put(tenant(4), storage(1), s3_secret()).await.unwrap();
    let standing = vault.key_standing().await.unwrap();
    assert_eq!(
        (standing.newest, standing.in_use, standing.waiting),
        (2, vec![1, 2], 3)
    );
    let standing = vault.rewrap(10).await.unwrap();
    assert_eq!((standing.in_use, standing.waiting), (vec![2], 0));
    vault.close().await;
    let vault = open(&place, &server).await;
    for number in 1..=4 {
        vault
            .bucket_keys(&grant(tenant(number), storage(1)))
            .await
            .unwrap();
        vault.verify_audit(tenant(number)).await.unwrap();
    }
}

async fn wrapped_keys_moved_to_another_tenant_do_not_open(place: Place) {
    let server = TransitServer::start().await;
    let vault = open(&place, &server).await;
    for number in 1..=2 {
        vault
            .put(tenant(number), storage(1), s3_secret())
            .await
            .unwrap();
    }
    let moves = [
        "data_key = (SELECT data_key FROM vault_tenant WHERE tenant_id = B)",
        "data_key = audit_key",
        "audit_key = (SELECT audit_key FROM vault_tenant WHERE tenant_id = B)",
        "data_key_version = 2",
        "kek_version = 2",
    ];
    place
        .tamper("CREATE TABLE copy AS SELECT * FROM vault_tenant")
        .await;
    for change in moves {
        let change = change.replace('B', &place.id(tenant(2)));
        let mine = place.id(tenant(1));
        place
            .tamper(&format!(
                "UPDATE vault_tenant SET {change} WHERE tenant_id = {mine}"
            ))
            .await;
        let keys = vault.bucket_keys(&grant(tenant(1), storage(1))).await;
        assert!(
            matches!(keys, Err(VaultError::Sealed)),
            "{change}: {keys:?}"
        );
        place
            .tamper(&format!(
                "UPDATE vault_tenant SET data_key_version = 1, kek_version = 1,
                     data_key = (SELECT data_key FROM copy WHERE tenant_id = {mine}),
                     audit_key = (SELECT audit_key FROM copy WHERE tenant_id = {mine}) WHERE tenant_id = {mine}"
            ))
            .await;
        vault
            .bucket_keys(&grant(tenant(1), storage(1)))
            .await
            .unwrap();
    }
}

async fn a_vault_starts_sealed_while_the_engine_is_not_well_and_unseals_when_it_is(place: Place) {
    let mut server = TransitServer::start().await;
    let vault = open(&place, &server).await;
    vault.put(tenant(1), storage(1), s3_secret()).await.unwrap();
    vault.close().await;
    let cases = [
        (Mood::Sealed, "is sealed or not ready: Vault is sealed"),
        (Mood::Broken, "answers 500"),
        (Mood::Silent, "key service at 127.0.0.1"),
        (Mood::Nonsense, "not Transit's"),
    ];
    for (mood, why) in cases {
        server.be(mood);
        let vault = quick(&place, &server).await;
        assert_locked(&vault, why).await;
        vault.close().await;
    }
    server.stop().await;
    let vault = quick(&place, &server).await;
    assert_locked(&vault, "does not answer").await;
    server.be(Mood::Well);
    server.start_again().await;
    eventually("unsealed", async || vault.sealed().await.is_none()).await;
    vault
        .bucket_keys(&grant(tenant(1), storage(1)))
        .await
        .unwrap();
}

/// With little patience.
async fn quick(place: &Place, server: &TransitServer) -> VaultCore {
    let source = KeySource::from(TransitSettings {
        try_timeout: Duration::from_millis(700),
        call_timeout: Duration::from_millis(1500),
        ..settings(place, server)
    });
    place.open_with(source).await.unwrap()
}

async fn assert_locked(vault: &VaultCore, why: &str) {
    let sealed = vault.sealed().await;
    assert!(
        sealed.as_ref().is_some_and(|text| text.contains(why)),
        "{sealed:?}"
    );
    let keys = vault.bucket_keys(&grant(tenant(1), storage(1))).await;
    let is_locked = matches!(&keys, Err(VaultError::Locked(text)) if text.contains(why));
    assert!(is_locked, "{keys:?}");
}

async fn another_engines_key_does_not_unseal(place: Place) {
    let server = TransitServer::start().await;
    let vault = open(&place, &server).await;
    vault.put(tenant(1), storage(1), s3_secret()).await.unwrap();
    vault.close().await;
    server.forget();
    let vault = open(&place, &server).await;
    assert_locked(&vault, "is not the one this database was made with").await;
}

async fn a_token_file_that_is_renewed_is_read_again(place: Place) {
    let server = TransitServer::start().await;
    fs::write(place.path("token"), "hvs.expired").unwrap();
    let vault = open(&place, &server).await;
    let sealed = vault.sealed().await.unwrap();
    assert!(sealed.contains("refuses the token in"), "{sealed}");
    assert!(!sealed.contains("hvs."), "{sealed}");
    fs::write(place.path("token"), TOKEN).unwrap();
    eventually("unsealed", async || vault.sealed().await.is_none()).await;
    vault.put(tenant(1), storage(1), s3_secret()).await.unwrap();
}

async fn a_stumbling_engine_is_tried_again(place: Place) {
    let server = TransitServer::start().await;
    let vault = open(&place, &server).await;
    server.be(Mood::Stumbling(2));
    vault.put(tenant(1), storage(1), s3_secret()).await.unwrap();
    assert_eq!(server.calls("encrypt"), 4, "two failures, two keys");
    server.be(Mood::Broken);
    let put = vault.put(tenant(2), storage(1), s3_secret()).await;
    assert!(matches!(put, Err(VaultError::Locked(_))), "{put:?}");
    assert_eq!(server.calls("encrypt"), 7, "three tries and no more");
}

async fn an_engine_that_is_away_fails_only_what_needs_it(place: Place) {
    let mut server = TransitServer::start().await;
    let vault = quick(&place, &server).await;
    vault.put(tenant(1), storage(1), s3_secret()).await.unwrap();
    server.stop().await;
    vault
        .bucket_keys(&grant(tenant(1), storage(1)))
        .await
        .unwrap();
    let put = vault.put(tenant(2), storage(1), s3_secret()).await;
    assert!(matches!(put, Err(VaultError::Locked(_))), "{put:?}");
    let standing = vault.key_standing().await;
    assert!(
        matches!(standing, Err(VaultError::Locked(_))),
        "{standing:?}"
    );
    server.start_again().await;
    vault.put(tenant(2), storage(1), s3_secret()).await.unwrap();
}

async fn a_key_of_another_kind_is_refused_with_the_reason(place: Place) {
    let server = TransitServer::start().await;
    server.be_of_kind("rsa-4096");
    let vault = open(&place, &server).await;
    let sealed = vault.sealed().await.unwrap();
    assert!(sealed.contains("its type must be aes256-gcm96"), "{sealed}");
    let missing = TransitSettings {
        key: "other".to_owned(),
        ..settings(&place, &server)
    };
    let vault = place.open_with(missing).await.unwrap();
    let sealed = vault.sealed().await.unwrap();
    assert!(
        sealed.contains("has no key other at kms/transit"),
        "{sealed}"
    );
}

async fn tenants_whose_keys_are_at_hand_do_not_wait_for_those_whose_keys_are_not(place: Place) {
    let server = TransitServer::start().await;
    let first = open(&place, &server).await;
    for number in 1..=20 {
        first
            .put(tenant(number), storage(1), s3_secret())
            .await
            .unwrap();
    }
    first.close().await;
    // Three tries of five seconds each, of which the first is enough for what must not wait.
    let source = KeySource::from(TransitSettings {
        try_timeout: Duration::from_secs(5),
        call_timeout: Duration::from_secs(40),
        ..settings(&place, &server)
    });
    let vault = place.open_with(source).await.unwrap();
    let at_hand = grant(tenant(1), storage(1));
    vault.bucket_keys(&at_hand).await.unwrap();
    server.be(Mood::Silent);
    let stuck: Vec<_> = (2..=20)
        .map(|number| {
            let vault = vault.clone();
            tokio::spawn(async move { vault.sign(&grant(tenant(number), storage(1)), b"m").await })
        })
        .collect();
    for _ in 0..20 {
        vault.bucket_keys(&at_hand).await.unwrap();
    }
    assert!(stuck.iter().all(|call| !call.is_finished()));
    server.be(Mood::Well);
    for call in stuck {
        call.await.unwrap().unwrap();
    }
}

async fn many_callers_that_need_the_same_keys_ask_once(place: Place) {
    let server = TransitServer::start().await;
    let first = open(&place, &server).await;
    first.put(tenant(1), storage(1), s3_secret()).await.unwrap();
    first.close().await;
    let vault = open(&place, &server).await;
    let before = server.calls("decrypt");
    let callers = (0..50).map(|_| {
        let vault = vault.clone();
        tokio::spawn(async move { vault.bucket_keys(&grant(tenant(1), storage(1))).await })
    });
    for keys in futures::future::join_all(callers).await {
        keys.unwrap().unwrap();
    }
    assert_eq!(server.calls("decrypt") - before, 2);
}
