//! Sealed or not: which keeper the vault has, or why it has none. It looks at its source again and again.

use std::{
    error::Error,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, Instant},
};

use tintype_ports::{Entropy, VaultError};
use tokio::sync::Mutex as AsyncMutex;

use super::{
    Keeper, KeeperError,
    cache::KEPT_FOR,
    source::{Found, KeySource},
};
use crate::{db::Database, error::OpenError, keyring::KeyRing, tenants::audit_key_place};

/// How often the source is looked at while the vault is sealed, and a key file always.
const OFTEN: Duration = Duration::from_secs(2);

/// How often anything else is: an outside key service is asked whether it is still there.
const SELDOM: Duration = Duration::from_secs(15);

/// A version that is missing makes the vault look at once, but not more often than this.
const AT_ONCE: Duration = Duration::from_millis(200);

/// The source, and what it gave.
pub(super) struct KeyState {
    source: KeySource,
    entropy: Arc<dyn Entropy>,
    held: RwLock<Held>,
    /// One look at a time; when the last one was.
    looking: AsyncMutex<Option<Instant>>,
}

struct Held {
    keeper: Option<Arc<dyn Keeper>>,
    /// The same, where it is a ring.
    ring: Option<KeyRing>,
    /// What was wrong at the last look, and since when there has been something.
    trouble: Option<(Instant, String)>,
}

impl KeyState {
    /// Sealed, until the first look.
    pub(super) fn new(source: KeySource, entropy: Arc<dyn Entropy>) -> Self {
        let why = "the key-encryption keys were not looked for yet".to_owned();
        Self {
            source,
            entropy,
            held: RwLock::new(Held {
                keeper: None,
                ring: None,
                trouble: Some((Instant::now(), why)),
            }),
            looking: AsyncMutex::default(),
        }
    }

    /// The keeper, or why there is none.
    pub(super) fn keeper(&self) -> Result<Arc<dyn Keeper>, VaultError> {
        let held = self.read();
        match (&held.keeper, &held.trouble) {
            (Some(keeper), _) => Ok(Arc::clone(keeper)),
            (None, Some((_, why))) => Err(VaultError::Locked(why.clone())),
            (None, None) => Err(VaultError::Locked("there are no keys".to_owned())),
        }
    }

    /// Why the vault cannot work, if it cannot. A keeper that stays away counts once the keys it unwrapped are forgotten.
    pub(super) fn sealed(&self) -> Option<String> {
        let held = self.read();
        let (since, why) = held.trouble.as_ref()?;
        let is_sealed =
            held.keeper.is_none() || (held.ring.is_none() && since.elapsed() > KEPT_FOR);
        is_sealed.then(|| why.clone())
    }

    /// How long to wait until the next look.
    pub(super) fn pause(&self) -> Duration {
        let is_in_trouble = self.read().trouble.is_some();
        if is_in_trouble || matches!(self.source, KeySource::File(_)) {
            OFTEN
        } else {
            SELDOM
        }
    }

    /// Looks at the source; a better keeper that fits the data takes over.
    pub(super) async fn look(&self, db: &dyn Database) -> Result<(), OpenError> {
        let mut looked_at = self.looking.lock().await;
        let outcome = self.look_now(db).await;
        *looked_at = Some(Instant::now());
        self.note(outcome.as_ref().err());
        outcome
    }

    /// The same because a version is missing: a file may have gained it since the last look.
    pub(super) async fn look_at_once(&self, db: &dyn Database) {
        let asked_at = Instant::now();
        let mut looked_at = self.looking.lock().await;
        if let Some(last) = *looked_at {
            if last > asked_at {
                // Somebody else looked while this caller waited.
                return;
            }
            tokio::time::sleep(AT_ONCE.saturating_sub(last.elapsed())).await;
        }
        let outcome = self.look_now(db).await;
        *looked_at = Some(Instant::now());
        self.note(outcome.as_ref().err());
    }

