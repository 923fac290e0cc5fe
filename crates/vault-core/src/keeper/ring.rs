//! The key ring as a keeper: AES-256-GCM in this process.

use async_trait::async_trait;

use super::{Keeper, KeeperError, key_bytes};
use crate::{
    keyring::KeyRing,
    seal::{KeyBytes, Place, SealingKey},
};

impl KeyRing {
    fn sealing_key(&self, version: i64) -> Result<SealingKey, KeeperError> {
        let bytes = self.key(version).ok_or(KeeperError::Missing(version))?;
        SealingKey::new(bytes).map_err(|_| KeeperError::Wrong)
    }
}

#[async_trait]
impl Keeper for KeyRing {
    async fn newest(&self) -> Result<i64, KeeperError> {
        Ok(Self::newest(self))
    }

    async fn wrap(&self, place: Place<'_>, key: &KeyBytes) -> Result<(i64, Vec<u8>), KeeperError> {
        let version = Self::newest(self);
        let place = Place {
            key_version: version,
            ..place
        };
        let sealed = self.sealing_key(version)?.seal(place, key.as_slice());
        let sealed = sealed.map_err(|error| KeeperError::Away(error.to_string()))?;
        Ok((version, sealed))
    }

    async fn unwrap(&self, place: Place<'_>, wrapped: &[u8]) -> Result<KeyBytes, KeeperError> {
        let key = self.sealing_key(place.key_version)?;
        let opened = key.open(place, wrapped).map_err(|_| KeeperError::Wrong)?;
        key_bytes(&opened)
    }
}
