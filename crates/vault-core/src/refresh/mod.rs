//! A storage's access token: from memory, from another replica through the database, or from Google. One refresh at a time over
//! all replicas; logged before it is handed out.

mod answer;
mod claim;
mod life;

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use tintype_ports::{
    VaultError,
    google_auth::RefreshError,
    vault::{AccessToken, Grant, Refusal, RefusedBy},
};
use tokio::{sync::OwnedMutexGuard, time::Instant};

use crate::{
    Inner,
    audit::{NewEntry, Outcome},
    db::CredentialRow,
    tokens::{Candidate, Slot, Unsaved},
};
pub(crate) use answer::scrub;
use claim::{Claim, Claimed, Purpose};
pub(crate) use life::keep_alive;

/// How long the others wait for a replica that refreshes and is not heard of again.
pub(crate) const LEASE: Duration = Duration::from_secs(45);

/// How long a caller waits for another's refresh: longer than [`LEASE`], so that a dead replica costs a delay only.
const WAIT: Duration = Duration::from_secs(60);

/// A rejected token is replaced at most this often: when fresh ones are rejected too, more of them do not help.
const FORCED_PAUSE: TimeDelta = TimeDelta::seconds(60);

/// The credential may change under a refresh; more often than this in one call is trouble of its own.
const MAX_ROUNDS: usize = 3;

/// The first pause of a replica that waits for another's refresh, and the longest.
const FIRST_LOOK: Duration = Duration::from_millis(15);
const LONGEST_LOOK: Duration = Duration::from_millis(500);

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
    vault.keys.ready()?;
    let owner = (grant.tenant, grant.storage);
    for _ in 0..MAX_ROUNDS {
        let slot = vault.slots.of(owner, vault.now().await?);
        let locked = tokio::time::timeout(WAIT, Arc::clone(&slot).lock_owned()).await;
        let slot = locked.map_err(|_| unavailable("another refresh takes too long"))?;
        let candidate = match current(vault, slot, grant, rejected).await {
            Ok(candidate) => candidate,
            Err(Round::Again) => continue,
            Err(Round::Failed(error)) => return Err(vault.logged_refusal(grant, error).await),
        };
        let entry = NewEntry::of_grant(grant, "issue", vault.now().await?);
        match vault.log.record(entry, Some(candidate.expected())).await? {
            Outcome::Recorded => return Ok(candidate.token),
            Outcome::Stale => vault.slots.forget(owner),
        }
    }
    Err(unavailable("the credential keeps changing"))
}

/// The slot's token, or a newer one where it is about to die or was rejected.
async fn current(
    vault: &Arc<Inner>,
    mut slot: OwnedMutexGuard<Slot>,
    grant: &Grant,
    rejected: Option<&AccessToken>,
) -> Result<Candidate, Round> {
    let owner = (grant.tenant, grant.storage);
    let living = slot.living(&vault.memory_key, owner, vault.now().await?)?;
    let is_wanted = |found: &Candidate| !rejected.is_some_and(|other| other.is_same(&found.token));
    if let Some(candidate) = living.filter(is_wanted) {
        return Ok(candidate);
    }
    // In a task of its own: a caller that goes away must not lose a refresh token that Google just replaced.
    let (vault, grant) = (Arc::clone(vault), grant.clone());
    let rejected = rejected.cloned();
    let fetched = tokio::spawn(async move {
        fetch(&vault, &mut slot, &grant, &Purpose::Token { rejected }).await?;
        let token = slot.living(&vault.memory_key, owner, vault.now().await?)?;
        token.ok_or_else(|| Round::Failed(unavailable("google's access token is about to expire")))
    });
    fetched
        .await
        .map_err(|_| Round::Failed(unavailable("the refresh was broken off")))?
}

