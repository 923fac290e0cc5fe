//! What an intruder with the database, but without the key ring, can do: nothing.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use secrecy::SecretString;
use tintype_ports::{
    Vault, VaultError, VaultKeeper,
    contract::vault::{FakeGoogle, google_secret, grant, s3_secret, storage, tenant},
    google_auth::{RefreshAnswer, RefreshError},
    vault::Secret,
};
use tintype_vault_core::{KeyRing, OpenError};

use crate::support::Place;

on_both!(
    sealed_fields_moved_anywhere_else_never_open,
    an_access_token_moved_anywhere_else_never_opens,
    a_signing_key_of_another_storage_does_not_open,
    a_signature_verifies_with_the_public_half,
    no_secret_stands_in_the_database_in_debug_output_or_in_an_error,
    a_destroyed_tenants_secrets_do_not_open_even_from_a_copy,
    a_wrong_key_ring_is_told_at_the_start,
);

fn canary(number: u8) -> Secret {
    Secret::Google {
        client_id: "1-a.apps.googleusercontent.com".to_owned(),
        client_secret: SecretString::from(format!("CANARY-client-secret-{number}")),
        refresh_token: SecretString::from(format!("CANARY-refresh-token-{number}")),
    }
}

fn contains_canary(bytes: &[u8]) -> bool {
    bytes.windows(6).any(|window| window == b"CANARY")
}

async fn sealed_fields_moved_anywhere_else_never_open(mut place: Place) {
    // Every way to move a sealed field to where another is expected: tenant, storage, field, version, public part.
    let moves = [
        "UPDATE credential SET refresh_token = (SELECT refresh_token FROM credential WHERE tenant_id = B) WHERE tenant_id = A",
        "UPDATE credential SET secret = (SELECT secret FROM credential WHERE tenant_id = B) WHERE tenant_id = A",
        "UPDATE credential SET refresh_token = secret WHERE tenant_id = A",
        "UPDATE credential SET secret = refresh_token WHERE tenant_id = A",
        "UPDATE credential SET version = version + 1 WHERE tenant_id = A",
        "UPDATE credential SET key_version = key_version + 1 WHERE tenant_id = A",
        "UPDATE credential SET public_id = '2-b.apps.googleusercontent.com' WHERE tenant_id = A",
        "UPDATE credential SET kind = 's3' WHERE tenant_id = A",
        "UPDATE vault_tenant SET data_key = (SELECT data_key FROM vault_tenant WHERE tenant_id = B) WHERE tenant_id = A",
        "UPDATE vault_tenant SET data_key = audit_key WHERE tenant_id = A",
        "UPDATE vault_tenant SET data_key_version = 2 WHERE tenant_id = A",
        "UPDATE credential SET secret = ZEROS WHERE tenant_id = A",
        "UPDATE credential SET secret = NOTHING WHERE tenant_id = A",
    ];
    for statement in moves {
        let (google, clock) = (place.google.clone(), place.clock.clone());
        let vault = place.open_empty(google, clock).await;
        for number in [1, 2] {
            vault
                .put(tenant(number), storage(1), canary(number))
                .await
                .unwrap();
        }
        place.tamper(&written(&place, statement)).await;
        let token = vault
            .access_token(&grant(tenant(1), storage(1)), None)
            .await;
        assert!(
            matches!(token, Err(VaultError::Sealed)),
            "{statement}: {token:?}"
        );
        assert_eq!(place.google.calls(), 0, "{statement}");
        vault.close().await;
    }
}

/// A statement about tenants A and B in the words of the place's database.
fn written(place: &Place, statement: &str) -> String {
    statement
        .replace("= A", &format!("= {}", place.id(tenant(1))))
        .replace("= B", &format!("= {}", place.id(tenant(2))))
        .replace("ZEROS", &place.zeros(64))
        .replace("NOTHING", &place.zeros(0))
}

async fn an_access_token_moved_anywhere_else_never_opens(mut place: Place) {
    let moves = [
        "UPDATE credential SET access_token = (SELECT access_token FROM credential WHERE tenant_id = B) WHERE tenant_id = A",
        "UPDATE credential SET access_token = (SELECT access_token FROM credential WHERE tenant_id = A AND SECOND)
         WHERE tenant_id = A AND FIRST",
        "UPDATE credential SET access_token = refresh_token WHERE tenant_id = A",
        "UPDATE credential SET access_token = secret WHERE tenant_id = A",
        "UPDATE credential SET access_number = access_number + 1 WHERE tenant_id = A",
        "UPDATE credential SET access_expires_at = access_expires_at + 1000 WHERE tenant_id = A",
        "UPDATE credential SET generation = generation + 1 WHERE tenant_id = A",
        "UPDATE credential SET access_token = ZEROS WHERE tenant_id = A",
        "UPDATE credential SET access_token = NOTHING WHERE tenant_id = A",
    ];
    for statement in moves {
        place.google = std::sync::Arc::default();
        let (google, clock) = (place.google.clone(), place.clock.clone());
        let vault = place.open_empty(google, clock).await;
        let (mine, mine_too) = (grant(tenant(1), storage(1)), grant(tenant(1), storage(2)));
        let other = grant(tenant(2), storage(1));
        for grant in [&mine, &mine_too, &other] {
            vault
                .put(grant.tenant, grant.storage, google_secret())
                .await
                .unwrap();
            vault.access_token(grant, None).await.unwrap();
        }
        let sql = written(&place, statement)
            .replace(
                "FIRST",
                &format!("storage_id = {}", place.uuid(storage(1).as_uuid())),
            )
            .replace(
                "SECOND",
                &format!("storage_id = {}", place.uuid(storage(2).as_uuid())),
            );
        place.tamper(&sql).await;
        // Another replica, which has the token from the database alone.
        let replica = place.open().await;
        let token = replica.access_token(&mine, None).await;
        assert!(
            matches!(token, Err(VaultError::Sealed)),
            "{statement}: {token:?}"
        );
        assert_eq!(place.google.calls(), 3, "{statement}");
        replica.close().await;
        vault.close().await;
    }
}

