//! No log, no answer; and a log that was touched says so.

use tintype_ports::{
    Vault, VaultError, VaultKeeper,
    contract::vault::{google_secret, grant, s3_secret, storage, tenant},
};
use tintype_vault_core::AuditFault;

use crate::support::Place;

on_both!(
    what_cannot_be_logged_is_not_answered,
    google_is_not_asked_for_what_could_not_be_logged,
    every_change_of_the_log_is_found,
    a_cut_log_is_not_continued_as_if_nothing_had_happened,
    the_database_refuses_a_careless_change_of_the_log,
    a_refusal_is_logged_too,
);

async fn what_cannot_be_logged_is_not_answered(place: Place) {
    let vault = place.open().await;
    vault
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    vault.put(tenant(1), storage(2), s3_secret()).await.unwrap();
    let (google, bucket) = (grant(tenant(1), storage(1)), grant(tenant(1), storage(2)));
    vault.access_token(&google, None).await.unwrap();
    vault.sign(&bucket, b"m").await.unwrap();
    place.fill_disk("audit_entry", None).await;
    for _ in 0..3 {
        let cached = vault.access_token(&google, None).await;
        assert!(matches!(cached, Err(VaultError::Audit(_))), "{cached:?}");
    }
    assert!(matches!(
        vault.bucket_keys(&bucket).await,
        Err(VaultError::Audit(_))
    ));
    assert!(matches!(
        vault.sign(&bucket, b"m").await,
        Err(VaultError::Audit(_))
    ));
    assert!(matches!(
        vault.signing_key(&bucket).await,
        Err(VaultError::Audit(_))
    ));
    let put = vault.put(tenant(1), storage(3), s3_secret()).await;
    assert!(matches!(put, Err(VaultError::Audit(_))));
    assert!(
        vault
            .describe(tenant(1), storage(3))
            .await
            .unwrap()
            .is_none()
    );
    let deleted = vault.delete(tenant(1), storage(2)).await;
    assert!(matches!(deleted, Err(VaultError::Audit(_))));
    assert!(
        vault
            .describe(tenant(1), storage(2))
            .await
            .unwrap()
            .is_some()
    );
    place.empty_disk("audit_entry").await;
    vault.access_token(&google, None).await.unwrap();
    assert_eq!(place.google.calls(), 1);
    vault.verify_audit(tenant(1)).await.unwrap();
}

async fn google_is_not_asked_for_what_could_not_be_logged(place: Place) {
    let vault = place.open().await;
    vault
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    place.fill_disk("audit_entry", None).await;
    let token = vault
        .access_token(&grant(tenant(1), storage(1)), None)
        .await;
    assert!(matches!(token, Err(VaultError::Audit(_))));
    assert_eq!(place.google.calls(), 0);
}

async fn with_ten_entries(place: &mut Place) -> tintype_vault_core::VaultCore {
    let (google, clock) = (place.google.clone(), place.clock.clone());
    let vault = place.open_empty(google, clock).await;
    for _ in 0..10 {
        vault.put(tenant(1), storage(1), s3_secret()).await.unwrap();
    }
    place.allow_changes_of_the_log().await;
    assert_eq!(vault.verify_audit(tenant(1)).await.unwrap().count, 10);
    vault
}

async fn every_change_of_the_log_is_found(mut place: Place) {
    let changes = [
        ("UPDATE audit_entry SET purpose = 'x' WHERE number = 4", "entry 4 was changed or moved"),
        ("UPDATE audit_entry SET action = 'issue' WHERE number = 4", "entry 4 was changed or moved"),
        ("UPDATE audit_entry SET at = at + 1 WHERE number = 4", "entry 4 was changed or moved"),
        ("UPDATE audit_entry SET storage_id = NULL WHERE number = 4", "entry 4 was changed or moved"),
        ("UPDATE audit_entry SET mac = ZEROS WHERE number = 4", "entry 4 was changed or moved"),
        ("DELETE FROM audit_entry WHERE number = 4", "entry 4 is missing"),
        ("DELETE FROM audit_entry WHERE number = 1", "entry 1 is missing"),
        (
            "UPDATE audit_entry SET number = 99 WHERE number = 4; UPDATE audit_entry SET number = 4 WHERE number = 5;
             UPDATE audit_entry SET number = 5 WHERE number = 99",
            "entry 4 was changed or moved",
        ),
        ("DELETE FROM audit_entry WHERE number = 10", "the log's end was changed: 9 entries are there"),
        (
            "DELETE FROM audit_entry WHERE number > 7; UPDATE vault_tenant SET audit_count = 7,
             audit_mac = (SELECT mac FROM audit_entry WHERE number = 7)",
            "the log's end was changed: 7 entries are there",
        ),
        ("DELETE FROM audit_entry", "the log's end was changed: 0 entries are there"),
    ];
    for (change, expected) in changes {
        let vault = with_ten_entries(&mut place).await;
        place
            .tamper(&change.replace("ZEROS", &place.zeros(32)))
            .await;
        let fault = vault.verify_audit(tenant(1)).await.unwrap_err();
        assert_eq!(fault.to_string(), expected, "{change}");
        let counted = vault.verify_audit_log(tenant(1)).await;
        assert!(
            matches!(counted, Err(VaultError::Audit(_))),
            "{change}: {counted:?}"
        );
        vault.close().await;
    }
}

async fn a_cut_log_is_not_continued_as_if_nothing_had_happened(mut place: Place) {
    let vault = with_ten_entries(&mut place).await;
    place
        .tamper(
            "DELETE FROM audit_entry WHERE number > 7; UPDATE vault_tenant SET audit_count = 7,
             audit_mac = (SELECT mac FROM audit_entry WHERE number = 7)",
        )
        .await;
    let keys = vault.bucket_keys(&grant(tenant(1), storage(1))).await;
    assert!(matches!(keys, Err(VaultError::Audit(_))), "{keys:?}");
    let fault = vault.verify_audit(tenant(1)).await;
    assert!(matches!(fault, Err(AuditFault::EndChanged { found: 7 })));
}

async fn the_database_refuses_a_careless_change_of_the_log(place: Place) {
    let vault = place.open().await;
    vault.put(tenant(1), storage(1), s3_secret()).await.unwrap();
    for sql in [
        "DELETE FROM audit_entry",
        "UPDATE audit_entry SET purpose = 'x'",
    ] {
        let refused = place.try_tamper(sql).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
}

async fn a_refusal_is_logged_too(place: Place) {
    let vault = place.open().await;
    vault.put(tenant(1), storage(1), s3_secret()).await.unwrap();
    vault
        .access_token(&grant(tenant(1), storage(1)), None)
        .await
        .unwrap_err();
    vault
        .bucket_keys(&grant(tenant(1), storage(9)))
        .await
        .unwrap_err();
    let log = vault.audit_log(tenant(1), 0, 10).await.unwrap();
    let actions: Vec<&str> = log.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["put", "refused", "refused"]);
}
