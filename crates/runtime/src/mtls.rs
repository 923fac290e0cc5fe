//! Mutual TLS between our services: who calls is the SPIFFE identity of its certificate, and files are read again
//! when they change.

mod client;
mod files;
mod identity;
mod reload;
mod server;

use std::{io, path::PathBuf, sync::Arc};

pub use client::client_config;
pub use files::{TlsFiles, TlsMaterial};
pub use identity::{IdentityError, SpiffeId, identity_of};
pub use reload::Reloading;
pub use server::server_config;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("the file {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{} holds no {expected} in PEM form", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What belongs there.
        expected: &'static str,
    },
    /// The certificate names nobody, or more than one.
    #[error("the certificate {} cannot be used", path.display())]
    Identity {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: IdentityError,
    },
    /// The authorities cannot be used to check a peer.
    #[error("the authorities cannot be used")]
    Authorities(#[source] rustls::server::VerifierBuilderError),
    /// Certificate and key do not fit together, or the library refuses them.
    #[error("the certificate and its key cannot be used")]
    Unusable(#[source] rustls::Error),
}

/// The one provider of cryptography.
fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// What both sides speak: HTTP/2 for gRPC.
const PROTOCOL: &[u8] = b"h2";
