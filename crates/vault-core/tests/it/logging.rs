//! The vault's role on PostgreSQL, and what happens when it may not write its log.

use sqlx::{Connection, PgConnection};
use tintype_ports::{
    Vault, VaultError, VaultKeeper,
    contract::vault::{google_secret, grant, s3_secret, storage, tenant},
    vault::Grant,
};
use tintype_vault_core::VaultCore;

use crate::support::{Halfway, Place, eventually};

/// Puts a tenant's account.
async fn account(vault: &VaultCore, number: u8) -> Grant {
    let (tenant, storage) = (tenant(number), storage(1));
    vault.put(tenant, storage, google_secret()).await.unwrap();
    grant(tenant, storage)
}

#[tokio::test]
async fn a_vault_that_may_not_write_its_log_answers_nothing() {
    let place = Place::on_a_server().await;
    let vault = place.open().await;
    let account = account(&vault, 1).await;
    vault.put(tenant(1), storage(2), s3_secret()).await.unwrap();
    let bucket = grant(tenant(1), storage(2));
    let token = vault.access_token(&account, None).await.unwrap();
    place
        .tamper("REVOKE INSERT ON audit_entry FROM tintype_vault")
        .await;
    let refused = [
        vault.access_token(&account, None).await.err(),
        vault.access_token(&account, Some(&token)).await.err(),
        vault.bucket_keys(&bucket).await.err(),
        vault.sign(&bucket, b"m").await.err(),
        vault.signing_key(&bucket).await.err(),
        vault.put(tenant(2), storage(1), s3_secret()).await.err(),
        vault.delete(tenant(1), storage(2)).await.err(),
        vault.rotate_tenant_key(tenant(1)).await.err(),
        vault.destroy_tenant(tenant(1)).await.err(),
        vault.revoke(tenant(1), storage(2), "x").await.err(),
        vault
            .rotate(tenant(1), storage(2), None, s3_secret())
            .await
            .err(),
    ];
    for (number, error) in refused.into_iter().enumerate() {
        assert!(
            matches!(error, Some(VaultError::Audit(_))),
            "{number}: {error:?}"
        );
    }
    assert_eq!(place.google.calls(), 1);
    place
        .tamper("GRANT INSERT ON audit_entry TO tintype_vault")
        .await;
    // Nothing of all that was done, and nothing of it stands in the log.
    let log = vault.audit_log(tenant(1), 0, 100).await.unwrap();
    let actions: Vec<&str> = log.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["put", "put", "refresh", "issue"]);
    let same = vault.access_token(&account, None).await.unwrap();
    assert!(same.is_same(&token));
    vault.bucket_keys(&bucket).await.unwrap();
    vault.verify_audit(tenant(1)).await.unwrap();
}

#[tokio::test]
async fn the_vaults_role_may_append_to_the_log_and_nothing_else() {
    let place = Place::on_a_server().await;
    let vault = place.open().await;
    vault.put(tenant(1), storage(1), s3_secret()).await.unwrap();
    let forbidden = [
        "UPDATE audit_entry SET purpose = 'x'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "DROP TRIGGER audit_entry_is_never_changed ON audit_entry",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
        "DELETE FROM vault_tenant",
        "CREATE TABLE mine (x INT)",
    ];
    for sql in forbidden {
        let refused = place
            .try_tamper(&format!("SET ROLE tintype_vault; {sql}"))
            .await;
        let refused = refused.unwrap_err().to_string();
        let says_so = refused.contains("permission denied") || refused.contains("must be owner");
        assert!(says_so, "{sql}: {refused}");
    }
    let emptied = place.try_tamper("TRUNCATE audit_entry").await.unwrap_err();
    assert!(emptied.to_string().contains("append-only"), "{emptied}");
}

