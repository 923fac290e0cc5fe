//! Whose turn it is: the token that another replica left, a wait for the one that refreshes, or the lease to refresh oneself.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use tintype_model::credential::health::needs_use;
use tintype_ports::{
    VaultError,
    vault::{AccessToken, Grant},
};

use super::{FORCED_PAUSE, unavailable};
use crate::{
    Inner,
    audit::NewEntry,
    db::CredentialRow,
    error::database,
    records::{Opened, Shared},
    seal::SealingKey,
    tokens::is_living,
};

/// What a refresh is for.
#[derive(Clone)]
pub(super) enum Purpose {
    /// An access token, another one than that which Google rejected.
    Token { rejected: Option<AccessToken> },
    /// The refresh token's own life.
    Life,
}

impl Purpose {
    /// The action in the log.
    const fn action(&self) -> &'static str {
        match self {
            Self::Token { .. } => "refresh",
            Self::Life => "keep_alive",
        }
    }
}

/// What came of a claim.
pub(super) enum Claim {
    /// The refresh token was used lately: it lives without another use.
    Lively,
    /// A token that is good stands in the database.
    Found { generation: i64, shared: Shared },
    /// Another refresh is under way.
    Another,
    /// The lease is ours, and the attempt is in the log.
    Mine(Box<Claimed>),
}

/// A credential whose refresh is ours.
pub(super) struct Claimed {
    pub(super) row: CredentialRow,
    pub(super) opened: Opened,
    pub(super) refresh_token: SecretString,
    /// The audit number of the attempt.
    pub(super) number: i64,
    /// When it was made.
    pub(super) at: DateTime<Utc>,
}

/// What a row says is to be done.
enum Next {
    Hand(Shared),
    Leave,
    Wait,
    Refresh {
        opened: Opened,
        refresh_token: SecretString,
        /// The row's token lives, but was rejected.
        forced: bool,
    },
}

/// Looks without a lock, and takes the lease under one.
pub(super) async fn claim(
    vault: &Inner,
    grant: &Grant,
    purpose: &Purpose,
) -> Result<Claim, VaultError> {
    let (row, key_version, keys) = vault.read(grant).await?;
    let now = vault.now().await?;
    match next((&row, keys.data()?, key_version), purpose, now)? {
        Next::Hand(shared) => {
            return Ok(Claim::Found {
                generation: row.generation,
                shared,
            });
        }
        Next::Leave => return Ok(Claim::Lively),
        Next::Wait => return Ok(Claim::Another),
        Next::Refresh { .. } => {}
    }
    vault.within(take(vault, grant, purpose)).await
}

async fn take(vault: &Inner, grant: &Grant, purpose: &Purpose) -> Result<Claim, VaultError> {
    // Asked for before the lock: while one connection is held, another should not be waited for.
    let now = vault.now().await?;
    let mut held = vault.hold_living(grant.tenant).await?;
    let found = held.tx.credential(grant.tenant, grant.storage).await;
    let mut row = found.map_err(database)?.ok_or(VaultError::NotFound)?;
    // The row may have changed since the look without a lock.
    let key_version = held.row.data_key_version;
    let keys = held.keys.clone();
    let (opened, refresh_token, forced) =
        match next((&row, keys.data()?, key_version), purpose, now)? {
            Next::Hand(shared) => {
                return Ok(Claim::Found {
                    generation: row.generation,
                    shared,
                });
            }
            Next::Leave => return Ok(Claim::Lively),
            Next::Wait => return Ok(Claim::Another),
            Next::Refresh {
                opened,
                refresh_token,
                forced,
            } => (opened, refresh_token, forced),
        };
    if forced {
        // Nobody is handed a token that Google rejected.
        row.forget_access();
        row.forced_at = Some(now.timestamp_millis());
    }
    row.lease_holder = Some(vault.holder);
    row.lease_until = Some((now + vault.refresh_lease).timestamp_millis());
    held.tx.put_credential(&row).await.map_err(database)?;
    let number = held
        .append(&NewEntry::of_grant(grant, purpose.action(), now))
        .await?;
    held.commit().await?;
    Ok(Claim::Mine(Box::new(Claimed {
        row,
        opened,
        refresh_token,
        number,
        at: now,
    })))
}

fn next(
    (row, key, key_version): (&CredentialRow, &SealingKey, i64),
    purpose: &Purpose,
    now: DateTime<Utc>,
) -> Result<Next, VaultError> {
    let mut opened = row.open(key, key_version)?;
    let refresh_token = opened.refresh_token.take().ok_or(VaultError::WrongKind)?;
    if let Some(refusal) = row.refusal() {
        return Err(VaultError::Refused(refusal));
    }
    let mut forced = false;
    match purpose {
        Purpose::Token { rejected } => {
            let shared = row.open_access(key)?;
            let living = shared.filter(|shared| is_living(shared.token.expires_at, now));
            forced = living.is_some();
            let is_rejected =
                |token: &AccessToken| rejected.as_ref().is_some_and(|it| it.is_same(token));
            if let Some(shared) = living.filter(|shared| !is_rejected(&shared.token)) {
                return Ok(Next::Hand(shared));
            }
        }
        Purpose::Life => {
            let signs = row.info().signs();
            if !signs.is_some_and(|signs| needs_use(&signs, now)) {
                return Ok(Next::Leave);
            }
        }
    }
    if moment(row.lease_until).is_some_and(|until| now < until) {
        return Ok(Next::Wait);
    }
    if forced && moment(row.forced_at).is_some_and(|at| now < at + FORCED_PAUSE) {
        return Err(unavailable("google's API rejects fresh access tokens"));
    }
    if let Some(retry_at) = moment(row.retry_at).filter(|retry_at| now < *retry_at) {
        let seconds = (retry_at - now).num_seconds() + 1;
        return Err(VaultError::Unavailable(format!(
            "google's token endpoint had trouble; the next attempt is in {seconds} s"
        )));
    }
    Ok(Next::Refresh {
        opened,
        refresh_token,
        forced,
    })
}

fn moment(millis: Option<i64>) -> Option<DateTime<Utc>> {
    millis.and_then(DateTime::from_timestamp_millis)
}
