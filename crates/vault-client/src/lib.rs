//! The vault port over gRPC: mutual TLS, signed grants, several replicas.

mod call;
mod connect;
mod convert;
mod errors;
mod keeper;
mod replicas;
mod settings;
mod signer;
mod vault;

use std::{fmt, sync::Arc};

use rustls::ClientConfig;
use tintype_ports::{Clock, Entropy, VaultError, trace::TraceLink, vault::Grant};
use tintype_runtime::mtls::{Reloading, client_config};
use tokio_util::task::AbortOnDropHandle;

pub use errors::ClientError;
pub use settings::VaultClientSettings;
pub use signer::GrantSigner;

use call::Caller;
use replicas::Replicas;

/// What the client takes from its surroundings.
#[derive(Clone)]
pub struct Surroundings {
    /// Says when grants are made.
    pub clock: Arc<dyn Clock>,
    /// For ids of grants and jitter.
    pub entropy: Arc<dyn Entropy>,
    /// Says which trace a call belongs to.
    pub traces: Arc<dyn TraceLink>,
}

/// The vault, somewhere else. Clones share connections.
#[derive(Clone)]
pub struct VaultClient {
    inner: Arc<Inner>,
}

struct Inner {
    caller: Caller,
    certificates: Arc<Reloading<ClientConfig>>,
    replicas: Arc<Replicas>,
    signer: Option<GrantSigner>,
    around: Surroundings,
    /// Looks after the certificates for as long as the client lives.
    _follow: AbortOnDropHandle<()>,
}

impl VaultClient {
    /// A client that connects when it is first needed, so that a service starts while the vault is down. Without a
    /// `signer` every call that uses a secret is refused. To be called inside a Tokio runtime.
    ///
    /// # Errors
    /// When an endpoint or a file of the settings is wrong.
    pub fn new(
        settings: &VaultClientSettings,
        signer: Option<GrantSigner>,
        around: Surroundings,
    ) -> Result<Self, ClientError> {
        let certificates = Reloading::new(settings.tls.clone(), |material| {
            client_config(material, "vault")
        })?;
        let certificates = Arc::new(certificates);
        let replicas = Arc::new(Replicas::new(settings, Arc::clone(&certificates))?);
        let follow = {
            let (certificates, replicas) = (Arc::clone(&certificates), Arc::clone(&replicas));
            let every = settings.reload_every;
            tokio::spawn(async move { certificates.follow(every, || replicas.renew()).await })
        };
        let caller = Caller::new(settings, Arc::clone(&replicas), &around);
        let inner = Inner {
            caller,
            certificates,
            replicas,
            signer,
            around,
            _follow: AbortOnDropHandle::new(follow),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Reads the certificates again now. True when they changed; the next call then connects with the new ones.
    ///
    /// # Errors
    /// When they cannot be used; then the old ones stay in use.
    pub fn reload(&self) -> Result<bool, ClientError> {
        let changed = self.inner.certificates.reload()?;
        if changed {
            self.inner.replicas.renew();
        }
        Ok(changed)
    }

    /// The grant as it travels.
    fn signed(&self, grant: &Grant) -> Result<String, VaultError> {
        let signer = self.inner.signer.as_ref().ok_or_else(|| {
            VaultError::Denied("this service has no key to sign grants with".to_owned())
        })?;
        let issuer = self.inner.certificates.identity();
        let around = &self.inner.around;
        signer.sign(
            grant,
            &issuer,
            around.clock.now(),
            around.entropy.id_bytes(),
        )
    }
}

impl fmt::Debug for VaultClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultClient")
            .field("identity", &self.inner.certificates.identity())
            .field("signer", &self.inner.signer)
            .finish_non_exhaustive()
    }
}
