//! Secrets, keys and the log: shown to nobody else, whole, and every use written down.

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use tintype_model::RunId;

use super::{Bench, CLIENT_ID, google_secret, grant, s3_secret, storage, tenant};
use crate::{
    clock::Clock as _,
    vault::{Grant, VaultError},
};

pub(super) async fn a_secret_is_described_without_being_shown(bench: Bench) {
    let Grant {
        tenant, storage, ..
    } = bench.grant;
    let first = bench
        .vault
        .put(tenant, storage, google_secret())
        .await
        .expect("put");
    assert_eq!(
        (first.kind.as_str(), first.public_id.as_str()),
        ("google", CLIENT_ID)
    );
    assert_eq!((first.scopes.len(), &first.refused), (0, &None));
    let described = bench
        .vault
        .describe(tenant, storage)
        .await
        .expect("describe");
    assert_eq!(described.as_ref(), Some(&first));
    let second = bench
        .vault
        .put(tenant, storage, s3_secret())
        .await
        .expect("put");
    assert_eq!(
        (second.kind.as_str(), second.public_id.as_str()),
        ("s3", "AKIAEXAMPLE")
    );
    assert!(
        second.version > first.version,
        "the version grows with every change"
    );
}

pub(super) async fn what_is_not_there_is_not_found(bench: Bench) {
    let Grant {
        tenant, storage, ..
    } = bench.grant;
    assert_eq!(
        bench
            .vault
            .describe(tenant, storage)
            .await
            .expect("describe"),
        None
    );
    assert!(matches!(bench.token().await, Err(VaultError::NotFound)));
    assert!(matches!(
        bench.vault.bucket_keys(&bench.grant).await,
        Err(VaultError::NotFound)
    ));
    assert!(
        bench
            .vault
            .audit_log(tenant, 0, 10)
            .await
            .expect("the log can be read")
            .is_empty()
    );
    assert_eq!(bench.google.calls(), 0);
}

pub(super) async fn a_secret_of_another_kind_is_refused(bench: Bench) {
    bench.put(s3_secret()).await;
    assert!(matches!(bench.token().await, Err(VaultError::WrongKind)));
    bench.put(google_secret()).await;
    assert!(matches!(
        bench.vault.bucket_keys(&bench.grant).await,
        Err(VaultError::WrongKind)
    ));
}

pub(super) async fn another_tenant_finds_nothing(bench: Bench) {
    bench.put(google_secret()).await;
    bench.token().await.expect("its own tenant has a token");
    let stranger = grant(tenant(2), bench.grant.storage);
    let token = bench.vault.access_token(&stranger, None).await;
    assert!(matches!(token, Err(VaultError::NotFound)));
    let described = bench
        .vault
        .describe(stranger.tenant, stranger.storage)
        .await;
    assert_eq!(described.expect("describe"), None);
    let log = bench
        .vault
        .audit_log(stranger.tenant, 0, 10)
        .await
        .expect("the log can be read");
    assert!(log.iter().all(|entry| entry.action == "refused"));
}

pub(super) async fn bucket_keys_come_back_whole(bench: Bench) {
    bench.put(s3_secret()).await;
    let keys = bench.vault.bucket_keys(&bench.grant).await.expect("keys");
    assert_eq!(keys.access_key_id, "AKIAEXAMPLE");
    assert_eq!(
        keys.secret_access_key.expose_secret(),
        "bucket-secret-access-key"
    );
}

pub(super) async fn a_signing_key_stays_the_same(bench: Bench) {
    let key = bench
        .vault
        .signing_key(&bench.grant)
        .await
        .expect("a key is made at first use");
    let signature = bench
        .vault
        .sign(&bench.grant, b"manifest")
        .await
        .expect("a signature");
    bench.put(s3_secret()).await;
    bench.put(google_secret()).await;
    assert_eq!(
        bench
            .vault
            .signing_key(&bench.grant)
            .await
            .expect("the key"),
        key
    );
    assert_eq!(
        bench
            .vault
            .sign(&bench.grant, b"manifest")
            .await
            .expect("a signature"),
        signature
    );
    let other = grant(bench.grant.tenant, storage(2));
    assert_ne!(
        bench.vault.signing_key(&other).await.expect("another key"),
        key
    );
}

pub(super) async fn a_deleted_secret_is_gone_at_once(bench: Bench) {
    bench.put(google_secret()).await;
    bench.token().await.expect("a token");
    let Grant {
        tenant, storage, ..
    } = bench.grant;
    bench.vault.delete(tenant, storage).await.expect("delete");
    assert!(
        matches!(bench.token().await, Err(VaultError::NotFound)),
        "not even from a cache"
    );
    assert_eq!(
        bench
            .vault
            .describe(tenant, storage)
            .await
            .expect("describe"),
        None
    );
    assert!(matches!(
        bench.vault.delete(tenant, storage).await,
        Err(VaultError::NotFound)
    ));
}

pub(super) async fn every_use_is_in_the_log(mut bench: Bench) {
    bench.put(google_secret()).await;
    let run = RunId::new(DateTime::<Utc>::UNIX_EPOCH, [3; 10]);
    bench.grant = Grant {
        run: Some(run),
        purpose: "download".to_owned(),
        ..bench.grant
    };
    bench.token().await.expect("a token");
    bench.token().await.expect("the same token");
    bench
        .vault
        .sign(&bench.grant, b"manifest")
        .await
        .expect("a signature");
    let storage = bench.grant.storage;
    bench
        .vault
        .delete(bench.grant.tenant, storage)
        .await
        .expect("delete");
    let actions = bench.actions().await;
    assert_eq!(
        actions,
        ["put", "refresh", "issue", "issue", "sign", "delete"]
    );

    let log = bench
        .vault
        .audit_log(bench.grant.tenant, 0, 1000)
        .await
        .expect("the log");
    let numbers: Vec<i64> = log.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    let issue = &log[2];
    assert_eq!((issue.storage, issue.run), (Some(storage), Some(run)));
    assert_eq!(
        (issue.purpose.as_str(), issue.at),
        ("download", bench.clock.now())
    );
    let page = bench
        .vault
        .audit_log(bench.grant.tenant, 2, 3)
        .await
        .expect("a page");
    assert_eq!(page, log[2..5]);
}
