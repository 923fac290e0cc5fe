//! What every vault promises: one refresh at a time, no answer without an audit entry, no secret of another tenant.

mod fakes;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use tintype_model::{RunId, StorageId, TenantId};

pub use fakes::{FakeClock, FakeGoogle, SCOPES};

use crate::{
    clock::Clock as _,
    google_auth::{RefreshAnswer, RefreshError},
    vault::{Grant, Secret, Vault, VaultError},
};

/// The refresh token that [`google_secret`] puts in.
pub const REFRESH_TOKEN: &str = "1//first-refresh-token";

/// The client id that [`google_secret`] puts in.
pub const CLIENT_ID: &str = "123456789-abc.apps.googleusercontent.com";

/// A tenant of the suite; different numbers are different tenants.
#[must_use]
pub fn tenant(number: u8) -> TenantId {
    TenantId::new(DateTime::<Utc>::UNIX_EPOCH, [number; 10])
}

/// A storage of the suite; different numbers are different storages.
#[must_use]
pub fn storage(number: u8) -> StorageId {
    StorageId::new(DateTime::<Utc>::UNIX_EPOCH, [number; 10])
}

/// A Google secret with [`CLIENT_ID`] and [`REFRESH_TOKEN`].
#[must_use]
pub fn google_secret() -> Secret {
    Secret::Google {
        client_id: CLIENT_ID.to_owned(),
        client_secret: SecretString::from("GOCSPX-client-secret"),
        refresh_token: SecretString::from(REFRESH_TOKEN),
    }
}

/// The keys of a bucket.
#[must_use]
pub fn s3_secret() -> Secret {
    Secret::S3 {
        access_key_id: "AKIAEXAMPLE".to_owned(),
        secret_access_key: SecretString::from("bucket-secret-access-key"),
    }
}

/// A grant for a listing.
#[must_use]
pub fn grant(tenant: TenantId, storage: StorageId) -> Grant {
    Grant { tenant, storage, run: None, purpose: "list".to_owned() }
}

struct Bench {
    vault: Arc<dyn Vault>,
    google: Arc<FakeGoogle>,
    clock: Arc<FakeClock>,
    grant: Grant,
}

impl Bench {
    async fn token(&self) -> Result<String, VaultError> {
        let token = self.vault.access_token(&self.grant, None).await?;
        Ok(token.secret.expose_secret().to_owned())
    }

    async fn put(&self, secret: Secret) {
        let put = self.vault.put(self.grant.tenant, self.grant.storage, secret).await;
        put.expect("a secret can be put");
    }

    async fn actions(&self) -> Vec<String> {
        let log = self.vault.audit_log(self.grant.tenant, 0, 1000).await.expect("the log can be read");
        log.into_iter().map(|entry| entry.action).collect()
    }
}

/// Runs the whole suite; `open` makes a new, empty vault on each call.
///
/// # Panics
/// When the vault breaks a promise.
pub async fn suite<F, Fut>(open: F)
where
    F: Fn(Arc<FakeGoogle>, Arc<FakeClock>) -> Fut,
    Fut: Future<Output = Arc<dyn Vault>>,
{
    let bench = async || {
        let google = Arc::new(FakeGoogle::default());
        let clock = Arc::new(FakeClock::default());
        let vault = open(Arc::clone(&google), Arc::clone(&clock)).await;
        Bench { vault, google, clock, grant: grant(tenant(1), storage(1)) }
    };
    a_secret_is_described_without_being_shown(bench().await).await;
    what_is_not_there_is_not_found(bench().await).await;
    a_secret_of_another_kind_is_refused(bench().await).await;
    another_tenant_finds_nothing(bench().await).await;
    a_token_is_kept_until_a_minute_before_its_end(bench().await).await;
    a_rejected_token_is_replaced_once(bench().await).await;
    a_token_rejected_again_and_again_is_not_refreshed_again_and_again(bench().await).await;
    many_callers_cause_one_refresh(bench().await).await;
    a_refused_credential_is_not_tried_again_until_replaced(bench().await).await;
    passing_trouble_is_tried_once_a_cooldown(bench().await).await;
    a_replaced_refresh_token_is_kept(bench().await).await;
    bucket_keys_come_back_whole(bench().await).await;
    a_signing_key_stays_the_same(bench().await).await;
    a_deleted_secret_is_gone_at_once(bench().await).await;
    every_use_is_in_the_log(bench().await).await;
}