#[tokio::test]
async fn a_login_that_owns_nothing_is_enough() {
    let place = Place::on_a_server().await;
    // Roles belong to the whole server, and tests run side by side: the name is this database's own.
    let login = format!("login_of_{}", place.server().name());
    place
        .tamper(&format!("CREATE ROLE {login} LOGIN IN ROLE tintype_vault"))
        .await;
    let vault = VaultCore::connect(
        &place.server().url_as(&login),
        place.settings,
        place.ring.clone(),
        place.google.clone(),
        place.clock.clone(),
        std::sync::Arc::new(Halfway),
    )
    .await
    .unwrap();
    let account = account(&vault, 1).await;
    vault.access_token(&account, None).await.unwrap();
    vault.sign(&account, b"m").await.unwrap();
    vault.rotate_tenant_key(tenant(1)).await.unwrap();
    vault.verify_audit(tenant(1)).await.unwrap();
    vault.destroy_tenant(tenant(1)).await.unwrap();
    vault.close().await;
    place.tamper(&format!("DROP ROLE {login}")).await;
}

#[tokio::test]
async fn a_tenant_whose_log_is_held_up_holds_up_no_other() {
    let place = Place::on_a_server().await;
    let vault = place.open().await;
    let (held_up, other) = (account(&vault, 1).await, account(&vault, 2).await);
    for account in [&held_up, &other] {
        vault.access_token(account, None).await.unwrap();
    }

    let url = place.server().url();
    let (mut holder, mut watch) = (
        PgConnection::connect(&url).await.unwrap(),
        PgConnection::connect(&url).await.unwrap(),
    );
    let mut hold = holder.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM vault_tenant WHERE tenant_id = $1 FOR UPDATE")
        .bind(tenant(1).as_uuid())
        .execute(&mut *hold)
        .await
        .unwrap();
    let ask = || {
        let (vault, held_up) = (vault.clone(), held_up.clone());
        tokio::spawn(async move { vault.access_token(&held_up, None).await })
    };
    let first = ask();
    eventually("the log waits for the row", async || {
        let waits: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock')",
        )
        .fetch_one(&mut watch)
        .await
        .unwrap();
        waits
    })
    .await;
    // They come with the others', and must not take them along.
    let more = [ask(), ask(), ask()];
    for _ in 0..20 {
        vault.access_token(&other, None).await.unwrap();
    }
    assert!(!first.is_finished());
    hold.rollback().await.unwrap();
    for held in [first].into_iter().chain(more) {
        held.await.unwrap().unwrap();
    }
    for (tenant, uses) in [(tenant(1), 5), (tenant(2), 21)] {
        vault.verify_audit(tenant).await.unwrap();
        let log = vault.audit_log(tenant, 0, 100).await.unwrap();
        let issued = log.iter().filter(|entry| entry.action == "issue").count();
        assert_eq!(issued, uses);
    }
}

#[tokio::test]
async fn a_token_from_memory_is_not_handed_out_once_its_credential_is_refused_in_the_database() {
    let place = Place::on_a_server().await;
    let vault = place.open().await;
    let account = account(&vault, 1).await;
    for _ in 0..3 {
        vault.access_token(&account, None).await.unwrap();
    }
    // By hand, so that the log still ends as the vault left it.
    place
        .tamper("UPDATE credential SET refused = 'stolen', refused_by = 'keeper'")
        .await;
    let refused = vault.access_token(&account, None).await;
    assert!(
        matches!(refused, Err(VaultError::Refused(_))),
        "{refused:?}"
    );
    let log = vault.audit_log(tenant(1), 0, 100).await.unwrap();
    let actions: Vec<&str> = log.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(
        actions,
        ["put", "refresh", "issue", "issue", "issue", "refused"]
    );
    vault.verify_audit(tenant(1)).await.unwrap();
}

#[tokio::test]
async fn a_log_goes_on_behind_what_another_replica_wrote() {
    let place = Place::on_a_server().await;
    let (one, two) = (place.open().await, place.open().await);
    let account = account(&one, 1).await;
    for turn in 0..12 {
        // In turns of one, two and three, so that each finds the log as it left it, and not.
        let replica = if turn % 4 < 2 { &one } else { &two };
        for _ in 0..=turn % 3 {
            replica.access_token(&account, None).await.unwrap();
        }
    }
    let head = two.verify_audit(tenant(1)).await.unwrap();
    assert_eq!(head.count, 2 + 24);
    let log = one.audit_log(tenant(1), 0, 100).await.unwrap();
    let numbers: Vec<i64> = log.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, (1..=26).collect::<Vec<i64>>());
}
