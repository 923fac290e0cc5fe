//! What the vault's door is told.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use serde::Deserialize;
use tintype_proto::grant::Scope;
use tintype_runtime::mtls::{SpiffeId, TlsFiles};

/// The whole of it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The vault's certificate, and whom it believes.
    pub tls: TlsFiles,
    /// Who may sign grants.
    pub grant_keys: Vec<GrantKey>,
    /// How often the certificate files are looked at.
    pub reload_every: Duration,
    /// How often the vault looks whether it is sealed, for its health.
    pub health_every: Duration,
    /// Bounds.
    pub limits: Limits,
    /// How fast keys are rewrapped after a change of the key-encryption key.
    pub rewrap: RewrapPace,
}

impl Settings {
    /// The defaults.
    #[must_use]
    pub fn new(listen: SocketAddr, tls: TlsFiles, grant_keys: Vec<GrantKey>) -> Self {
        Self {
            listen,
            tls,
            grant_keys,
            reload_every: Duration::from_secs(10),
            health_every: Duration::from_secs(1),
            limits: Limits::default(),
            rewrap: RewrapPace::default(),
        }
    }
}

/// A key that signs grants, and what it may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantKey {
    /// `kid` of the grants it signs.
    pub id: String,
    /// The public half, PEM (SubjectPublicKeyInfo of an Ed25519 key).
    pub public_key: String,
    /// Whose key it is. A service may have several, so that they can be exchanged.
    pub identity: SpiffeId,
    /// What it may ask for.
    pub scopes: BTreeSet<Scope>,
}

/// Bounds of the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time; more wait in the system's queue.
    pub connections: usize,
    /// The longest a TLS handshake may take.
    pub handshake: Duration,
    /// Calls at a time of one connection that are worked at.
    pub calls_per_connection: usize,
    /// Calls at a time of one connection that may be begun.
    pub streams_per_connection: u32,
    /// The longest a call may take.
    pub call: Duration,
    /// Bytes of one message from a caller.
    pub message_bytes: usize,
    /// A connection is asked for a sign of life after so much silence …
    pub keep_alive: Duration,
    /// … and given up when none comes for so long.
    pub keep_alive_timeout: Duration,
    /// A connection is ended after so long, so that certificates that ended or were exchanged do not live on in it.
    pub connection_age: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            handshake: Duration::from_secs(5),
            calls_per_connection: 256,
            streams_per_connection: 512,
            call: Duration::from_secs(20),
            message_bytes: 128 * 1024,
            keep_alive: Duration::from_secs(20),
            keep_alive_timeout: Duration::from_secs(10),
            connection_age: Duration::from_secs(30 * 60),
        }
    }
}

/// How fast keys are rewrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewrapPace {
    /// How often the vault looks whether there is something to rewrap.
    pub look_every: Duration,
    /// Tenants at a time.
    pub batch: u32,
    /// The pause between two batches.
    pub pause: Duration,
}

impl Default for RewrapPace {
    fn default() -> Self {
        Self {
            look_every: Duration::from_secs(60),
            batch: 50,
            pause: Duration::from_millis(250),
        }
    }
}
