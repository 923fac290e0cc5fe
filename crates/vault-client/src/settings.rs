//! Where the vault is and how patiently it is asked.

use std::time::Duration;

use tintype_runtime::mtls::TlsFiles;

/// How the vault is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultClientSettings {
    /// `host:port`, several with commas between them. A name with several addresses stands for as many replicas.
    pub endpoints: String,
    /// Our certificate, and whom we believe.
    pub tls: TlsFiles,
    /// The longest a call may take, repetitions included.
    pub deadline: Duration,
    /// The longest it may take to make a connection, TLS included.
    pub connect_timeout: Duration,
    /// How often a call is tried in all, where trying again is harmless.
    pub attempts: u32,
    /// The pause before the first repetition, which doubles each time and is varied by half.
    pub first_pause: Duration,
    /// A connection is asked for a sign of life after so much silence …
    pub keep_alive: Duration,
    /// … and given up when none comes for so long.
    pub keep_alive_timeout: Duration,
    /// How long the addresses of a name are believed.
    pub resolve_every: Duration,
    /// How often the certificate files are looked at.
    pub reload_every: Duration,
}

impl VaultClientSettings {
    /// The defaults, for a vault at `endpoints`.
    #[must_use]
    pub fn new(endpoints: impl Into<String>, tls: TlsFiles) -> Self {
        Self {
            endpoints: endpoints.into(),
            tls,
            deadline: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(3),
            attempts: 5,
            first_pause: Duration::from_millis(50),
            keep_alive: Duration::from_secs(15),
            keep_alive_timeout: Duration::from_secs(5),
            resolve_every: Duration::from_secs(30),
            reload_every: Duration::from_secs(10),
        }
    }
}
