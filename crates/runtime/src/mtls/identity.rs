//! SPIFFE identities (<https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md>) and where a certificate says
//! its own.

use std::{fmt, str::FromStr, sync::Arc};

use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// `spiffe://<trust domain>/<path>`, such as `spiffe://tintype.example/worker`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SpiffeId {
    text: Arc<str>,
    /// Length of the trust domain.
    domain: usize,
}

/// Why there is no identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The text is none.
    #[error(
        "{0:?} is no identity: it should look like spiffe://tintype.example/worker, with a trust domain in small letters"
    )]
    Malformed(String),
    /// The certificate cannot be read.
    #[error("the certificate cannot be read")]
    Certificate,
    /// The certificate must name exactly one.
    #[error("the certificate has {0} URI names, where exactly one identity belongs")]
    NotOne(usize),
    /// It is somebody else than expected.
    #[error("the peer is {found}, where {expected} is expected")]
    Other {
        /// Who it is.
        found: SpiffeId,
        /// Who it should be, or from which trust domain.
        expected: String,
    },
}

const SCHEME: &str = "spiffe://";
/// The longest that the standard allows.
const LONGEST: usize = 2048;

impl SpiffeId {
    /// The trust domain.
    #[must_use]
    pub fn trust_domain(&self) -> &str {
        &self.text[SCHEME.len()..SCHEME.len() + self.domain]
    }

    /// What follows the trust domain, without the slash before it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.text[SCHEME.len() + self.domain + 1..]
    }

    /// The whole identity.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for SpiffeId {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || IdentityError::Malformed(text.chars().take(100).collect());
        let rest = text.strip_prefix(SCHEME).ok_or_else(malformed)?;
        let (domain, path) = rest.split_once('/').ok_or_else(malformed)?;
        let domain_fits = !domain.is_empty()
            && domain.len() <= 255
            && domain
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_'));
        let path_fits = path.split('/').all(|segment| {
            !matches!(segment, "" | "." | "..")
                && segment
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        });
        if !domain_fits || !path_fits || text.len() > LONGEST {
            return Err(malformed());
        }
        Ok(Self {
            text: Arc::from(text),
            domain: domain.len(),
        })
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for SpiffeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for SpiffeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Whose certificate this is. That somebody we trust signed it is another question.
///
/// # Errors
/// When the certificate does not have exactly one URI name, or that is no identity.
pub fn identity_of(certificate: &CertificateDer<'_>) -> Result<SpiffeId, IdentityError> {
    let (_, parsed) =
        X509Certificate::from_der(certificate).map_err(|_| IdentityError::Certificate)?;
    let names = parsed
        .subject_alternative_name()
        .map_err(|_| IdentityError::Certificate)?;
    let names = names.map_or(&[][..], |extension| &extension.value.general_names);
    let uris: Vec<&str> = names
        .iter()
        .filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        })
        .collect();
    match uris[..] {
        [uri] => uri.parse(),
        _ => Err(IdentityError::NotOne(uris.len())),
    }
}

/// When the certificate ends, in seconds since 1970.
pub(super) fn end_of(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Some(parsed.validity().not_after.timestamp())
}

/// The identity as the TLS library reports that it does not fit.
pub(super) fn refused(error: IdentityError) -> rustls::Error {
    let error = rustls::OtherError(Arc::new(error));
    rustls::Error::InvalidCertificate(rustls::CertificateError::Other(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_has_a_trust_domain_and_a_path() {
        let id: SpiffeId = "spiffe://tintype.example/worker".parse().unwrap();
        assert_eq!(
            (id.trust_domain(), id.path()),
            ("tintype.example", "worker")
        );
    }

    #[test]
    fn what_only_looks_like_an_identity_is_refused() {
        for wrong in [
            "",
            "spiffe://",
            "spiffe://tintype.example",
            "spiffe://tintype.example/",
            "spiffe:///worker",
            "spiffe://tintype.example//worker",
            "spiffe://tintype.example/../worker",
            "spiffe://tintype.example/worker/",
            "spiffe://Tintype.example/worker",
            "spiffe://tintype.example:443/worker",
            "spiffe://user@tintype.example/worker",
            "spiffe://tintype.example/worker?x=1",
            "spiffe://tintype.example/worker#x",
            "spiffe://tintype.example/w%6frker",
            "https://tintype.example/worker",
            "SPIFFE://tintype.example/worker",
        ] {
            assert!(
                matches!(wrong.parse::<SpiffeId>(), Err(IdentityError::Malformed(_))),
                "{wrong}"
            );
        }
    }
}
