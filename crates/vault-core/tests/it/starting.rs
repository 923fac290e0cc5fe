//! A vault without its keys starts sealed, and unseals by itself.

use std::{fs, sync::Arc};

use tintype_ports::{
    Vault, VaultError, VaultKeeper,
    contract::vault::{google_secret, grant, s3_secret, storage, tenant},
};
use tintype_vault_core::{KeyRing, KeySource, OpenError, VaultCore};

use crate::support::{Place, eventually};

on_both!(
    a_vault_without_its_key_file_starts_sealed_and_unseals_when_it_turns_up,
    a_sealed_vault_is_unsealed_by_hand,
    a_key_file_that_gains_a_newer_key_is_picked_up,
    a_replica_with_an_older_key_file_reads_it_again_when_a_newer_key_is_needed,
    a_key_file_of_another_vault_does_not_unseal,
    a_missing_variable_starts_the_vault_sealed,
);

async fn assert_sealed(vault: &VaultCore, why: &str) {
    let (account, bucket) = (grant(tenant(1), storage(1)), grant(tenant(1), storage(2)));
    let answers = [
        vault
            .put(tenant(1), storage(1), google_secret())
            .await
            .err(),
        vault.access_token(&account, None).await.err(),
        vault.bucket_keys(&bucket).await.err(),
        vault.sign(&bucket, b"m").await.err(),
        vault.signing_key(&bucket).await.err(),
        vault.delete(tenant(1), storage(1)).await.err(),
        vault
            .rotate(tenant(1), storage(1), None, google_secret())
            .await
            .err(),
        vault.revoke(tenant(1), storage(1), "x").await.err(),
        vault.key_standing().await.err(),
        vault.rewrap(1).await.err(),
        vault.rotate_tenant_key(tenant(1)).await.err(),
        vault.destroy_tenant(tenant(1)).await.err(),
        vault.verify_audit_log(tenant(1)).await.err(),
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        let is_locked = matches!(&answer, Some(VaultError::Locked(text)) if text.contains(why));
        assert!(is_locked, "{number}: {answer:?}");
    }
    let sealed = vault.sealed().await;
    assert!(
        sealed.as_ref().is_some_and(|text| text.contains(why)),
        "{sealed:?}"
    );
}

async fn unsealed(vault: &VaultCore) {
    eventually("unsealed", async || vault.sealed().await.is_none()).await;
}

/// A key file with the place's ring.
fn write_ring(place: &Place) {
    let path = place.path("keys");
    let _ = fs::remove_file(&path);
    KeyRing::create_file(&path).unwrap();
    fs::write(
        &path,
        secrecy::ExposeSecret::expose_secret(&place.ring.to_text()),
    )
    .unwrap();
}

async fn a_vault_without_its_key_file_starts_sealed_and_unseals_when_it_turns_up(place: Place) {
    let vault = place.open().await;
    vault
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    vault.put(tenant(1), storage(2), s3_secret()).await.unwrap();
    vault.close().await;

    let source = KeySource::File(place.path("keys"));
    let vault = place.open_with(source).await.unwrap();
    assert_sealed(&vault, "keys cannot be used: No such file").await;
    let described = vault.describe(tenant(1), storage(1)).await.unwrap();
    assert!(described.is_some(), "what needs no key can still be read");
    write_ring(&place);
    unsealed(&vault).await;
    vault
        .access_token(&grant(tenant(1), storage(1)), None)
        .await
        .unwrap();
    vault
        .bucket_keys(&grant(tenant(1), storage(2)))
        .await
        .unwrap();
}

async fn a_sealed_vault_is_unsealed_by_hand(place: Place) {
    let vault = place.open().await;
    vault.put(tenant(1), storage(1), s3_secret()).await.unwrap();
    vault.close().await;
    let source = KeySource::File(place.path("keys"));
    let vault = place.open_with(source).await.unwrap();
    let wrong = vault.unseal_with(KeyRing::generate().unwrap()).await;
    assert!(matches!(wrong, Err(OpenError::KeyWrong(1))), "{wrong:?}");
    assert!(vault.sealed().await.is_some());
    vault.unseal_with(place.ring.clone()).await.unwrap();
    assert_eq!(vault.sealed().await, None);
    vault
        .bucket_keys(&grant(tenant(1), storage(1)))
        .await
        .unwrap();
}

async fn a_key_file_that_gains_a_newer_key_is_picked_up(place: Place) {
    write_ring(&place);
    let source = KeySource::File(place.path("keys"));
    let vault = place.open_with(source).await.unwrap();
    vault.put(tenant(1), storage(1), s3_secret()).await.unwrap();
    assert_eq!(vault.key_standing().await.unwrap().newest, 1);
    KeyRing::rotate_file(&place.path("keys")).unwrap();
    eventually("the newer key is found", async || {
        vault.key_standing().await.unwrap().newest == 2
    })
    .await;
    assert_eq!(vault.rewrap(10).await.unwrap().in_use, [2]);
    fs::remove_file(place.path("keys")).unwrap();
    vault
        .bucket_keys(&grant(tenant(1), storage(1)))
        .await
        .unwrap();
}

async fn a_replica_with_an_older_key_file_reads_it_again_when_a_newer_key_is_needed(place: Place) {
    write_ring(&place);
    let source = KeySource::File(place.path("keys"));
    let late = place.open_with(source).await.unwrap();
    let newer = KeyRing::rotate_file(&place.path("keys")).unwrap();
    let early = place.open_with(newer).await.unwrap();
    early.put(tenant(1), storage(1), s3_secret()).await.unwrap();
    // Not a second later, but now.
    late.bucket_keys(&grant(tenant(1), storage(1)))
        .await
        .unwrap();
}

async fn a_key_file_of_another_vault_does_not_unseal(mut place: Place) {
    let vault = place.open().await;
    vault.put(tenant(1), storage(1), s3_secret()).await.unwrap();
    vault.close().await;
    let right = place.ring.clone();
    place.ring = KeyRing::generate().unwrap();
    write_ring(&place);
    let source = KeySource::File(place.path("keys"));
    let vault = place.open_with(source).await.unwrap();
    assert_sealed(&vault, "is not the one this database was made with").await;
    place.ring = right;
    write_ring(&place);
    unsealed(&vault).await;
}

async fn a_missing_variable_starts_the_vault_sealed(place: Place) {
    let source = KeySource::Variable("TINTYPE_TEST_NO_SUCH_VARIABLE".to_owned());
    let vault = place.open_with(source).await.unwrap();
    assert_sealed(&vault, "TINTYPE_TEST_NO_SUCH_VARIABLE").await;
    vault.unseal_with(place.ring.clone()).await.unwrap();
    vault.put(tenant(1), storage(1), s3_secret()).await.unwrap();
}

#[tokio::test]
async fn a_vault_that_is_let_go_stops_looking_for_its_keys() {
    let place = Place::in_a_file();
    let source = KeySource::File(place.path("keys"));
    let vault = place.open_with(source).await.unwrap();
    drop(vault);
    let before = tokio::runtime::Handle::current();
    eventually("no task is left", async || {
        before.metrics().num_alive_tasks() == 0
    })
    .await;
    drop(Arc::new(place));
}
