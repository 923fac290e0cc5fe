//! What an intruder with the database, but without the key ring, can do: nothing.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use secrecy::SecretString;
use tintype_ports::{
    Vault, VaultError,
    contract::vault::{FakeGoogle, google_secret, grant, s3_secret, storage, tenant},
    google_auth::{RefreshAnswer, RefreshError},
    vault::Secret,
};
use tintype_vault_core::{KeyRing, OpenError, VaultCore};

use crate::support::Place;

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

#[tokio::test]
async fn sealed_fields_moved_anywhere_else_never_open() {
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
        "UPDATE credential SET secret = zeroblob(64) WHERE tenant_id = A",
        "UPDATE credential SET secret = x'' WHERE tenant_id = A",
    ];
    let id = |number| format!("x'{}'", tenant(number).as_uuid().simple());
    for statement in moves {
        let place = Place::new();
        let vault = place.open().await;
        for number in [1, 2] {
            vault
                .put(tenant(number), storage(1), canary(number))
                .await
                .unwrap();
        }
        let sql = statement
            .replace("= A", &format!("= {}", id(1)))
            .replace("= B", &format!("= {}", id(2)));
        place.tamper(&sql).await;
        let token = vault
            .access_token(&grant(tenant(1), storage(1)), None)
            .await;
        assert!(
            matches!(token, Err(VaultError::Sealed)),
            "{statement}: {token:?}"
        );
        assert_eq!(place.google.calls(), 0, "{statement}");
    }
}

#[tokio::test]
async fn a_signing_key_of_another_storage_does_not_open() {
    let place = Place::new();
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

#[tokio::test]
async fn a_signature_verifies_with_the_public_half() {
    let place = Place::new();
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

#[tokio::test]
async fn no_secret_stands_in_the_database_in_debug_output_or_in_an_error() {
    let place = Place::new();
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
    assert!(!contains_canary(&place.bytes()), "while open");
    vault.close().await;
    assert!(!contains_canary(&place.bytes()), "after closing");
}

#[tokio::test]
async fn a_destroyed_tenants_secrets_do_not_open_even_from_a_copy() {
    let place = Place::new();
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

#[tokio::test]
async fn a_wrong_key_ring_is_told_at_the_start() {
    let mut place = Place::new();
    let vault = place.open().await;
    vault
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    let newer = place.ring.with_new_key().unwrap().without(1).unwrap();
    assert!(matches!(
        vault.use_key_ring(newer).await,
        Err(OpenError::KeyMissing(1))
    ));
    let other = KeyRing::generate().unwrap();
    assert!(matches!(
        vault.use_key_ring(other.clone()).await,
        Err(OpenError::KeyWrong(1))
    ));
    place.ring = other;
    let clock: std::sync::Arc<_> = place.clock.clone();
    let entropy = std::sync::Arc::new(crate::support::Halfway);
    let opened = VaultCore::open(
        &place.path("vault.db"),
        place.ring.clone(),
        place.google.clone(),
        clock,
        entropy,
    )
    .await;
    assert!(matches!(opened, Err(OpenError::KeyWrong(1))));
}
