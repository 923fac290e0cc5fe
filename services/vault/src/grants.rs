//! Signed grants: whose they are, what they cover, and whether it is their time. See `vault.proto`.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use tintype_ports::{Clock, VaultError, vault::Grant};
use tintype_proto::grant::{AUDIENCE, Claims, LEEWAY_SECONDS, LONGEST_SECONDS, Scope, TYPE};
use tintype_runtime::mtls::SpiffeId;

use crate::{ServeError, settings::GrantKey};

/// No grant is longer, in bytes.
const LONGEST: usize = 4096;

/// Why a grant is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GrantError {
    #[error("the grant is no signed token of its kind")]
    Malformed,
    #[error("the grant's header is not alg EdDSA, typ {TYPE}, kid, and nothing else")]
    Header,
    #[error("the grant is signed with a key that is not listed")]
    UnknownKey,
    #[error("the grant's key belongs to {owner}, and the caller is {caller}")]
    NotYours { owner: SpiffeId, caller: SpiffeId },
    #[error("the grant's signature, issuer or audience is not right")]
    Untrue,
    #[error("the grant has expired")]
    Expired,
    #[error("the grant is not valid yet: compare the clocks")]
    Early,
    #[error("the grant is valid for longer than {LONGEST_SECONDS} seconds")]
    TooLong,
    #[error("the grant's key may not ask for {}", .0.as_str())]
    Scope(Scope),
    #[error("the grant is not for this call")]
    Elsewhere,
    #[error("the grant names no {0}")]
    Id(&'static str),
}

impl From<GrantError> for VaultError {
    fn from(error: GrantError) -> Self {
        Self::Denied(error.to_string())
    }
}

/// Checks grants against the keys of the configuration.
pub(crate) struct GrantCheck {
    keys: HashMap<String, Key>,
    clock: Arc<dyn Clock>,
}

struct Key {
    header: Header,
    public: DecodingKey,
    validation: Validation,
    owner: SpiffeId,
    scopes: BTreeSet<Scope>,
}

impl GrantCheck {
    pub(crate) fn new(listed: &[GrantKey], clock: Arc<dyn Clock>) -> Result<Self, ServeError> {
        let mut keys = HashMap::new();
        for key in listed {
            let public = DecodingKey::from_ed_pem(key.public_key.as_bytes())
                .map_err(|_| ServeError::GrantKey(key.id.clone()))?;
            let mut header = Header::new(Algorithm::EdDSA);
            header.typ = Some(TYPE.to_owned());
            header.kid = Some(key.id.clone());
            let known = Key {
                header,
                public,
                validation: validation(&key.identity),
                owner: key.identity.clone(),
                scopes: key.scopes.clone(),
            };
            if keys.insert(key.id.clone(), known).is_some() {
                return Err(ServeError::GrantKeyTwice(key.id.clone()));
            }
        }
        Ok(Self { keys, clock })
    }

    /// What the grant allows its caller.
    pub(crate) fn check(&self, token: &str, caller: &SpiffeId) -> Result<Grant, GrantError> {
        if token.len() > LONGEST {
            return Err(GrantError::Malformed);
        }
        let header = decode_header(token).map_err(|_| GrantError::Malformed)?;
        let kid = header.kid.as_deref().ok_or(GrantError::Header)?;
        let key = self.keys.get(kid).ok_or(GrantError::UnknownKey)?;
        if header != key.header {
            return Err(GrantError::Header);
        }
        if key.owner != *caller {
            return Err(GrantError::NotYours {
                owner: key.owner.clone(),
                caller: caller.clone(),
            });
        }
        let claims = decode::<Claims>(token, &key.public, &key.validation)
            .map_err(|_| GrantError::Untrue)?
            .claims;
        self.check_time(&claims)?;
        if !key.scopes.contains(&claims.scope) {
            return Err(GrantError::Scope(claims.scope));
        }
        grant_of(&claims)
    }

    fn check_time(&self, claims: &Claims) -> Result<(), GrantError> {
        let now = self.clock.now().timestamp();
        let begins = claims.iat.min(claims.nbf);
        if claims.exp.saturating_sub(begins) > LONGEST_SECONDS {
            return Err(GrantError::TooLong);
        }
        if claims.exp.saturating_add(LEEWAY_SECONDS) <= now {
            return Err(GrantError::Expired);
        }
        if claims.iat.max(claims.nbf) > now.saturating_add(LEEWAY_SECONDS) {
            return Err(GrantError::Early);
        }
        Ok(())
    }
}

/// Times are checked against our own clock, with a leeway of our own.
fn validation(issuer: &SpiffeId) -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[issuer]);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.leeway = 0;
    validation
}

fn grant_of(claims: &Claims) -> Result<Grant, GrantError> {
    let run = claims.run.as_deref().map(str::parse).transpose();
    Ok(Grant {
        tenant: claims.sub.parse().map_err(|_| GrantError::Id("tenant"))?,
        storage: claims
            .storage
            .parse()
            .map_err(|_| GrantError::Id("storage"))?,
        run: run.map_err(|_| GrantError::Id("run"))?,
        purpose: claims.scope.as_str().to_owned(),
    })
}