    async fn look_now(&self, db: &dyn Database) -> Result<(), OpenError> {
        let held = self.read().ring.clone();
        if held.is_some() && matches!(self.source, KeySource::Ring(_)) {
            return Ok(());
        }
        if let (KeySource::Transit(_), Ok(keeper)) = (&self.source, self.keeper()) {
            keeper.newest().await?;
            return Ok(());
        }
        match self.source.look(&self.entropy).await? {
            Found::Ring(ring) => {
                // A ring that was given by hand meanwhile is not taken back by an older file.
                let is_news = held
                    .as_ref()
                    .is_none_or(|held| ring.newest() >= held.newest() && !ring.is_same(held));
                if is_news {
                    self.take_ring(db, ring).await?;
                }
            }
            Found::Transit(transit) => {
                transit.newest().await?;
                check(db, &*transit).await?;
                self.set(Arc::from(transit as Box<dyn Keeper>), None);
            }
        }
        Ok(())
    }

    /// Takes this ring, if it fits the data.
    pub(super) async fn take_ring(
        &self,
        db: &dyn Database,
        ring: KeyRing,
    ) -> Result<(), OpenError> {
        check(db, &ring).await?;
        self.set(Arc::new(ring.clone()), Some(ring));
        Ok(())
    }

    fn set(&self, keeper: Arc<dyn Keeper>, ring: Option<KeyRing>) {
        *self.write() = Held {
            keeper: Some(keeper),
            ring,
            trouble: None,
        };
        tracing::info!("the vault has its key-encryption keys");
    }

    fn note(&self, error: Option<&OpenError>) {
        let mut held = self.write();
        let Some(error) = error else {
            held.trouble = None;
            return;
        };
        let why = whole(error);
        let is_known = held
            .trouble
            .as_ref()
            .is_some_and(|(_, known)| *known == why);
        if !is_known {
            tracing::warn!(reason = %why, "the vault's key-encryption keys are not to be had");
        }
        let since = held
            .trouble
            .as_ref()
            .map_or_else(Instant::now, |(since, _)| *since);
        held.trouble = Some((since, why));
    }

    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key that is missing or wrong is told now, not at the first secret.
async fn check(db: &dyn Database, keeper: &dyn Keeper) -> Result<(), OpenError> {
    let mut reading = db.read().await?;
    let mut samples = Vec::new();
    for (version, _) in reading.key_versions().await? {
        samples.extend(reading.tenant_of_key(version).await?);
    }
    reading.rollback().await?;
    for row in samples {
        let version = row.kek_version;
        match keeper.unwrap(audit_key_place(&row), &row.audit_key).await {
            Ok(_) => {}
            Err(KeeperError::Wrong) => return Err(OpenError::KeyWrong(version)),
            Err(KeeperError::Missing(version)) => return Err(OpenError::KeyMissing(version)),
            Err(KeeperError::Away(why)) => return Err(OpenError::KeysAway(why)),
        }
    }
    Ok(())
}

/// An error with what is behind it, on one line.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use tintype_ports::fake::SeededEntropy;

    use super::*;

    fn in_trouble(keeper: bool, ring: bool, since: Instant) -> KeyState {
        let keys = KeyRing::generate().unwrap();
        let entropy = Arc::new(SeededEntropy::new(1));
        let state = KeyState::new(KeySource::File("keys".into()), entropy);
        *state.write() = Held {
            keeper: keeper.then(|| Arc::new(keys.clone()) as Arc<dyn Keeper>),
            ring: ring.then_some(keys),
            trouble: Some((since, "away".to_owned())),
        };
        state
    }

    #[test]
    fn a_keeper_that_stays_away_seals_the_vault_when_its_keys_are_forgotten() {
        let now = Instant::now();
        let long_ago = now
            .checked_sub(KEPT_FOR + Duration::from_secs(1))
            .expect("this machine has run for longer than that");
        let away = Some("away".to_owned());
        assert_eq!(in_trouble(false, false, now).sealed(), away);
        assert_eq!(in_trouble(true, false, now).sealed(), None);
        assert_eq!(in_trouble(true, false, long_ago).sealed(), away);
        // A ring in memory does not go away with its file.
        assert_eq!(in_trouble(true, true, long_ago).sealed(), None);
    }
}