/// Fills the slot: with the token that stands in the database, or, if it falls to this replica, with a new one of Google's. It
/// stays as it is where a refresh token needs no use to live.
async fn fetch(
    vault: &Arc<Inner>,
    slot: &mut Slot,
    grant: &Grant,
    purpose: &Purpose,
) -> Result<(), Round> {
    if let Some(unsaved) = slot.unsaved.take() {
        return save(vault, slot, unsaved).await;
    }
    let deadline = Instant::now() + WAIT;
    let mut pause = FIRST_LOOK;
    loop {
        match claim::claim(vault, grant, purpose).await? {
            Claim::Found { generation, shared } => {
                let owner = (grant.tenant, grant.storage);
                slot.keep(&vault.memory_key, owner, generation, &shared)?;
                return Ok(());
            }
            Claim::Lively => return Ok(()),
            Claim::Mine(claimed) => {
                let fresh = ask(vault, *claimed).await?;
                return save(vault, slot, fresh).await;
            }
            Claim::Another if Instant::now() + pause < deadline => {
                tokio::time::sleep(pause.mul_f64(0.75 + vault.entropy.unit() / 2.0)).await;
                pause = (pause * 3 / 2).min(LONGEST_LOOK);
            }
            Claim::Another => {
                return Err(unavailable("another replica's refresh takes too long").into());
            }
        }
    }
}

/// Asks Google. The attempt is in the log already.
async fn ask(vault: &Arc<Inner>, claimed: Claimed) -> Result<Unsaved, Round> {
    let Claimed {
        row,
        opened,
        refresh_token,
        number,
        at,
    } = claimed;
    let asked_at = Instant::now();
    let limit = vault.refresh_lease * 2 / 3;
    let call = vault
        .google
        .refresh(&row.public_id, &opened.secret, &refresh_token);
    let answer = tokio::time::timeout(limit, call).await;
    let answer = answer.unwrap_or_else(|_| {
        let text = format!("no answer in {} s", limit.as_secs());
        Err(RefreshError::Unavailable(text))
    });
    let outcome = match &answer {
        Ok(_) => "ok",
        Err(RefreshError::Unavailable(_)) => "unavailable",
        Err(RefreshError::InvalidGrant(_) | RefreshError::InvalidClient(_)) => "refused",
    };
    metrics::counter!("tintype_vault_refreshes_total", "outcome" => outcome).increment(1);
    let secrets = [&opened.secret, &refresh_token];
    match answer {
        Ok(answer) => Ok(Unsaved {
            tried: row,
            answer,
            // A database that is away just now must not cost a refresh token that Google just replaced.
            at: vault.now().await.unwrap_or(at + asked_at.elapsed()),
            number,
        }),
        Err(RefreshError::Unavailable(why)) => {
            let why = scrub(&why, &secrets);
            // Should the pause not be storable, the lease keeps everybody away from Google for a while.
            if let Err(error) = vault.within(answer::cool_down(vault, &row, number)).await {
                tracing::warn!(error = %error, "the pause after google's trouble could not be stored");
            }
            Err(VaultError::Unavailable(why).into())
        }
        Err(RefreshError::InvalidGrant(why)) => {
            let reason = scrub(&why, &secrets);
            let by = RefusedBy::Token;
            Err(refuse(vault, &row, number, Refusal { by, reason }).await)
        }
        Err(RefreshError::InvalidClient(why)) => {
            let reason = scrub(&why, &secrets);
            let by = RefusedBy::Client;
            Err(refuse(vault, &row, number, Refusal { by, reason }).await)
        }
    }
}

async fn refuse(vault: &Inner, row: &CredentialRow, number: i64, refusal: Refusal) -> Round {
    match vault
        .within(answer::refuse(vault, row, number, &refusal))
        .await
    {
        Ok(true) => VaultError::Refused(refusal).into(),
        Ok(false) => Round::Again,
        Err(error) => error.into(),
    }
}

/// Stores an answer for everybody and keeps it in the slot; what cannot be stored now is stored by the next caller.
async fn save(vault: &Arc<Inner>, slot: &mut Slot, fresh: Unsaved) -> Result<(), Round> {
    let saved = vault.within(answer::save(vault, &fresh)).await;
    match saved {
        Ok(Some((generation, shared))) => {
            let owner = (fresh.tried.tenant(), fresh.tried.storage());
            slot.keep(&vault.memory_key, owner, generation, &shared)?;
            Ok(())
        }
        Ok(None) => Err(Round::Again),
        Err(
            error @ (VaultError::NotFound
            | VaultError::WrongKind
            | VaultError::Refused(_)
            | VaultError::Sealed),
        ) => Err(error.into()),
        Err(passing) => {
            slot.unsaved = Some(fresh);
            Err(passing.into())
        }
    }
}

fn unavailable(text: &str) -> VaultError {
    VaultError::Unavailable(text.to_owned())
}
