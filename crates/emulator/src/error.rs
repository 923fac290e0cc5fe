//! What can go wrong outside the emulated protocol: starting up, and asking the handle for what is not there.

use std::path::PathBuf;

/// A failure to start the emulator, or a control request that names something unknown.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// A listener could not be opened.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The throw-away certificate authority could not be made or used.
    #[error("cannot make certificates")]
    Certificate(#[from] rcgen::Error),
    /// TLS could not be configured.
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
    /// A folder library could not be read, or the CA file not written.
    #[error("cannot use {path}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The control request names an account, client, item or album that does not exist.
    #[error("there is no {what} {name:?}")]
    Unknown {
        /// `account`, `client`, `item`, `album`, `sample` or `switch`.
        what: &'static str,
        /// What was asked for.
        name: String,
    },
    /// The control request is malformed.
    #[error("invalid control request: {0}")]
    Invalid(String),
}

impl EmulatorError {
    pub(crate) fn unknown(what: &'static str, name: impl Into<String>) -> Self {
        Self::Unknown {
            what,
            name: name.into(),
        }
    }
}
