//! What keepers do: replace, revoke, change keys, destroy, verify.

use secrecy::ExposeSecret;

use super::{KeeperBench, google_secret, grant, s3_secret, storage, tenant};
use crate::vault::{Grant, Refusal, RefusedBy, VaultError};

pub(super) async fn a_secret_is_rotated_only_where_it_is_as_expected(bench: KeeperBench) {
    let Grant {
        tenant, storage, ..
    } = bench.grant;
    let absent = bench
        .keeper
        .rotate(tenant, storage, None, google_secret())
        .await;
    assert!(matches!(absent, Err(VaultError::NotFound)), "{absent:?}");
    bench.put(google_secret()).await;
    let put = bench.keeper.describe(tenant, storage).await;
    let version = put.expect("describe").expect("it is there").version;
    let stale = bench
        .keeper
        .rotate(tenant, storage, Some(version + 1), s3_secret())
        .await;
    assert!(matches!(stale, Err(VaultError::Changed)), "{stale:?}");
    let rotated = bench
        .keeper
        .rotate(tenant, storage, Some(version), s3_secret())
        .await
        .expect("it is at that version");
    assert_eq!(rotated.kind, "s3");
    assert!(rotated.version > version);
    let twice = bench
        .keeper
        .rotate(tenant, storage, Some(version), google_secret())
        .await;
    assert!(matches!(twice, Err(VaultError::Changed)), "{twice:?}");
    let described = bench.keeper.describe(tenant, storage).await;
    assert_eq!(described.expect("describe"), Some(rotated));
}

pub(super) async fn a_rotated_secret_ends_the_old_token(bench: KeeperBench) {
    bench.put(google_secret()).await;
    assert_eq!(bench.token().await.expect("a token"), "access-token-1");
    let Grant {
        tenant, storage, ..
    } = bench.grant;
    bench
        .keeper
        .rotate(tenant, storage, None, google_secret())
        .await
        .expect("rotated");
    assert_eq!(bench.token().await.expect("a token"), "access-token-2");
}

pub(super) async fn a_revoked_credential_gives_nothing_until_it_is_replaced(bench: KeeperBench) {
    let Grant {
        tenant,
        storage: first,
        ..
    } = bench.grant;
    let second = grant(tenant, storage(2));
    let absent = bench.keeper.revoke(tenant, first, "stolen").await;
    assert!(matches!(absent, Err(VaultError::NotFound)), "{absent:?}");
    bench.put(google_secret()).await;
    bench
        .keeper
        .put(tenant, second.storage, s3_secret())
        .await
        .expect("put");
    bench.token().await.expect("a token");
    bench.keeper.bucket_keys(&second).await.expect("keys");
    let stolen = Refusal {
        by: RefusedBy::Keeper,
        reason: "stolen laptop".into(),
    };
    for storage in [first, second.storage] {
        let revoked = bench.keeper.revoke(tenant, storage, "stolen laptop").await;
        let info = revoked.expect("revoked");
        assert_eq!(info.refused.as_ref(), Some(&stolen));
    }
    let token = bench.token().await;
    assert!(matches!(token, Err(VaultError::Refused(why)) if why == stolen));
    let keys = bench.keeper.bucket_keys(&second).await;
    assert!(matches!(keys, Err(VaultError::Refused(why)) if why == stolen));
    assert_eq!(bench.google.calls(), 1, "google is not asked any more");
    bench.put(google_secret()).await;
    bench.token().await.expect("the new credential is good");
    let log = bench.keeper.audit_log(tenant, 0, 1000).await.expect("log");
    let revocations = log.iter().filter(|entry| entry.action == "revoke");
    assert_eq!(revocations.count(), 2);
}

pub(super) async fn a_new_data_key_leaves_everything_readable(bench: KeeperBench) {
    let tenant = bench.grant.tenant;
    let bucket = grant(tenant, storage(2));
    bench.put(google_secret()).await;
    bench
        .keeper
        .put(tenant, bucket.storage, s3_secret())
        .await
        .expect("put");
    let token = bench.token().await.expect("a token");
    let key = bench.keeper.signing_key(&bench.grant).await.expect("a key");
    for _ in 0..2 {
        bench
            .keeper
            .rotate_tenant_key(tenant)
            .await
            .expect("a new data key");
        assert_eq!(bench.token().await.expect("the token"), token);
        let keys = bench.keeper.bucket_keys(&bucket).await.expect("keys");
        assert_eq!(
            keys.secret_access_key.expose_secret(),
            "bucket-secret-access-key"
        );
        let same = bench.keeper.signing_key(&bench.grant).await;
        assert_eq!(same.expect("the key"), key);
    }
    assert_eq!(bench.google.calls(), 1);
    let absent = bench.keeper.rotate_tenant_key(super::tenant(9)).await;
    assert!(matches!(absent, Err(VaultError::NotFound)), "{absent:?}");
}

pub(super) async fn what_is_wrapped_with_the_newest_key_waits_for_nothing(bench: KeeperBench) {
    bench.put(google_secret()).await;
    let standing = bench.keeper.key_standing().await.expect("a standing");
    assert_eq!(standing.in_use, [standing.newest]);
    assert_eq!((standing.waiting, standing.failed), (0, 0));
    assert_eq!(bench.keeper.rewrap(10).await.expect("rewrap"), standing);
}

pub(super) async fn a_destroyed_tenant_is_gone_and_its_log_stays(bench: KeeperBench) {
    let tenant = bench.grant.tenant;
    bench.put(google_secret()).await;
    bench.token().await.expect("a token");
    bench
        .keeper
        .destroy_tenant(tenant)
        .await
        .expect("destroyed");
    assert!(matches!(bench.token().await, Err(VaultError::NotFound)));
    let signed = bench.keeper.sign(&bench.grant, b"m").await;
    assert!(matches!(signed, Err(VaultError::NotFound)), "{signed:?}");
    let put = bench
        .keeper
        .put(tenant, bench.grant.storage, google_secret())
        .await;
    assert!(
        matches!(put, Err(VaultError::NotFound)),
        "it never comes back"
    );
    let twice = bench.keeper.destroy_tenant(tenant).await;
    assert!(matches!(twice, Err(VaultError::NotFound)), "{twice:?}");
    let log = bench.keeper.audit_log(tenant, 0, 1000).await.expect("log");
    assert!(log.iter().any(|entry| entry.action == "destroy"));
    let count = bench.keeper.verify_audit_log(tenant).await;
    assert_eq!(usize::try_from(count.expect("it verifies")), Ok(log.len()));
}

pub(super) async fn a_whole_log_verifies_with_its_length(bench: KeeperBench) {
    bench.put(google_secret()).await;
    for _ in 0..3 {
        bench.token().await.expect("a token");
    }
    let verified = bench.keeper.verify_audit_log(bench.grant.tenant).await;
    assert_eq!(verified.expect("it verifies"), 5);
    let absent = bench.keeper.verify_audit_log(tenant(9)).await;
    assert!(matches!(absent, Err(VaultError::NotFound)), "{absent:?}");
}

pub(super) async fn a_vault_with_its_keys_is_not_sealed(bench: KeeperBench) {
    assert_eq!(bench.keeper.sealed().await, None);
}
