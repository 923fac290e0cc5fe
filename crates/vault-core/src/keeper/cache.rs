//! Tenants' unwrapped keys, kept for a few minutes so that a keeper outside is not asked for every token.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tintype_model::TenantId;
use tintype_ports::{Entropy, VaultError};
use tokio::sync::Mutex as AsyncMutex;
use uuid::Uuid;

use super::{KeeperError, KeySource, state::KeyState};
use crate::{
    db::{Database, TenantRow},
    error::OpenError,
    keyring::KeyRing,
    seal::{KeyBytes, Place, SealingKey},
    tenants::{audit_key_place, data_key_place},
};

/// How long an unwrapped key is kept, after which its bytes are overwritten.
pub(super) const KEPT_FOR: Duration = Duration::from_secs(300);

/// The most tenants whose keys are kept.
const MOST: usize = 8192;

/// How many questions for keys may be under way.
const TURNS: usize = 64;

/// A keeper that rotates between two wraps of one tenant is tried again this often.
const WRAP_ROUNDS: usize = 3;

/// A tenant's keys, unwrapped. Overwritten when dropped.
pub(crate) struct TenantKeys {
    data: Option<(KeyBytes, SealingKey)>,
    audit: KeyBytes,
}

impl TenantKeys {
    /// Both keys; a destroyed tenant has only the second.
    pub(crate) fn new(data: Option<KeyBytes>, audit: KeyBytes) -> Result<Self, VaultError> {
        let data = data.map(|bytes| SealingKey::new(&bytes).map(|key| (bytes, key)));
        Ok(Self {
            data: data.transpose()?,
            audit,
        })
    }

    /// The key that seals the tenant's secrets; `NotFound` once the tenant was destroyed.
    pub(crate) fn data(&self) -> Result<&SealingKey, VaultError> {
        let data = self.data.as_ref().ok_or(VaultError::NotFound)?;
        Ok(&data.1)
    }

    /// Its bytes.
    pub(crate) fn data_bytes(&self) -> Option<&KeyBytes> {
        self.data.as_ref().map(|data| &data.0)
    }

    /// The key that chains the tenant's log.
    pub(crate) const fn audit(&self) -> &KeyBytes {
        &self.audit
    }
}

/// Keys as they were wrapped in a row, and until when they are kept.
struct Kept {
    row: TenantRow,
    keys: Arc<TenantKeys>,
    until: Instant,
}

impl Kept {
    fn fits(&self, row: &TenantRow) -> bool {
        self.row.kek_version == row.kek_version
            && self.row.data_key_version == row.data_key_version
            && self.row.data_key == row.data_key
            && self.row.audit_key == row.audit_key
    }
}

/// The tenants' keys, and who wraps them.
pub(crate) struct Keys {
    state: KeyState,
    kept: Mutex<HashMap<Uuid, Kept>>,
    /// One look at a time for each tenant; a few tenants share a turn. What failed last there, and when.
    turns: [AsyncMutex<Option<(Instant, String)>>; TURNS],
}