async fn a_secret_is_described_without_being_shown(bench: Bench) {
    let Grant { tenant, storage, .. } = bench.grant;
    let first = bench.vault.put(tenant, storage, google_secret()).await.expect("put");
    assert_eq!((first.kind.as_str(), first.public_id.as_str()), ("google", CLIENT_ID));
    assert_eq!((first.scopes.len(), &first.refused), (0, &None));
    let described = bench.vault.describe(tenant, storage).await.expect("describe");
    assert_eq!(described.as_ref(), Some(&first));
    let second = bench.vault.put(tenant, storage, s3_secret()).await.expect("put");
    assert_eq!((second.kind.as_str(), second.public_id.as_str()), ("s3", "AKIAEXAMPLE"));
    assert!(second.version > first.version, "the version grows with every change");
}

async fn what_is_not_there_is_not_found(bench: Bench) {
    let Grant { tenant, storage, .. } = bench.grant;
    assert_eq!(bench.vault.describe(tenant, storage).await.expect("describe"), None);
    assert!(matches!(bench.token().await, Err(VaultError::NotFound)));
    assert!(matches!(bench.vault.bucket_keys(&bench.grant).await, Err(VaultError::NotFound)));
    assert!(bench.vault.audit_log(tenant, 0, 10).await.expect("the log can be read").is_empty());
    assert_eq!(bench.google.calls(), 0);
}

async fn a_secret_of_another_kind_is_refused(bench: Bench) {
    bench.put(s3_secret()).await;
    assert!(matches!(bench.token().await, Err(VaultError::WrongKind)));
    bench.put(google_secret()).await;
    assert!(matches!(bench.vault.bucket_keys(&bench.grant).await, Err(VaultError::WrongKind)));
}

async fn another_tenant_finds_nothing(bench: Bench) {
    bench.put(google_secret()).await;
    bench.token().await.expect("its own tenant has a token");
    let stranger = grant(tenant(2), bench.grant.storage);
    let token = bench.vault.access_token(&stranger, None).await;
    assert!(matches!(token, Err(VaultError::NotFound)));
    let described = bench.vault.describe(stranger.tenant, stranger.storage).await;
    assert_eq!(described.expect("describe"), None);
    let log = bench.vault.audit_log(stranger.tenant, 0, 10).await.expect("the log can be read");
    assert!(log.iter().all(|entry| entry.action == "refused"));
}

async fn a_token_is_kept_until_a_minute_before_its_end(bench: Bench) {
    bench.put(google_secret()).await;
    let token = bench.vault.access_token(&bench.grant, None).await.expect("a token");
    assert_eq!(token.expires_at, bench.clock.now() + TimeDelta::hours(1));
    assert_eq!(token.scopes, SCOPES);
    bench.clock.advance(TimeDelta::minutes(59) - TimeDelta::seconds(1));
    assert_eq!(bench.token().await.expect("the same token"), "access-token-1");
    bench.clock.advance(TimeDelta::seconds(1));
    assert_eq!(bench.token().await.expect("a new token"), "access-token-2");
    assert_eq!(bench.google.calls(), 2);
}

async fn a_rejected_token_is_replaced_once(bench: Bench) {
    bench.put(google_secret()).await;
    let first = bench.vault.access_token(&bench.grant, None).await.expect("a token");
    for _ in 0..3 {
        let next = bench.vault.access_token(&bench.grant, Some(&first)).await.expect("a token");
        assert_eq!(next.secret.expose_secret(), "access-token-2");
    }
    assert_eq!(bench.google.calls(), 2);
}

async fn a_token_rejected_again_and_again_is_not_refreshed_again_and_again(bench: Bench) {
    bench.put(google_secret()).await;
    let mut last = bench.vault.access_token(&bench.grant, None).await.expect("a token");
    for _ in 0..20 {
        if let Ok(next) = bench.vault.access_token(&bench.grant, Some(&last)).await {
            last = next;
        }
    }
    assert_eq!(bench.google.calls(), 2, "at most one refresh a cooldown");
}

async fn many_callers_cause_one_refresh(bench: Bench) {
    bench.put(google_secret()).await;
    let callers = (0..50).map(|_| bench.token());
    for token in futures::future::join_all(callers).await {
        assert_eq!(token.expect("a token"), "access-token-1");
    }
    assert_eq!(bench.google.calls(), 1);
}

async fn a_refused_credential_is_not_tried_again_until_replaced(bench: Bench) {
    bench.put(google_secret()).await;
    bench.google.script(Err(RefreshError::InvalidGrant("Token has been expired or revoked.".into())));
    for _ in 0..5 {
        assert!(matches!(bench.token().await, Err(VaultError::Refused(_))));
        bench.clock.advance(TimeDelta::hours(1));
    }
    assert_eq!(bench.google.calls(), 1);
    let Grant { tenant, storage, .. } = bench.grant;
    let info = bench.vault.describe(tenant, storage).await.expect("describe").expect("it is there");
    assert!(info.refused.is_some_and(|why| why.contains("expired or revoked")));
    bench.put(google_secret()).await;
    bench.token().await.expect("a new credential is tried");
    let info = bench.vault.describe(tenant, storage).await.expect("describe").expect("it is there");
    assert_eq!(info.refused, None);
}

