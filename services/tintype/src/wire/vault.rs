//! The vault of a hosted install.

use std::sync::Arc;

use secrecy::ExposeSecret as _;
use tintype_google::GoogleOAuth;
use tintype_model::ErrorKind;
use tintype_ports::{Clock, Entropy, VaultKeeper};
use tintype_runtime::{Lifecycle, SystemClock, SystemEntropy, trace::Traces};
use tintype_vault::VaultServer;
use tintype_vault_core::{KeySource, TransitSettings, VaultCore, VaultPostgresSettings};

use super::services::{google, unusable};
use crate::{
    failure::Failure,
    serve::{
        config::{Config, Keys, needed},
        ops::Check,
    },
};

/// The vault's door.
pub(crate) struct VaultDoor {
    server: VaultServer,
    core: VaultCore,
}

impl VaultDoor {
    /// Whether it can answer: a sealed vault cannot.
    pub(crate) fn check(&self) -> Check {
        let core = self.core.clone();
        Check::needed("vault", move || {
            let core = core.clone();
            async move { core.sealed().await.map_or(Ok(()), Err) }
        })
    }

    /// Answers until it is asked to stop.
    pub(crate) async fn run(self, life: &Lifecycle) -> Result<(), Failure> {
        let ended = self.server.run(life).await;
        self.core.close().await;
        ended.map_err(|error| Failure::caused_by(ErrorKind::Unavailable, &error))
    }
}

/// Opens the vault; without its key-encryption key it is open but sealed, and says so.
pub(crate) async fn vault(config: &Config) -> Result<VaultDoor, Failure> {
    let told = needed(config.vault_server.as_ref(), "vault_server")?;
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (http, google) = google(config)?;
    let keys = match &told.keys {
        Keys::File(path) => KeySource::File(path.clone()),
        Keys::Variable(name) => KeySource::Variable(name.clone()),
        Keys::Transit {
            address,
            key,
            token_file,
        } => TransitSettings::new(address.clone(), key.clone(), token_file.clone()).into(),
    };
    let pool = VaultPostgresSettings {
        connections: told.database.connections,
        ..VaultPostgresSettings::default()
    };
    let url = told.database.url("vault_server.database")?;
    let oauth = GoogleOAuth::new(http.client()?, google, Arc::clone(&entropy));
    let core = VaultCore::connect(
        url.expose_secret(),
        pool,
        keys,
        Arc::new(oauth),
        Arc::clone(&clock),
        entropy,
    )
    .await
    .map_err(|error| unusable("vault_server.database.url")(&error))?;
    if let Some(why) = core.sealed().await {
        tracing::warn!(vault.sealed = %why, "the vault is sealed; it opens by itself when its key is there");
    }
    let settings = tintype_vault::Settings::new(told.listen, told.tls.clone(), told.grant_keys()?);
    let around = tintype_vault::Surroundings {
        clock,
        traces: Arc::new(Traces),
    };
    let keeper: Arc<dyn VaultKeeper> = Arc::new(core.clone());
    let server = VaultServer::bind(settings, keeper, around)
        .await
        .map_err(|error| unusable("vault_server")(&error))?;
    tracing::info!(vault.address = %server.address(), "the vault listens");
    Ok(VaultDoor { server, core })
}
