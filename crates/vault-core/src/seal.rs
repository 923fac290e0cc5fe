//! AES-256-GCM with a random nonce, bound to the place the sealed bytes belong to.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand,
};
use secrecy::{SecretString, zeroize::Zeroizing};
use tintype_model::TenantId;
use tintype_ports::VaultError;
use uuid::Uuid;

/// The layout of sealed bytes: this byte, nonce, ciphertext, tag.
const FORMAT: u8 = 1;

/// A key's raw bytes, overwritten when dropped.
pub(crate) type KeyBytes = Zeroizing<[u8; 32]>;

/// Where sealed bytes belong. Bytes moved to any other place do not open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// What the bytes are for: `wrap`, `credential`, `signing`, `memory`.
    pub(crate) purpose: &'static str,
    /// Whose they are.
    pub(crate) tenant: TenantId,
    /// The record they stand in.
    pub(crate) record: Uuid,
    /// The field of the record.
    pub(crate) field: &'static str,
    /// The version of the record.
    pub(crate) record_version: i64,
    /// The version of the key they are sealed with.
    pub(crate) key_version: i64,
    /// Public parts of the record that must not be changed either: its kind and public id.
    pub(crate) public: [&'a str; 2],
}

impl Place<'_> {
    /// The place as bytes; every part of variable length is preceded by its length, so no two places look the same.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = b"tintype vault 1".to_vec();
        bytes.extend_from_slice(self.tenant.as_uuid().as_bytes());
        bytes.extend_from_slice(self.record.as_bytes());
        bytes.extend_from_slice(&self.record_version.to_be_bytes());
        bytes.extend_from_slice(&self.key_version.to_be_bytes());
        for text in [self.purpose, self.field, self.public[0], self.public[1]] {
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }
}

/// A key that seals and opens.
pub(crate) struct SealingKey(LessSafeKey);

impl SealingKey {
    /// The key made of these bytes.
    pub(crate) fn new(bytes: &KeyBytes) -> Result<Self, VaultError> {
        let key =
            UnboundKey::new(&AES_256_GCM, bytes.as_slice()).map_err(|_| VaultError::Sealed)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Seals `plain` for `place`.
    pub(crate) fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| no_randomness())?;
        // Room for the tag from the start: growing would leave a copy of the plain text behind.
        let mut body = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
        body.extend_from_slice(plain);
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.to_bytes()),
                &mut body,
            )
            .map_err(|_| VaultError::Sealed)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + body.len());
        sealed.push(FORMAT);
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Opens what was sealed with this key for `place`.
    pub(crate) fn open(
        &self,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (&format, rest) = sealed.split_first().ok_or(VaultError::Sealed)?;
        if format != FORMAT {
            return Err(VaultError::Sealed);
        }
        let (nonce, body) = rest
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(VaultError::Sealed)?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self
            .0
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(place.to_bytes()),
                &mut body,
            )
            .map_err(|_| VaultError::Sealed)?
            .len();
        body.truncate(length);
        Ok(body)
    }
}

impl SealingKey {
    /// Opens what was sealed as text.
    pub(crate) fn open_text(
        &self,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<SecretString, VaultError> {
        let plain = self.open(place, sealed)?;
        let text = str::from_utf8(&plain).map_err(|_| VaultError::Sealed)?;
        Ok(SecretString::from(text))
    }
}

/// A new random key.
pub(crate) fn random_key() -> Result<KeyBytes, VaultError> {
    let mut bytes = KeyBytes::default();
    rand::fill(bytes.as_mut_slice()).map_err(|_| no_randomness())?;
    Ok(bytes)
}

fn no_randomness() -> VaultError {
    VaultError::Unavailable("the system gives no random bytes".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place() -> Place<'static> {
        Place {
            purpose: "credential",
            tenant: TenantId::from_uuid(Uuid::from_u128(1)),
            record: Uuid::from_u128(2),
            field: "secret",
            record_version: 3,
            key_version: 4,
            public: ["google", "id"],
        }
    }

    #[test]
    fn sealed_bytes_open_only_in_their_place() {
        let key = SealingKey::new(&random_key().unwrap()).unwrap();
        let sealed = key.seal(place(), b"plain").unwrap();
        assert_eq!(key.open(place(), &sealed).unwrap().as_slice(), b"plain");
        let elsewhere = [
            Place {
                purpose: "wrap",
                ..place()
            },
            Place {
                tenant: TenantId::from_uuid(Uuid::from_u128(9)),
                ..place()
            },
            Place {
                record: Uuid::from_u128(9),
                ..place()
            },
            Place {
                field: "refresh token",
                ..place()
            },
            Place {
                record_version: 9,
                ..place()
            },
            Place {
                key_version: 9,
                ..place()
            },
            Place {
                public: ["s3", "id"],
                ..place()
            },
            Place {
                public: ["googlei", "d"],
                ..place()
            },
        ];
        for other in elsewhere {
            assert!(
                matches!(key.open(other, &sealed), Err(VaultError::Sealed)),
                "{other:?}"
            );
        }
        let other_key = SealingKey::new(&random_key().unwrap()).unwrap();
        assert!(other_key.open(place(), &sealed).is_err());
    }

    #[test]
    fn the_same_text_never_looks_the_same() {
        let key = SealingKey::new(&random_key().unwrap()).unwrap();
        assert_ne!(
            key.seal(place(), b"plain").unwrap(),
            key.seal(place(), b"plain").unwrap()
        );
    }

    proptest! {
        #[test]
        fn any_changed_bit_is_noticed(plain in any::<Vec<u8>>(), bit in any::<prop::sample::Index>()) {
            let key = SealingKey::new(&random_key().unwrap()).unwrap();
            let mut sealed = key.seal(place(), &plain).unwrap();
            let bit = bit.index(sealed.len() * 8);
            sealed[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(key.open(place(), &sealed).is_err());
        }

        #[test]
        fn any_bytes_are_refused_without_a_panic(sealed in any::<Vec<u8>>()) {
            let key = SealingKey::new(&random_key().unwrap()).unwrap();
            prop_assert!(key.open(place(), &sealed).is_err());
        }
    }
}
