//! What Google's answer changes, for all replicas: a token, a pause, or a credential that is refused. Each gives the lease back.

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use tintype_model::credential::health::{announced_death, refresh_pause};
use tintype_ports::{VaultError, vault::Refusal};

use crate::{
    Inner, audit::NewEntry, db::CredentialRow, error::database, records::Shared, tenants::Held,
    tokens::Unsaved,
};

/// The longest text of Google that is kept.
const MAX_REASON: usize = 300;

/// Stores the access token and what else is new, unless the credential changed since it was read: then `None`.
pub(super) async fn save(
    vault: &Inner,
    fresh: &Unsaved,
) -> Result<Option<(i64, Shared)>, VaultError> {
    let Unsaved {
        tried,
        answer,
        at,
        number,
    } = fresh;
    let (mut held, mut row) = locked(vault, tried).await?;
    if row.generation != tried.generation {
        return Ok(None);
    }
    if let Some(refusal) = row.refusal() {
        return Err(VaultError::Refused(refusal));
    }
    let keys = held.keys.clone();
    let key = keys.data()?;
    // Another replica's newer refresh token stays; this answer's access token is good all the same.
    if let Some(token) = answer
        .refresh_token
        .as_ref()
        .filter(|_| row.version == tried.version)
    {
        let mut opened = row.open(key, held.row.data_key_version)?;
        opened.refresh_token = Some(token.clone());
        row.version = *number;
        row.seal(key, &opened)?;
    }
    // A replica that took over when this one's lease had run out has the newer token.
    let is_newest = row.access_number.is_none_or(|known| known < *number);
    if is_newest {
        let lifetime = TimeDelta::from_std(answer.expires_in).unwrap_or(TimeDelta::hours(1));
        row.seal_access(key, *number, &answer.access_token, *at + lifetime)?;
        row.scopes = serde_json::to_string(&answer.scopes).unwrap_or_else(|_| "[]".to_owned());
        let left = answer.refresh_token_expires_in;
        let left = left.and_then(|left| TimeDelta::from_std(left).ok());
        // Without a word on it an announced death stays where it was.
        if let Some(said) = left.map(|left| *at + left) {
            let dies_at = announced_death(row.dies_at(), said);
            row.refresh_token_expires_at = Some(dies_at.timestamp_millis());
        }
    }
    row.used_at = row.used_at.max(Some(at.timestamp_millis()));
    give_back(vault, &mut row);
    row.failures = 0;
    row.retry_at = None;
    held.tx.put_credential(&row).await.map_err(database)?;
    held.commit().await?;
    let shared = row.open_access(key)?;
    Ok(shared.map(|shared| (row.generation, shared)))
}

/// Leaves Google alone for a while, which grows with every failure in a row.
pub(super) async fn cool_down(
    vault: &Inner,
    tried: &CredentialRow,
    number: i64,
) -> Result<(), VaultError> {
    let now = vault.now().await?;
    let (mut held, mut row) = locked(vault, tried).await?;
    if row.generation != tried.generation || has_newer(&row, number) {
        return Ok(());
    }
    let failures = u32::try_from(row.failures).unwrap_or(u32::MAX - 1);
    let pause = refresh_pause(failures, vault.entropy.unit());
    let pause = TimeDelta::from_std(pause).unwrap_or(TimeDelta::minutes(5));
    row.failures = row.failures.saturating_add(1);
    row.retry_at = Some((now + pause).timestamp_millis());
    give_back(vault, &mut row);
    held.tx.put_credential(&row).await.map_err(database)?;
    held.commit().await
}

/// Stores and logs Google's refusal in one commit. `false`: the credential changed since it was tried.
pub(super) async fn refuse(
    vault: &Inner,
    tried: &CredentialRow,
    number: i64,
    refusal: &Refusal,
) -> Result<bool, VaultError> {
    let now = vault.now().await?;
    let (mut held, mut row) = locked(vault, tried).await?;
    if row.version != tried.version || has_newer(&row, number) {
        return Ok(false);
    }
    row.refuse(refusal);
    row.retry_at = None;
    give_back(vault, &mut row);
    held.tx.put_credential(&row).await.map_err(database)?;
    let entry = NewEntry::of_keeper(
        tried.tenant(),
        Some(tried.storage()),
        "refused",
        "google refuses the credential",
        now,
    );
    held.append(&entry).await?;
    held.commit().await?;
    Ok(true)
}

async fn locked(vault: &Inner, tried: &CredentialRow) -> Result<(Held, CredentialRow), VaultError> {
    let mut held = vault.hold_living(tried.tenant()).await?;
    let row = held.tx.credential(tried.tenant(), tried.storage()).await;
    let row = row.map_err(database)?.ok_or(VaultError::NotFound)?;
    Ok((held, row))
}

/// Whether a replica that took over has had a token since.
fn has_newer(row: &CredentialRow, number: i64) -> bool {
    row.access_number.is_some_and(|known| known > number)
}

/// Gives the lease back, unless another took it over.
fn give_back(vault: &Inner, row: &mut CredentialRow) {
    if row.lease_holder == Some(vault.holder) {
        row.lease_holder = None;
        row.lease_until = None;
    }
}

/// Google's words, cut, and without the secrets should it ever repeat them.
pub(crate) fn scrub(text: &str, secrets: &[&SecretString]) -> String {
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
