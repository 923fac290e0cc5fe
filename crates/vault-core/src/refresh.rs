//! A storage's access token: from memory, or from Google, once at a time; logged before it is handed out.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use tintype_ports::{
    VaultError,
    google_auth::{RefreshAnswer, RefreshError},
    vault::{AccessToken, Grant},
};
use tokio::sync::OwnedMutexGuard;

use crate::{
    Inner,
    audit::{NewEntry, Outcome, append},
    db,
    error::database,
    records::{self, CredentialRow, Opened},
    tenants,
    tokens::{Slot, Unsaved},
};

/// How long Google's endpoint may take.
const GOOGLE_DEADLINE: Duration = Duration::from_secs(30);

/// How long a caller waits for another's refresh.
const WAIT: Duration = Duration::from_secs(60);

/// A rejected token is replaced at most this often: when fresh ones are rejected too, more of them do not help.
const FORCED_PAUSE: TimeDelta = TimeDelta::seconds(60);

/// The credential may change under a refresh; more often than this in one call is trouble of its own.
const MAX_ROUNDS: usize = 3;

/// The longest text of Google that is kept.
const MAX_REASON: usize = 300;

/// Why one round gave no token.
enum Round {
    /// The credential was replaced meanwhile: read it again.
    Again,
    /// The answer.
    Failed(VaultError),
}

impl From<VaultError> for Round {
    fn from(error: VaultError) -> Self {
        Self::Failed(error)
    }
}

/// An access token for the grant, see [`tintype_ports::Vault::access_token`].
pub(crate) async fn access_token(
    vault: &Arc<Inner>,
    grant: &Grant,
    rejected: Option<&AccessToken>,
) -> Result<AccessToken, VaultError> {
    let owner = (grant.tenant, grant.storage);
    for _ in 0..MAX_ROUNDS {
        let slot = vault.slots.of(owner, vault.clock.now());
        let locked = tokio::time::timeout(WAIT, Arc::clone(&slot).lock_owned()).await;
        let slot = locked.map_err(|_| unavailable("another refresh takes too long"))?;
        let token = match current(vault, slot, grant, rejected).await {
            Ok(token) => token,
            Err(Round::Again) => continue,
            Err(Round::Failed(error)) => return Err(vault.logged_refusal(grant, error).await),
        };
        let (token, generation) = token;
        let entry = NewEntry::of_grant(grant, "issue", vault.clock.now());
        match vault.log.record(entry, Some(generation)).await? {
            Outcome::Recorded(_) => return Ok(token),
            Outcome::Stale => vault.slots.forget(owner),
        }
    }
    Err(unavailable("the credential keeps changing"))
}

/// The slot's token, refreshed where needed, and the generation of its credential.
async fn current(
    vault: &Arc<Inner>,
    mut slot: OwnedMutexGuard<Slot>,
    grant: &Grant,
    rejected: Option<&AccessToken>,
) -> Result<(AccessToken, i64), Round> {
    let owner = (grant.tenant, grant.storage);
    let now = vault.clock.now();
    if let Some((token, generation)) = slot.living(&vault.memory_key, owner, now)? {
        if !rejected.is_some_and(|rejected| rejected.is_same(&token)) {
            return Ok((token, generation));
        }
        if slot.forced_at.is_some_and(|at| now < at + FORCED_PAUSE) {
            return Err(unavailable("google's API rejects fresh access tokens").into());
        }
        slot.forced_at = Some(now);
        slot.cached = None;
    }
    // In a task of its own: a caller that goes away must not lose a refresh token that Google just replaced.
    let (vault, grant) = (Arc::clone(vault), grant.clone());
    let refreshed = tokio::spawn(async move {
        refresh(&vault, &mut slot, &grant).await?;
        let token = slot.living(&vault.memory_key, owner, vault.clock.now())?;
        token.ok_or_else(|| Round::Failed(unavailable("google's access token is about to expire")))
    });
    refreshed
        .await
        .map_err(|_| Round::Failed(unavailable("the refresh was broken off")))?
}

async fn refresh(vault: &Arc<Inner>, slot: &mut Slot, grant: &Grant) -> Result<(), Round> {
    let fresh = match slot.unsaved.take() {
        Some(unsaved) => unsaved,
        None => ask(vault, slot, grant).await?,
    };
    match save(vault, &fresh).await {
        Ok(()) => {
            slot.keep(&vault.memory_key, (grant.tenant, grant.storage), &fresh)?;
            Ok(())
        }
        Err(Round::Failed(error @ VaultError::Database(_))) => {
            slot.unsaved = Some(fresh);
            Err(Round::Failed(error))
        }
        Err(other) => Err(other),
    }
}