impl Keys {
    pub(crate) fn new(source: KeySource, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            state: KeyState::new(source, entropy),
            kept: Mutex::default(),
            turns: std::array::from_fn(|_| AsyncMutex::default()),
        }
    }

    /// Looks at the source of the keys.
    pub(crate) async fn look(&self, db: &dyn Database) -> Result<(), OpenError> {
        self.state.look(db).await
    }

    /// Takes this ring, if it fits the data.
    pub(crate) async fn take_ring(
        &self,
        db: &dyn Database,
        ring: KeyRing,
    ) -> Result<(), OpenError> {
        self.state.take_ring(db, ring).await
    }

    /// How long to wait until the next look.
    pub(crate) fn pause(&self) -> Duration {
        self.state.pause()
    }

    /// Why the vault cannot work, if it cannot.
    pub(crate) fn sealed(&self) -> Option<String> {
        self.state.sealed()
    }

    /// Refuses while there is no keeper, before anything is looked up.
    pub(crate) fn ready(&self) -> Result<(), VaultError> {
        self.state.keeper().map(drop)
    }

    /// The version that wraps what is new.
    pub(crate) async fn newest(&self) -> Result<i64, VaultError> {
        Ok(self.state.keeper()?.newest().await?)
    }

    /// The row's keys, if they are kept. Never waits, so it may be asked while rows are locked.
    pub(crate) fn kept(&self, row: &TenantRow) -> Option<Arc<TenantKeys>> {
        let kept = self.held();
        let found = kept.get(&row.tenant_id)?;
        let is_good = found.until > Instant::now() && found.fits(row);
        is_good.then(|| Arc::clone(&found.keys))
    }

    /// Whether some keys of this tenant are kept.
    pub(crate) fn has(&self, tenant: Uuid) -> bool {
        let kept = self.held();
        kept.get(&tenant)
            .is_some_and(|found| found.until > Instant::now())
    }

    /// The row's keys. The keeper may be asked, so no rows may be locked. Callers that want the same keys at the same time share
    /// one question, and one failure of the keeper.
    pub(crate) async fn open(
        &self,
        db: &dyn Database,
        row: &TenantRow,
    ) -> Result<Arc<TenantKeys>, VaultError> {
        if let Some(keys) = self.kept(row) {
            return Ok(keys);
        }
        let asked_at = Instant::now();
        let number = usize::from(row.tenant_id.as_bytes()[15]) % TURNS;
        let mut turn = self.turns[number].lock().await;
        if let Some(keys) = self.kept(row) {
            return Ok(keys);
        }
        if let Some((_, why)) = turn.as_ref().filter(|(at, _)| *at > asked_at) {
            return Err(VaultError::Locked(why.clone()));
        }
        let opened = self.ask(db, row).await;
        if let Err(VaultError::Locked(why)) = &opened {
            *turn = Some((Instant::now(), why.clone()));
        }
        opened
    }

    async fn ask(&self, db: &dyn Database, row: &TenantRow) -> Result<Arc<TenantKeys>, VaultError> {
        let audit = self
            .unwrap(db, audit_key_place(row), &row.audit_key)
            .await?;
        let data = match &row.data_key {
            Some(wrapped) => Some(self.unwrap(db, data_key_place(row), wrapped).await?),
            None => None,
        };
        let keys = Arc::new(TenantKeys::new(data, audit)?);
        self.keep(row.clone(), Arc::clone(&keys));
        Ok(keys)
    }

    /// Keeps a row's keys.
    pub(crate) fn keep(&self, row: TenantRow, keys: Arc<TenantKeys>) {
        let until = Instant::now() + KEPT_FOR;
        let mut kept = self.held();
        if kept.len() >= MOST && !kept.contains_key(&row.tenant_id) {
            let oldest = kept.iter().min_by_key(|(_, found)| found.until);
            if let Some(oldest) = oldest.map(|(tenant, _)| *tenant) {
                kept.remove(&oldest);
            }
        }
        kept.insert(row.tenant_id, Kept { row, keys, until });
    }

    /// Forgets a tenant's keys.
    pub(crate) fn forget(&self, tenant: TenantId) {
        self.held().remove(&tenant.as_uuid());
    }

    /// Forgets what was kept long enough.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        self.held().retain(|_, found| found.until > now);
    }

    /// Wraps a tenant's keys with the newest key, into a row like this one. The keeper is asked, so no rows may be locked.
    pub(crate) async fn wrap(
        &self,
        row: &TenantRow,
        keys: &TenantKeys,
    ) -> Result<TenantRow, VaultError> {
        let keeper = self.state.keeper()?;
        for _ in 0..WRAP_ROUNDS {
            let (kek_version, audit_key) = keeper.wrap(audit_key_place(row), keys.audit()).await?;
            let data_key = match keys.data_bytes() {
                Some(bytes) => {
                    let (version, wrapped) = keeper.wrap(data_key_place(row), bytes).await?;
                    if version != kek_version {
                        continue;
                    }
                    Some(wrapped)
                }
                None => None,
            };
            return Ok(TenantRow {
                kek_version,
                data_key,
                audit_key,
                ..row.clone()
            });
        }
        let text = "the key-encryption key is rotated again and again; try again";
        Err(VaultError::Locked(text.to_owned()))
    }

    async fn unwrap(
        &self,
        db: &dyn Database,
        place: Place<'_>,
        wrapped: &[u8],
    ) -> Result<KeyBytes, VaultError> {
        match self.state.keeper()?.unwrap(place, wrapped).await {
            Err(KeeperError::Missing(_)) => {
                self.state.look_at_once(db).await;
                Ok(self.state.keeper()?.unwrap(place, wrapped).await?)
            }
            other => Ok(other?),
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Uuid, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tintype_ports::fake::SeededEntropy;

    use super::*;
    use crate::seal::random_key;

    fn row(number: u128, kek_version: i64) -> TenantRow {
        TenantRow {
            tenant_id: Uuid::from_u128(number),
            data_key_version: 1,
            kek_version,
            data_key: None,
            audit_key: vec![1],
            audit_count: 0,
            audit_mac: Vec::new(),
            audit_head: Vec::new(),
        }
    }

    fn keys() -> Keys {
        let ring = KeyRing::generate().unwrap();
        Keys::new(ring.into(), Arc::new(SeededEntropy::new(1)))
    }

    #[test]
    fn only_so_many_tenants_are_kept_and_the_oldest_go_first() {
        let keys = keys();
        let shared = Arc::new(TenantKeys::new(None, random_key().unwrap()).unwrap());
        for number in 0..MOST as u128 + 10 {
            keys.keep(row(number, 1), Arc::clone(&shared));
        }
        assert_eq!(keys.held().len(), MOST);
        assert!(!keys.has(Uuid::from_u128(0)));
        assert!(keys.kept(&row(MOST as u128 + 9, 1)).is_some());
    }

    #[test]
    fn kept_keys_are_those_of_the_row_as_it_stands() {
        let keys = keys();
        let shared = Arc::new(TenantKeys::new(None, random_key().unwrap()).unwrap());
        keys.keep(row(1, 1), shared);
        assert!(keys.kept(&row(1, 1)).is_some());
        assert!(keys.kept(&row(1, 2)).is_none());
        let moved = TenantRow {
            audit_key: vec![2],
            ..row(1, 1)
        };
        assert!(keys.kept(&moved).is_none());
        keys.forget(TenantId::from_uuid(Uuid::from_u128(1)));
        assert!(keys.kept(&row(1, 1)).is_none());
    }
}
