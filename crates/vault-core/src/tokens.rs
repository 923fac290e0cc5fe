//! Access tokens in memory: one slot a storage, whose lock is the single flight.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use tintype_model::{StorageId, TenantId};
use tintype_ports::{VaultError, google_auth::RefreshAnswer, vault::AccessToken};
use tokio::sync::Mutex as AsyncMutex;

use crate::{
    records::CredentialRow,
    seal::{Place, SealingKey},
};

/// A token is not handed out in its last minute: the request it is for takes time too.
const MARGIN: TimeDelta = TimeDelta::seconds(60);

/// Beyond this many slots, idle ones are dropped.
const MANY_SLOTS: usize = 4096;

/// The first pause after trouble at Google's endpoint; it doubles with every failure.
const FIRST_PAUSE: f64 = 5.0;

/// The longest pause, in seconds, before jitter.
const LONGEST_PAUSE: f64 = 300.0;

/// What stays known of one storage's tokens.
#[derive(Default)]
pub(crate) struct Slot {
    /// The token, sealed with a key that only this process has.
    pub(crate) cached: Option<Cached>,
    /// Failures in a row, and until when Google is left alone.
    pub(crate) failures: u32,
    pub(crate) retry_at: Option<DateTime<Utc>>,
    /// When a token was replaced last because Google's API rejected it.
    pub(crate) forced_at: Option<DateTime<Utc>>,
    /// An answer of Google that could not be stored yet.
    pub(crate) unsaved: Option<Unsaved>,
}

/// An access token in memory.
pub(crate) struct Cached {
    sealed: Vec<u8>,
    expires_at: DateTime<Utc>,
    scopes: Vec<String>,
    pub(crate) generation: i64,
}

/// What Google answered for a credential as it was read.
pub(crate) struct Unsaved {
    pub(crate) tried: CredentialRow,
    pub(crate) answer: RefreshAnswer,
    /// When the answer came.
    pub(crate) at: DateTime<Utc>,
    /// The number of the refresh's audit entry: the version of what is sealed because of it.
    pub(crate) number: i64,
}

impl Slot {
    /// The cached token, unless it is about to die.
    pub(crate) fn living(
        &self,
        key: &SealingKey,
        owner: (TenantId, StorageId),
        now: DateTime<Utc>,
    ) -> Result<Option<(AccessToken, i64)>, VaultError> {
        let Some(cached) = self
            .cached
            .as_ref()
            .filter(|cached| now < cached.expires_at - MARGIN)
        else {
            return Ok(None);
        };
        let plain = key.open(memory_place(owner, cached.generation), &cached.sealed)?;
        let text = str::from_utf8(&plain).map_err(|_| VaultError::Sealed)?;
        let token = AccessToken {
            secret: SecretString::from(text),
            expires_at: cached.expires_at,
            scopes: cached.scopes.clone(),
        };
        Ok(Some((token, cached.generation)))
    }

    /// Keeps what Google answered and forgets past trouble.
    pub(crate) fn keep(
        &mut self,
        key: &SealingKey,
        owner: (TenantId, StorageId),
        fresh: &Unsaved,
    ) -> Result<(), VaultError> {
        let generation = fresh.tried.generation;
        let secret = fresh.answer.access_token.expose_secret().as_bytes();
        let lifetime = TimeDelta::from_std(fresh.answer.expires_in).unwrap_or(TimeDelta::hours(1));
        self.cached = Some(Cached {
            sealed: key.seal(memory_place(owner, generation), secret)?,
            expires_at: fresh.at + lifetime,
            scopes: fresh.answer.scopes.clone(),
            generation,
        });
        self.failures = 0;
        self.retry_at = None;
        Ok(())
    }

    /// Leaves Google alone for a while: twice as long after every failure, ± 25 %. `unit` is in `0.0..1.0`.
    pub(crate) fn cool_down(&mut self, now: DateTime<Utc>, unit: f64) {
        let doubled =
            FIRST_PAUSE * 2.0_f64.powi(i32::try_from(self.failures.min(16)).unwrap_or(16));
        let seconds = doubled.min(LONGEST_PAUSE) * (0.75 + unit / 2.0);
        let pause = std::time::Duration::from_secs_f64(seconds);
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(now + pause);
    }

    fn is_idle(&self, now: DateTime<Utc>) -> bool {
        let has_token = self
            .cached
            .as_ref()
            .is_some_and(|cached| now < cached.expires_at);
        let is_cooling = self.retry_at.is_some_and(|retry_at| now < retry_at);
        !has_token && !is_cooling && self.unsaved.is_none()
    }
}

type Key = (TenantId, StorageId);

/// The slots of all storages that were asked for lately.
#[derive(Default)]
pub(crate) struct Slots(Mutex<HashMap<Key, Arc<AsyncMutex<Slot>>>>);

impl Slots {
    /// The storage's slot.
    pub(crate) fn of(&self, key: Key, now: DateTime<Utc>) -> Arc<AsyncMutex<Slot>> {
        let mut slots = self.held();
        if slots.len() >= MANY_SLOTS && !slots.contains_key(&key) {
            slots.retain(|_, slot| slot.try_lock().map_or(true, |slot| !slot.is_idle(now)));
        }
        Arc::clone(slots.entry(key).or_default())
    }

    /// Forgets a storage.
    pub(crate) fn forget(&self, key: Key) {
        self.held().remove(&key);
    }

    /// Forgets a tenant.
    pub(crate) fn forget_tenant(&self, tenant: TenantId) {
        self.held().retain(|(owner, _), _| *owner != tenant);
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Key, Arc<AsyncMutex<Slot>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn memory_place((tenant, storage): Key, generation: i64) -> Place<'static> {
    Place {
        purpose: "memory",
        tenant,
        record: storage.as_uuid(),
        field: "access token",
        record_version: generation,
        key_version: 0,
        public: ["", ""],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_minutes() {
        let mut slot = Slot::default();
        let now = DateTime::UNIX_EPOCH;
        let mut pauses = Vec::new();
        for _ in 0..40 {
            slot.cool_down(now, 0.5);
            pauses.push((slot.retry_at.unwrap() - now).num_seconds());
        }
        assert_eq!(pauses[..8], [5, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(pauses[39], 300);
    }
}