/// Asks Google, unless it is known not to help. The attempt is in the log before it is made.
async fn ask(vault: &Arc<Inner>, slot: &mut Slot, grant: &Grant) -> Result<Unsaved, Round> {
    let (tried, opened) = vault.read(grant).await?;
    let refresh_token = opened.refresh_token.ok_or(VaultError::WrongKind)?;
    if let Some(why) = tried.refused {
        return Err(VaultError::Refused(why).into());
    }
    let now = vault.clock.now();
    if let Some(retry_at) = slot.retry_at.filter(|retry_at| now < *retry_at) {
        let seconds = (retry_at - now).num_seconds() + 1;
        let text =
            format!("google's token endpoint had trouble; the next attempt is in {seconds} s");
        return Err(VaultError::Unavailable(text).into());
    }
    let entry = NewEntry::of_grant(grant, "refresh", now);
    let number = match vault.log.record(entry, Some(tried.generation)).await? {
        Outcome::Recorded(number) => number,
        Outcome::Stale => return Err(Round::Again),
    };
    let call = vault
        .google
        .refresh(&tried.public_id, &opened.secret, &refresh_token);
    let answer = tokio::time::timeout(GOOGLE_DEADLINE, call).await;
    let answer =
        answer.unwrap_or_else(|_| Err(RefreshError::Unavailable("no answer in 30 s".into())));
    let secrets = [&opened.secret, &refresh_token];
    match answer {
        Ok(answer) => Ok(Unsaved {
            tried,
            answer,
            at: vault.clock.now(),
            number,
        }),
        Err(RefreshError::Unavailable(why)) => {
            slot.cool_down(vault.clock.now(), vault.entropy.unit());
            Err(VaultError::Unavailable(scrub(&why, &secrets)).into())
        }
        Err(RefreshError::InvalidGrant(why) | RefreshError::InvalidClient(why)) => {
            let why = scrub(&why, &secrets);
            // Should the refusal not be storable, Google is still left alone for a while.
            slot.cool_down(vault.clock.now(), vault.entropy.unit());
            refuse(vault, &tried, &why).await?;
            slot.retry_at = None;
            Err(VaultError::Refused(why).into())
        }
    }
}

/// Stores what is new in Google's answer, unless the credential changed since it was read.
async fn save(vault: &Inner, fresh: &Unsaved) -> Result<(), Round> {
    let Unsaved {
        tried,
        answer,
        at,
        number,
    } = fresh;
    let dies_at = answer
        .refresh_token_expires_in
        .and_then(|left| TimeDelta::from_std(left).ok())
        .map(|left| *at + left)
        .or(tried.dies_at());
    if is_known(tried, answer, dies_at) {
        return Ok(());
    }
    let tenant = tintype_model::TenantId::from_uuid(tried.tenant_id);
    let storage = tintype_model::StorageId::from_uuid(tried.storage_id);
    let mut transaction = db::begin(&vault.db.writer).await.map_err(database)?;
    let current = records::load(&mut transaction, tenant, storage)
        .await
        .map_err(database)?;
    let mut row = current.ok_or(VaultError::NotFound)?;
    if row.generation != tried.generation {
        return Err(Round::Again);
    }
    row.scopes = serde_json::to_string(&answer.scopes).unwrap_or_else(|_| "[]".to_owned());
    row.refresh_token_expires_at = dies_at.map(|at| at.timestamp_millis());
    // Another replica's newer refresh token stays; this answer's access token is good all the same.
    if let Some(token) = answer
        .refresh_token
        .as_ref()
        .filter(|_| row.version == tried.version)
    {
        let ring = vault.ring();
        let owner = tenants::load(&mut transaction, tenant)
            .await
            .map_err(database)?;
        let owner = owner.ok_or(VaultError::NotFound)?;
        let secret = row.open(&owner, &ring)?.secret;
        row.version = *number;
        row.seal(
            &owner.data_key(&ring)?,
            &Opened {
                secret,
                refresh_token: Some(token.clone()),
            },
        )?;
    }
    records::upsert(&mut transaction, &row).await?;
    transaction.commit().await.map_err(database)?;
    Ok(())
}

/// Whether the answer says nothing that is not stored. Google counts the refresh token's life in seconds from each
/// answer, so a minute's difference is the same moment.
fn is_known(
    tried: &CredentialRow,
    answer: &RefreshAnswer,
    dies_at: Option<chrono::DateTime<chrono::Utc>>,
) -> bool {
    let same_end = match (tried.dies_at(), dies_at) {
        (Some(known), Some(said)) => (known - said).abs() < TimeDelta::minutes(1),
        (known, said) => known == said,
    };
    answer.refresh_token.is_none() && same_end && tried.scopes() == answer.scopes
}

/// Stores and logs Google's refusal in one commit.
async fn refuse(vault: &Inner, tried: &CredentialRow, why: &str) -> Result<(), Round> {
    let mut transaction = db::begin(&vault.db.writer).await.map_err(database)?;
    if !records::refuse(&mut transaction, tried, why)
        .await
        .map_err(database)?
    {
        return Err(Round::Again);
    }
    let entry = NewEntry::of_keeper(
        tintype_model::TenantId::from_uuid(tried.tenant_id),
        Some(tintype_model::StorageId::from_uuid(tried.storage_id)),
        "refused",
        "google refuses the credential",
        vault.clock.now(),
    );
    append(&mut transaction, &vault.ring(), &entry)
        .await
        .map_err(VaultError::from)?;
    transaction.commit().await.map_err(database)?;
    Ok(())
}

/// Google's words, cut, and without the secrets should it ever repeat them.
fn scrub(text: &str, secrets: &[&SecretString]) -> String {
    let mut text = text.to_owned();
    for secret in secrets
        .iter()
        .map(|secret| secret.expose_secret())
        .filter(|text| !text.is_empty())
    {
        text = text.replace(secret, "…");
    }
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_REASON)
        .collect()
}

fn unavailable(text: &str) -> VaultError {
    VaultError::Unavailable(text.to_owned())
}
