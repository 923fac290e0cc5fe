//! Grants: what a secret is wanted for, signed with the caller's own key.

use std::fmt;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use secrecy::{ExposeSecret as _, SecretString};
use tintype_ports::{VaultError, vault::Grant};
use tintype_proto::grant::{AUDIENCE, Claims, Scope, TYPE};
use tintype_runtime::mtls::SpiffeId;

use crate::ClientError;

/// How long a grant is valid, in seconds: long enough for a slow call and for clocks that differ a little.
const LIFETIME_SECONDS: i64 = 60;

/// Signs grants with the caller's Ed25519 key. The vault's configuration lists the other half under the same key id.
pub struct GrantSigner {
    header: Header,
    key: EncodingKey,
}

impl GrantSigner {
    /// A signer with a private key in PEM form (PKCS #8).
    ///
    /// # Errors
    /// When that is no Ed25519 key.
    pub fn from_pem(key_id: &str, private_key: &SecretString) -> Result<Self, ClientError> {
        let key = EncodingKey::from_ed_pem(private_key.expose_secret().as_bytes())
            .map_err(|_| ClientError::GrantKey)?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(key_id.to_owned());
        // A key that cannot sign is told at the start.
        encode(&header, &(), &key).map_err(|_| ClientError::GrantKey)?;
        Ok(Self { header, key })
    }

    pub(crate) fn sign(
        &self,
        grant: &Grant,
        issuer: &SpiffeId,
        now: DateTime<Utc>,
        id: [u8; 10],
    ) -> Result<String, VaultError> {
        let scope = Scope::named(&grant.purpose)
            .ok_or_else(|| VaultError::Denied(format!("there is no scope {:?}", grant.purpose)))?;
        let now = now.timestamp();
        let claims = Claims {
            iss: issuer.to_string(),
            aud: AUDIENCE.to_owned(),
            sub: grant.tenant.to_string(),
            storage: grant.storage.to_string(),
            run: grant.run.map(|run| run.to_string()),
            scope,
            iat: now,
            nbf: now,
            exp: now + LIFETIME_SECONDS,
            jti: hex::encode(id),
        };
        encode(&self.header, &claims, &self.key)
            .map_err(|_| VaultError::Denied("the grant could not be signed".to_owned()))
    }
}

impl fmt::Debug for GrantSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantSigner")
            .field("key_id", &self.header.kid)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_none_is_refused_without_being_shown() {
        let wrong =
            SecretString::from("-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----");
        let error = GrantSigner::from_pem("k1", &wrong).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hunter2"), "{error}");
    }
}
