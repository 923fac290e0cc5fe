//! Access tokens in memory: one slot a storage, whose lock lets one caller of this process at a time look for a new one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret;
use tintype_model::{StorageId, TenantId};
use tintype_ports::{VaultError, google_auth::RefreshAnswer, vault::AccessToken};
use tokio::sync::Mutex as AsyncMutex;

use crate::{
    audit::Expected,
    db::CredentialRow,
    records::Shared,
    seal::{Place, SealingKey},
};

/// A token is not handed out in its last minute: the request it is for takes time too.
const MARGIN: TimeDelta = TimeDelta::seconds(60);

/// Beyond this many slots, idle ones are dropped.
const MANY_SLOTS: usize = 4096;

/// Whether a token may still be handed out.
pub(crate) fn is_living(expires_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now < expires_at - MARGIN
}

/// What stays known of one storage's tokens in this process.
#[derive(Default)]
pub(crate) struct Slot {
    /// The token, sealed with a key that only this process has.
    cached: Option<Cached>,
    /// An answer of Google that could not be stored yet.
    pub(crate) unsaved: Option<Unsaved>,
}

/// An access token in memory.
struct Cached {
    sealed: Vec<u8>,
    expires_at: DateTime<Utc>,
    scopes: Vec<String>,
    generation: i64,
    number: i64,
}

/// A token that may be handed out, if what it is from is still current.
pub(crate) struct Candidate {
    pub(crate) token: AccessToken,
    pub(crate) generation: i64,
    pub(crate) number: i64,
}

impl Candidate {
    pub(crate) const fn expected(&self) -> Expected {
        Expected {
            generation: self.generation,
            access_number: Some(self.number),
        }
    }
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
        owner: Key,
        now: DateTime<Utc>,
    ) -> Result<Option<Candidate>, VaultError> {
        let cached = self.cached.as_ref();
        let Some(cached) = cached.filter(|cached| is_living(cached.expires_at, now)) else {
            return Ok(None);
        };
        Ok(Some(Candidate {
            token: AccessToken {
                secret: key.open_text(memory_place(owner, cached.number), &cached.sealed)?,
                expires_at: cached.expires_at,
                scopes: cached.scopes.clone(),
            },
            generation: cached.generation,
            number: cached.number,
        }))
    }

    /// Keeps a token as it stands in the database.
    pub(crate) fn keep(
        &mut self,
        key: &SealingKey,
        owner: Key,
        generation: i64,
        shared: &Shared,
    ) -> Result<(), VaultError> {
        let secret = shared.token.secret.expose_secret().as_bytes();
        self.cached = Some(Cached {
            sealed: key.seal(memory_place(owner, shared.number), secret)?,
            expires_at: shared.token.expires_at,
            scopes: shared.token.scopes.clone(),
            generation,
            number: shared.number,
        });
        Ok(())
    }

    fn is_idle(&self, now: DateTime<Utc>) -> bool {
        let cached = self.cached.as_ref();
        let has_token = cached.is_some_and(|cached| now < cached.expires_at);
        !has_token && self.unsaved.is_none()
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

const fn memory_place((tenant, storage): Key, number: i64) -> Place<'static> {
    Place {
        purpose: "memory",
        tenant,
        record: storage.as_uuid(),
        field: "access token",
        record_version: number,
        key_version: 0,
        public: ["", ""],
    }
}
