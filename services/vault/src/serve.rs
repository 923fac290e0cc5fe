//! Puts the door together, and opens and closes it.

use std::{io, net::SocketAddr, sync::Arc};

use rustls::ServerConfig;
use tintype_ports::{Clock, VaultKeeper, trace::TraceLink};
use tintype_proto::{
    FILE_DESCRIPTOR_SET,
    vault::v1::{keeper_server::KeeperServer, vault_server::VaultServer as Rpc},
};
use tintype_runtime::{
    Lifecycle,
    mtls::{Reloading, TlsError, server_config},
};
use tokio::net::TcpListener;
use tonic::transport::Server;

use crate::{
    api::Api, door::Door, grants::GrantCheck, health, listener::Listener, rewrap,
    settings::Settings,
};

/// Why the vault's door does not open, or closed.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened at.
    #[error("the vault cannot listen at {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The certificates cannot be used.
    #[error("the vault's certificates cannot be used")]
    Tls(#[from] TlsError),
    /// A grant key of the configuration is none.
    #[error("the public key of grant key {0:?} is no Ed25519 key in PEM form")]
    GrantKey(String),
    /// Two grant keys of the configuration have the same id.
    #[error("there are two grant keys with the id {0:?}")]
    GrantKeyTwice(String),
    /// What describes the contract cannot be read.
    #[error("the contract cannot be described")]
    Reflection(#[source] tonic_reflection::server::Error),
    /// The transport failed.
    #[error("the vault's transport failed")]
    Transport(#[source] tonic::transport::Error),
}

/// What the door takes from its surroundings.
#[derive(Clone)]
pub struct Surroundings {
    /// Says whether it is a grant's time.
    pub clock: Arc<dyn Clock>,
    /// Joins calls to the traces of their callers.
    pub traces: Arc<dyn TraceLink>,
}

/// The door, listening but not answering yet.
pub struct VaultServer {
    settings: Settings,
    socket: TcpListener,
    address: SocketAddr,
    certificates: Arc<Reloading<ServerConfig>>,
    grants: Arc<GrantCheck>,
    keeper: Arc<dyn VaultKeeper>,
    around: Surroundings,
}

/// Binds and runs: see [`VaultServer`].
///
/// # Errors
/// When the settings cannot be used, the address cannot be listened at, or the transport fails.
pub async fn serve(
    settings: Settings,
    keeper: Arc<dyn VaultKeeper>,
    around: Surroundings,
    life: &Lifecycle,
) -> Result<(), ServeError> {
    let server = VaultServer::bind(settings, keeper, around).await?;
    server.run(life).await
}

impl VaultServer {
    /// Reads certificates and keys, and takes the address.
    ///
    /// # Errors
    /// When the settings cannot be used or the address cannot be listened at.
    pub async fn bind(
        settings: Settings,
        keeper: Arc<dyn VaultKeeper>,
        around: Surroundings,
    ) -> Result<Self, ServeError> {
        let certificates = Arc::new(Reloading::new(settings.tls.clone(), server_config)?);
        let grants = GrantCheck::new(&settings.grant_keys, Arc::clone(&around.clock))?;
        let failed = |source| ServeError::Listen {
            address: settings.listen,
            source,
        };
        let socket = TcpListener::bind(settings.listen).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self {
            socket,
            address,
            certificates,
            grants: Arc::new(grants),
            keeper,
            around,
            settings,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificates, to have them read again at once.
    #[must_use]
    pub fn certificates(&self) -> Arc<Reloading<ServerConfig>> {
        Arc::clone(&self.certificates)
    }

    /// Answers until draining is over: then no connection is left. The second stage of stopping cuts those that are.
    ///
    /// # Errors
    /// When the transport fails.
    pub async fn run(self, life: &Lifecycle) -> Result<(), ServeError> {
        let limits = self.settings.limits.clone();
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()
            .map_err(ServeError::Reflection)?;
        let (reporter, health) = tonic_health::server::health_reporter();
        health::begin(&reporter).await;
        let health_follows = health::follow(
            reporter,
            Arc::clone(&self.keeper),
            self.settings.health_every,
            life.draining(),
        );
        let rewrap_follows = rewrap::follow(Arc::clone(&self.keeper), self.settings.rewrap.clone());
        let certificates = Arc::clone(&self.certificates);
        let tell_end = || tell_end_of(certificates.ends_at());
        tell_end();
        let certificates_follow = certificates.follow(self.settings.reload_every, tell_end);
        let connections = Listener {
            socket: self.socket,
            certificates: self.certificates,
            limits: limits.clone(),
            draining: life.draining(),
            stopping: life.stopping(),
        }
        .connections();
        let api = Api::new(self.keeper, self.grants);
        let door = Door {
            traces: self.around.traces,
        };
        let serving = Server::builder()
            .concurrency_limit_per_connection(limits.calls_per_connection)
            .max_concurrent_streams(limits.streams_per_connection)
            .timeout(limits.call)
            .http2_keepalive_interval(Some(limits.keep_alive))
            .http2_keepalive_timeout(Some(limits.keep_alive_timeout))
            .max_connection_age(limits.connection_age)
            .layer(door)
            .add_service(Rpc::new(api.clone()).max_decoding_message_size(limits.message_bytes))
            .add_service(KeeperServer::new(api).max_decoding_message_size(limits.message_bytes))
            .add_service(health)
            .add_service(reflection)
            .serve_with_incoming_shutdown(connections, life.draining().cancelled_owned());
        tracing::info!(address = %self.address, "the vault listens");
        let beside = async {
            tokio::join!(health_follows, rewrap_follows, certificates_follow);
        };
        tokio::select! {
            served = serving => served.map_err(ServeError::Transport),
            // Ends never.
            () = beside => Ok(()),
        }
    }
}

/// For an alert before the certificate ends.
#[expect(
    clippy::cast_precision_loss,
    reason = "seconds since 1970 are exact in a double for millions of years"
)]
fn tell_end_of(seconds: i64) {
    metrics::gauge!("tintype_vault_certificate_ends_at_seconds").set(seconds as f64);
}
