//! How the credential of an account is, and what a person does about it.

use chrono::{DateTime, Utc};
use futures::{StreamExt as _, stream};
use serde::Serialize;
use tintype_model::{
    credential::health::{DeathCause, TokenHealth},
    storage::{Storage, StorageSettings},
};
use tintype_ports::vault::SecretInfo;

use super::View;
use crate::Shared;

/// Storages of one list that the vault is asked of at the same time.
const AT_ONCE: usize = 8;

/// How the credential of an account is.
#[derive(Debug, Serialize)]
pub(crate) struct Health {
    /// A [`TokenHealth`]; `none`: nobody is signed in; `unknown`: the vault does not answer.
    state: &'static str,
    /// When the refresh token dies, as far as that can be foreseen.
    dies_at: Option<DateTime<Utc>>,
    /// How that is known.
    why: Option<DeathCause>,
    /// When the refresh token was used last.
    used_at: Option<DateTime<Utc>>,
    /// When Google is asked again after trouble.
    retry_at: Option<DateTime<Utc>>,
    /// What a person does about it.
    action: Option<&'static str>,
}

impl Health {
    const fn wordless(state: &'static str, action: Option<&'static str>) -> Self {
        Self {
            state,
            dies_at: None,
            why: None,
            used_at: None,
            retry_at: None,
            action,
        }
    }

    fn of(info: &SecretInfo, now: DateTime<Utc>) -> Option<Self> {
        let signs = info.signs()?;
        let (health, death) = (signs.health(now), signs.death());
        let is_over = matches!(
            health,
            TokenHealth::Dead | TokenHealth::Revoked | TokenHealth::ClientRefused
        );
        // What Google or a keeper ended before its time has no date any more.
        let death = death.filter(|death| !is_over || death.at <= now);
        Some(Self {
            state: health.as_str(),
            dies_at: death.map(|it| it.at),
            why: death.map(|it| it.why),
            used_at: info.used_at,
            retry_at: info.retry_at.filter(|at| now < *at),
            action: health.action(death),
        })
    }
}

/// The health of a storage with what the vault knows of it; `None` where it is no account.
pub(super) fn of(
    storage: &Storage,
    known: Option<&SecretInfo>,
    now: DateTime<Utc>,
) -> Option<Health> {
    if !matches!(storage.settings, StorageSettings::GooglePhotos(_)) {
        return None;
    }
    let health = known.and_then(|info| Health::of(info, now));
    Some(health.unwrap_or(Health::wordless("none", Some("sign in"))))
}

/// A storage in a list. A vault that does not answer takes no list away.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    #[serde(flatten)]
    pub(super) storage: View,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<Health>,
}

/// Storages with their health, in order.
pub(super) async fn listed(shared: &Shared, storages: Vec<Storage>) -> Vec<Listed> {
    let ports = shared.app.ports();
    let now = ports.clock.now();
    stream::iter(storages)
        .map(|storage| async move {
            let is_account = matches!(storage.settings, StorageSettings::GooglePhotos(_));
            let health = if is_account {
                match ports.vault.describe(storage.tenant, storage.id).await {
                    Ok(known) => of(&storage, known.as_ref(), now),
                    Err(error) => {
                        tracing::warn!(storage.id = %storage.id, error = %error, "the vault says nothing of an account");
                        Some(Health::wordless("unknown", None))
                    }
                }
            } else {
                None
            };
            Listed {
                storage: storage.into(),
                health,
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await
}