async fn passing_trouble_is_tried_once_a_cooldown(bench: Bench) {
    bench.put(google_secret()).await;
    bench.google.script(Err(RefreshError::Unavailable("503".into())));
    for _ in 0..20 {
        assert!(matches!(bench.token().await, Err(VaultError::Unavailable(_))));
    }
    assert_eq!(bench.google.calls(), 1);
    bench.clock.advance(TimeDelta::minutes(10));
    bench.token().await.expect("the trouble has passed");
}

async fn a_replaced_refresh_token_is_kept(bench: Bench) {
    bench.put(google_secret()).await;
    let week = Duration::from_secs(604_799);
    bench.google.script(Ok(RefreshAnswer {
        refresh_token: Some(SecretString::from("1//second-refresh-token")),
        refresh_token_expires_in: Some(week),
        ..FakeGoogle::good("short-lived")
    }));
    let Grant { tenant, storage, .. } = bench.grant;
    let before = bench.vault.describe(tenant, storage).await.expect("describe").expect("there");
    bench.token().await.expect("a token");
    assert_eq!(bench.google.last_refresh_token().as_deref(), Some(REFRESH_TOKEN));
    let after = bench.vault.describe(tenant, storage).await.expect("describe").expect("there");
    assert_eq!(after.refresh_token_expires_at, Some(bench.clock.now() + week));
    assert_eq!(after.scopes, SCOPES);
    assert!(after.version > before.version);
    bench.clock.advance(TimeDelta::hours(2));
    bench.token().await.expect("a token");
    assert_eq!(bench.google.last_refresh_token().as_deref(), Some("1//second-refresh-token"));
}

async fn bucket_keys_come_back_whole(bench: Bench) {
    bench.put(s3_secret()).await;
    let keys = bench.vault.bucket_keys(&bench.grant).await.expect("keys");
    assert_eq!(keys.access_key_id, "AKIAEXAMPLE");
    assert_eq!(keys.secret_access_key.expose_secret(), "bucket-secret-access-key");
}

async fn a_signing_key_stays_the_same(bench: Bench) {
    let key = bench.vault.signing_key(&bench.grant).await.expect("a key is made at first use");
    let signature = bench.vault.sign(&bench.grant, b"manifest").await.expect("a signature");
    bench.put(s3_secret()).await;
    bench.put(google_secret()).await;
    assert_eq!(bench.vault.signing_key(&bench.grant).await.expect("the key"), key);
    assert_eq!(bench.vault.sign(&bench.grant, b"manifest").await.expect("a signature"), signature);
    let other = grant(bench.grant.tenant, storage(2));
    assert_ne!(bench.vault.signing_key(&other).await.expect("another key"), key);
}

async fn a_deleted_secret_is_gone_at_once(bench: Bench) {
    bench.put(google_secret()).await;
    bench.token().await.expect("a token");
    let Grant { tenant, storage, .. } = bench.grant;
    bench.vault.delete(tenant, storage).await.expect("delete");
    assert!(matches!(bench.token().await, Err(VaultError::NotFound)), "not even from a cache");
    assert_eq!(bench.vault.describe(tenant, storage).await.expect("describe"), None);
    assert!(matches!(bench.vault.delete(tenant, storage).await, Err(VaultError::NotFound)));
}

async fn every_use_is_in_the_log(mut bench: Bench) {
    bench.put(google_secret()).await;
    let run = RunId::new(DateTime::<Utc>::UNIX_EPOCH, [3; 10]);
    bench.grant = Grant { run: Some(run), purpose: "download".to_owned(), ..bench.grant };
    bench.token().await.expect("a token");
    bench.token().await.expect("the same token");
    bench.vault.sign(&bench.grant, b"manifest").await.expect("a signature");
    let storage = bench.grant.storage;
    bench.vault.delete(bench.grant.tenant, storage).await.expect("delete");
    let actions = bench.actions().await;
    assert_eq!(actions, ["put", "refresh", "issue", "issue", "sign", "delete"]);

    let log = bench.vault.audit_log(bench.grant.tenant, 0, 1000).await.expect("the log");
    let numbers: Vec<i64> = log.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    let issue = &log[2];
    assert_eq!((issue.storage, issue.run), (Some(storage), Some(run)));
    assert_eq!((issue.purpose.as_str(), issue.at), ("download", bench.clock.now()));
    let page = bench.vault.audit_log(bench.grant.tenant, 2, 3).await.expect("a page");
    assert_eq!(page, log[2..5]);
}
