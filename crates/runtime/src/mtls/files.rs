//! The three files of a service's TLS, read together.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use rustls::RootCertStore;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde::Deserialize;

use super::{
    TlsError,
    identity::{SpiffeId, end_of, identity_of},
};

/// Where a service's certificate, its key and the authorities are. All PEM.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The service's own certificate, then those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities whose certificates are believed, of peers as of ourselves.
    pub authorities: PathBuf,
}

/// What was read from the files.
pub struct TlsMaterial {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) roots: RootCertStore,
    /// Who the certificate says we are.
    pub identity: SpiffeId,
    /// When the certificate ends, in seconds since 1970.
    pub ends_at: i64,
}

impl fmt::Debug for TlsMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsMaterial")
            .field("identity", &self.identity)
            .field("ends_at", &self.ends_at)
            .finish_non_exhaustive()
    }
}

/// The files' bytes, to see whether they changed.
#[derive(PartialEq, Eq)]
pub(super) struct Contents {
    certificate: Vec<u8>,
    key: secrecy::zeroize::Zeroizing<Vec<u8>>,
    authorities: Vec<u8>,
}

impl TlsFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// When one is missing or is not what it should be.
    pub fn read(&self) -> Result<TlsMaterial, TlsError> {
        self.parse(&self.contents()?)
    }

    pub(super) fn contents(&self) -> Result<Contents, TlsError> {
        Ok(Contents {
            certificate: bytes_of(&self.certificate)?,
            key: bytes_of(&self.key)?.into(),
            authorities: bytes_of(&self.authorities)?,
        })
    }

    pub(super) fn parse(&self, contents: &Contents) -> Result<TlsMaterial, TlsError> {
        let chain = certificates(&self.certificate, &contents.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&contents.key).map_err(|_| TlsError::Pem {
            path: self.key.clone(),
            expected: "private key",
        })?;
        let mut roots = RootCertStore::empty();
        for root in certificates(&self.authorities, &contents.authorities)? {
            roots.add(root).map_err(TlsError::Unusable)?;
        }
        let leaf = &chain[0];
        let identity = identity_of(leaf).map_err(|source| TlsError::Identity {
            path: self.certificate.clone(),
            source,
        })?;
        let ends_at = end_of(leaf).unwrap_or(i64::MAX);
        Ok(TlsMaterial {
            chain,
            key,
            roots,
            identity,
            ends_at,
        })
    }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })
}

/// At least one certificate.
fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(TlsError::Pem {
            path: path.to_owned(),
            expected: "certificate",
        }),
    }
}
