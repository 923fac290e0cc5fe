//! The gateway, in both profiles.

use std::{net::SocketAddr, sync::Arc};

use secrecy::SecretString;
use tintype_app::{App, runs::describe};
use tintype_gateway::{Gateway, Limits, SignInSettings};
use tintype_model::storage::StoragePolicy;
use tintype_ports::Entropy as _;
use tintype_quota::MemoryRateLimiter;
use tintype_runtime::{Lifecycle, SystemEntropy};
use url::Url;

use super::Services;
use crate::{
    failure::Failure,
    serve::{config::Config, ops::Check},
};

impl Services {
    /// A gateway of a hosted install, whose tenants are strangers.
    pub(crate) fn gateway(
        &self,
        config: &Config,
        operator_token: SecretString,
        life: &Lifecycle,
    ) -> Result<Gateway, Failure> {
        let public_url = config.gateway.as_ref().map(|it| it.public_url());
        Ok(Gateway {
            app: self.app().clone(),
            limiter: Arc::clone(&self.limiter),
            own_limiter: Arc::new(MemoryRateLimiter::default()),
            operator_token,
            policy: config.policy.over(StoragePolicy::STRANGERS),
            sign_in: SignInSettings {
                public_url: public_url.transpose()?.flatten(),
                client: config.google.client()?,
            },
            limits: Limits::default(),
            draining: life.draining(),
        })
    }
}

/// The gateway of a person's own machine, which listens at `address`: a browser there reaches it, and Google lets desktop
/// clients send people back to their own machine.
pub(crate) fn embedded_gateway(
    config: &Config,
    app: &App,
    operator_token: SecretString,
    address: SocketAddr,
    life: &Lifecycle,
) -> Result<Gateway, Failure> {
    let told = config.gateway.as_ref().map(|it| it.public_url());
    let public_url = match told.transpose()?.flatten() {
        Some(url) => Some(url),
        None => Url::parse(&format!("http://127.0.0.1:{}/", address.port())).ok(),
    };
    let limiter = Arc::new(MemoryRateLimiter::default());
    Ok(Gateway {
        app: app.clone(),
        limiter: Arc::clone(&limiter) as _,
        own_limiter: limiter,
        operator_token,
        policy: config.policy.over(StoragePolicy::OWN_MACHINE),
        sign_in: SignInSettings {
            public_url,
            client: config.google.client()?,
        },
        limits: Limits::default(),
        draining: life.draining(),
    })
}

/// The parts of the embedded profile that can fail by themselves.
pub(crate) fn embedded_checks(app: &App) -> Vec<Check> {
    vec![catalogue(app)]
}

/// Without the catalogue nothing goes on.
pub(super) fn catalogue(app: &App) -> Check {
    let app = app.clone();
    Check::needed("catalogue", move || {
        let app = app.clone();
        async move {
            let time = app.ports().store.time().await;
            time.map(drop).map_err(|error| describe(&error))
        }
    })
}

/// A token that nobody guesses: 320 bits.
pub(crate) fn new_token() -> SecretString {
    let bits: Vec<[u8; 10]> = (0..4).map(|_| SystemEntropy.id_bytes()).collect();
    let digits: String = bits
        .iter()
        .flatten()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    SecretString::from(format!("tt_op_{digits}"))
}
