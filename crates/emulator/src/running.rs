//! Starting and stopping.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{
    EmulatorConfig, InterceptConfig, SCOPE_APPEND, SCOPE_EDIT, SCOPE_READ, TlsConfig,
};
use crate::control::Control;
use crate::error::EmulatorError;
use crate::ledger::Ledger;
use crate::library;
use crate::net::call::Link;
use crate::net::connection::{Shared, accept, plain, secure};
use crate::net::proxy::tunnel;
use crate::net::tls::Authority;
use crate::oauth;
use crate::state::World;
use crate::state::people::Grant;
use crate::state::shelf::Owner;
use crate::sync::write;

/// A fake of Google Photos; see [`Emulator::start`].
#[derive(Debug)]
pub struct Emulator;

impl Emulator {
    /// Starts listening. The first account has granted the first client all Library scopes.
    ///
    /// # Errors
    /// When a port cannot be bound, a folder library not read, or the CA file not written.
    pub async fn start(config: EmulatorConfig) -> Result<RunningEmulator, EmulatorError> {
        let world = Arc::new(World::new(
            config.seed,
            config.switches,
            Ledger::new(!config.fast, config.ledger_capacity),
        ));
        {
            let mut people = write(&world.people);
            people.accounts = config.accounts;
            people.clients = config.clients;
            if people.accounts.is_empty() || people.clients.is_empty() {
                let what = "the configuration needs an account and a client".to_owned();
                return Err(EmulatorError::Invalid(what));
            }
        }
        library::place(
            &world,
            Owner {
                account: 0,
                client: 0,
            },
            config.library,
        )?;
        let scopes = format!("{SCOPE_APPEND} {SCOPE_READ} {SCOPE_EDIT}");
        let grant = oauth::grant(&world, 0, 0, &scopes);

        let shared = Shared {
            world,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        let authority = Arc::new(Authority::new()?);
        let mut running = RunningEmulator {
            http: open_http(&shared, config.bind).await?,
            https: None,
            proxy: None,
            ca_pem: authority.pem().to_owned(),
            grant,
            shared,
        };
        if let Some(tls) = config.tls {
            running.https = Some(open_https(&running.shared, &authority, &tls).await?);
        }
        if let Some(intercept) = config.intercept {
            running.proxy = Some(open_proxy(&running.shared, &authority, &intercept).await?);
        }
        Ok(running)
    }
}

/// A started emulator. Dropping it stops it without waiting; [`RunningEmulator::shutdown`] waits.
#[derive(Debug)]
pub struct RunningEmulator {
    http: SocketAddr,
    https: Option<SocketAddr>,
    proxy: Option<SocketAddr>,
    ca_pem: String,
    grant: Grant,
    shared: Shared,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl RunningEmulator {
    /// `http://127.0.0.1:PORT`, without a slash at the end. The Library API is at `/v1`, OAuth at `/token`,
    /// `/o/oauth2/v2/auth` and `/revoke`, the control API at `/__emulator`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// The same over TLS, if it was asked for; clients need to trust [`RunningEmulator::ca_pem`].
    #[must_use]
    pub fn https_url(&self) -> Option<String> {
        self.https
            .map(|address| format!("https://localhost:{}", address.port()))
    }

    /// The intercepting proxy, for `HTTPS_PROXY`, if it was asked for.
    #[must_use]
    pub fn proxy_url(&self) -> Option<String> {
        self.proxy.map(|address| format!("http://{address}"))
    }

    /// The full-resolution proxy for originals of all accounts, as a storage's `proxy` names it.
    #[must_use]
    pub fn download_proxy_url(&self) -> String {
        format!("{}/gphotosdl", self.base_url())
    }

    /// The certificate of the throw-away CA, as PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The tokens of the first account for the first client.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// The first account's token blob for the first client, exactly as `rclone authorize` prints it.
    #[must_use]
    pub fn token_blob(&self) -> String {
        self.control().blob_of(&self.grant)
    }

    /// The powers of the control API, in process.
    #[must_use]
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.shared.world))
    }

    /// Stops listening, lets calls under way finish for up to a second, and ends.
    pub async fn shutdown(self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

impl Drop for RunningEmulator {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), EmulatorError> {
    let failed = |source| EmulatorError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

async fn open_http(shared: &Shared, address: SocketAddr) -> Result<SocketAddr, EmulatorError> {
    let (listener, bound) = bind(address).await?;
    let link = Link {
        scheme: "http",
        google_host: None,
        authority: bound.to_string(),
    };
    let handle = move |stream, shared| plain(stream, shared, link.clone());
    shared.tasks.spawn(accept(listener, shared.clone(), handle));
    Ok(bound)
}

async fn open_https(
    shared: &Shared,
    authority: &Authority,
    config: &TlsConfig,
) -> Result<SocketAddr, EmulatorError> {
    let (listener, bound) = bind(config.bind).await?;
    let tls = authority.config(&["localhost", "127.0.0.1"], config.http2)?;
    let link = Link {
        scheme: "https",
        google_host: None,
        authority: format!("localhost:{}", bound.port()),
    };
    let handle = move |stream, shared| secure(stream, Arc::clone(&tls), shared, link.clone());
    shared.tasks.spawn(accept(listener, shared.clone(), handle));
    Ok(bound)
}

async fn open_proxy(
    shared: &Shared,
    authority: &Arc<Authority>,
    config: &InterceptConfig,
) -> Result<SocketAddr, EmulatorError> {
    if let Some(path) = &config.ca_file {
        let failed = |source| EmulatorError::File {
            path: path.clone(),
            source,
        };
        tokio::fs::write(path, authority.pem())
            .await
            .map_err(failed)?;
    }
    let (listener, bound) = bind(config.bind).await?;
    let (authority, http2) = (Arc::clone(authority), config.http2);
    let handle = move |stream, shared| tunnel(stream, shared, Arc::clone(&authority), http2);
    shared.tasks.spawn(accept(listener, shared.clone(), handle));
    Ok(bound)
}