async fn a_signing_key_of_another_storage_does_not_open(place: Place) {
    let vault = place.open().await;
    for number in [1, 2] {
        vault
            .signing_key(&grant(tenant(1), storage(number)))
            .await
            .unwrap();
    }
    place.tamper("UPDATE signing_key SET pkcs8 = (SELECT pkcs8 FROM signing_key ORDER BY storage_id DESC LIMIT 1)").await;
    let signed = vault.sign(&grant(tenant(1), storage(1)), b"manifest").await;
    assert!(matches!(signed, Err(VaultError::Sealed)));
}

async fn a_signature_verifies_with_the_public_half(place: Place) {
    let vault = place.open().await;
    let grant = grant(tenant(1), storage(1));
    let signature = vault.sign(&grant, b"manifest").await.unwrap();
    let key = vault.signing_key(&grant).await.unwrap();
    assert!(
        UnparsedPublicKey::new(&ED25519, key)
            .verify(b"manifest", &signature)
            .is_ok()
    );
    assert!(
        UnparsedPublicKey::new(&ED25519, key)
            .verify(b"manifesT", &signature)
            .is_err()
    );
}

async fn no_secret_stands_in_the_database_in_debug_output_or_in_an_error(place: Place) {
    let vault = place.open().await;
    vault.put(tenant(1), storage(1), canary(1)).await.unwrap();
    let put = vault.put(tenant(1), storage(2), s3_secret()).await.unwrap();
    let grant = grant(tenant(1), storage(1));
    place.google.script(Ok(RefreshAnswer {
        refresh_token: Some(SecretString::from("CANARY-second")),
        ..FakeGoogle::good("CANARY-access-token")
    }));
    let token = vault.access_token(&grant, None).await.unwrap();
    place.google.script(Err(RefreshError::InvalidGrant(
        "bad token CANARY-second of CANARY-client-secret-1".into(),
    )));
    let refused = vault.access_token(&grant, Some(&token)).await.unwrap_err();
    let described = vault.describe(tenant(1), storage(1)).await.unwrap();
    let shown = format!("{vault:?} {put:?} {token:?} {refused} {refused:?} {described:?}");
    assert!(!contains_canary(shown.as_bytes()), "{shown}");
    assert!(!contains_canary(&place.everything().await), "while open");
    vault.close().await;
    assert!(!contains_canary(&place.everything().await), "after closing");
}

async fn a_destroyed_tenants_secrets_do_not_open_even_from_a_copy(place: Place) {
    let vault = place.open().await;
    vault
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    vault.put(tenant(1), storage(2), s3_secret()).await.unwrap();
    place
        .tamper("CREATE TABLE copy AS SELECT * FROM credential")
        .await;
    vault.destroy_tenant(tenant(1)).await.unwrap();
    place
        .tamper("INSERT INTO credential SELECT * FROM copy")
        .await;
    let token = vault
        .access_token(&grant(tenant(1), storage(1)), None)
        .await;
    assert!(matches!(token, Err(VaultError::NotFound)), "{token:?}");
    let keys = vault.bucket_keys(&grant(tenant(1), storage(2))).await;
    assert!(matches!(keys, Err(VaultError::NotFound)), "{keys:?}");
    let again = vault.put(tenant(1), storage(1), google_secret()).await;
    assert!(
        matches!(again, Err(VaultError::NotFound)),
        "a destroyed tenant never comes back"
    );
    vault.verify_audit(tenant(1)).await.unwrap();
}

async fn a_wrong_key_ring_is_told_at_the_start(mut place: Place) {
    let vault = place.open().await;
    vault
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    let newer = place.ring.with_new_key().unwrap().without(1).unwrap();
    assert!(matches!(
        vault.unseal_with(newer).await,
        Err(OpenError::KeyMissing(1))
    ));
    let other = KeyRing::generate().unwrap();
    assert!(matches!(
        vault.unseal_with(other.clone()).await,
        Err(OpenError::KeyWrong(1))
    ));
    place.ring = other;
    let opened = place.open_with(place.ring.clone()).await;
    assert!(matches!(opened, Err(OpenError::KeyWrong(1))));
}
