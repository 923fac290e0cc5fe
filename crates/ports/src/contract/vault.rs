//! What every vault promises: one refresh at a time, no answer without an audit entry, no secret of another tenant.

mod fakes;
mod keepers;
mod life;
mod secrets;
mod sign_ins;
mod tokens;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use tintype_model::{StorageId, TenantId};

pub use fakes::{FakeGoogle, SCOPES};

use crate::{
    fake::ManualClock,
    vault::{Grant, Secret, Vault, VaultError, VaultKeeper},
};

/// The refresh token that [`google_secret`] puts in.
pub const REFRESH_TOKEN: &str = "1//first-refresh-token";

/// The client id that [`google_secret`] puts in.
pub const CLIENT_ID: &str = "123456789-abc.apps.googleusercontent.com";

/// A clock that stands still until it is moved.
#[must_use]
pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(
        DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000),
    ))
}

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
    Grant {
        tenant,
        storage,
        run: None,
        purpose: "list".to_owned(),
    }
}

struct Bench {
    vault: Arc<dyn Vault>,
    google: Arc<FakeGoogle>,
    clock: Arc<ManualClock>,
    grant: Grant,
}

impl Bench {
    async fn token(&self) -> Result<String, VaultError> {
        let token = self.vault.access_token(&self.grant, None).await?;
        Ok(token.secret.expose_secret().to_owned())
    }

    async fn put(&self, secret: Secret) {
        let put = self
            .vault
            .put(self.grant.tenant, self.grant.storage, secret)
            .await;
        put.expect("a secret can be put");
    }

    async fn actions(&self) -> Vec<String> {
        let log = self
            .vault
            .audit_log(self.grant.tenant, 0, 1000)
            .await
            .expect("the log can be read");
        log.into_iter().map(|entry| entry.action).collect()
    }
}

/// Runs the whole suite; `open` makes a new, empty vault on each call.
///
/// # Panics
/// When the vault breaks a promise.
pub async fn suite<F, Fut>(open: F)
where
    F: Fn(Arc<FakeGoogle>, Arc<ManualClock>) -> Fut,
    Fut: Future<Output = Arc<dyn Vault>>,
{
    let bench = async || {
        let google = Arc::new(FakeGoogle::default());
        let clock = clock();
        let vault = open(Arc::clone(&google), Arc::clone(&clock)).await;
        Bench {
            vault,
            google,
            clock,
            grant: grant(tenant(1), storage(1)),
        }
    };
    secrets::a_secret_is_described_without_being_shown(bench().await).await;
    secrets::what_is_not_there_is_not_found(bench().await).await;
    secrets::a_secret_of_another_kind_is_refused(bench().await).await;
    secrets::another_tenant_finds_nothing(bench().await).await;
    tokens::a_token_is_kept_until_a_minute_before_its_end(bench().await).await;
    tokens::a_rejected_token_is_replaced_once(bench().await).await;
    tokens::a_token_rejected_again_and_again_is_not_refreshed_again_and_again(bench().await).await;
    tokens::many_callers_cause_one_refresh(bench().await).await;
    tokens::a_refused_credential_is_not_tried_again_until_replaced(bench().await).await;
    tokens::a_client_that_google_refuses_is_told_from_a_token(bench().await).await;
    tokens::passing_trouble_is_tried_once_a_cooldown(bench().await).await;
    tokens::a_replaced_refresh_token_is_kept(bench().await).await;
    life::a_token_that_was_used_lately_is_left_alone(bench().await).await;
    life::one_that_was_never_used_tells_its_death(bench().await).await;
    life::a_use_moves_the_idle_death_and_no_announced_one(bench().await).await;
    life::the_same_death_in_other_words_is_the_same(bench().await).await;
    life::many_who_keep_it_alive_cause_one_refresh(bench().await).await;
    life::a_token_replaced_by_its_own_use_is_kept(bench().await).await;
    life::what_is_refused_or_has_no_life_is_told(bench().await).await;
    life::five_failures_in_a_row_exhaust_it_until_one_refresh_goes_well(bench().await).await;
    secrets::bucket_keys_come_back_whole(bench().await).await;
    secrets::a_signing_key_stays_the_same(bench().await).await;
    secrets::a_deleted_secret_is_gone_at_once(bench().await).await;
    secrets::every_use_is_in_the_log(bench().await).await;
    sign_ins::a_sign_in_gives_a_credential_once(bench().await).await;
    sign_ins::an_answer_that_nobody_waits_for_opens_nothing(bench().await).await;
    sign_ins::a_sign_in_without_a_good_end_leaves_what_was_there(bench().await).await;
    sign_ins::another_account_takes_its_place_only_where_that_was_said(bench().await).await;
    sign_ins::what_is_disconnected_is_given_back_to_google_and_gone(bench().await).await;
}

struct KeeperBench {
    keeper: Arc<dyn VaultKeeper>,
    google: Arc<FakeGoogle>,
    grant: Grant,
}

impl KeeperBench {
    async fn token(&self) -> Result<String, VaultError> {
        let token = self.keeper.access_token(&self.grant, None).await?;
        Ok(token.secret.expose_secret().to_owned())
    }

    async fn put(&self, secret: Secret) {
        let put = self
            .keeper
            .put(self.grant.tenant, self.grant.storage, secret)
            .await;
        put.expect("a secret can be put");
    }
}

/// Runs the suite of what keepers do, beside [`suite`]; `open` makes a new, empty vault on each call.
///
/// # Panics
/// When the vault breaks a promise.
pub async fn keeper_suite<F, Fut>(open: F)
where
    F: Fn(Arc<FakeGoogle>, Arc<ManualClock>) -> Fut,
    Fut: Future<Output = Arc<dyn VaultKeeper>>,
{
    let bench = async || {
        let google = Arc::new(FakeGoogle::default());
        let keeper = open(Arc::clone(&google), clock()).await;
        KeeperBench {
            keeper,
            google,
            grant: grant(tenant(1), storage(1)),
        }
    };
    keepers::a_secret_is_rotated_only_where_it_is_as_expected(bench().await).await;
    keepers::a_rotated_secret_ends_the_old_token(bench().await).await;
    keepers::a_revoked_credential_gives_nothing_until_it_is_replaced(bench().await).await;
    keepers::a_new_data_key_leaves_everything_readable(bench().await).await;
    keepers::what_is_wrapped_with_the_newest_key_waits_for_nothing(bench().await).await;
    keepers::a_destroyed_tenant_is_gone_and_its_log_stays(bench().await).await;
    keepers::a_whole_log_verifies_with_its_length(bench().await).await;
    keepers::a_vault_with_its_keys_is_not_sealed(bench().await).await;
}
