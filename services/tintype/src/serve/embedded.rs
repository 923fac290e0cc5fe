//! The embedded profile: gateway, scheduler, worker and vault in one process and one folder.

use std::{
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};
use tintype_model::{ErrorKind, storage::StoragePolicy};
use tintype_runtime::{Lifecycle, metrics::Metrics};
use tokio::net::TcpListener;

use super::{
    GRACE,
    config::{Config, wrong},
    ops,
};
use crate::{
    config::{Profile, TOKEN_FILE, default_data_dir},
    engine::Engine,
    failure::Failure,
    wire,
};

/// Where the API is, unless the settings say otherwise: for this machine alone.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8460);

fn profile(config: &Config, data: PathBuf) -> Result<Profile, Failure> {
    let (limits, projects) = wire::limits_of(config)?;
    let usual = Profile::in_folder(data);
    Ok(Profile {
        google: config.google.url.clone(),
        ca_cert: config.google.ca_cert.clone(),
        limits,
        projects,
        storages: config.policy.over(StoragePolicy::OWN_MACHINE),
        settings: tintype_app::Settings {
            slots: config.worker.slots.max(1),
            max_downloads: config.worker.max_downloads.max(1),
            accounts_every: Duration::from_secs(config.scheduler.accounts_seconds.max(1)),
            fair_burst: config.fairness.burst,
            ..usual.settings.clone()
        },
        ..usual
    })
}

/// The token that the settings name, or else the one in the data folder, which is made when it is missing.
fn token(config: &Config, data: &Path) -> Result<SecretString, Failure> {
    let told = config.gateway.as_ref().map(|it| it.operator_token());
    if let Some(token) = told.transpose()?.flatten() {
        return Ok(token);
    }
    let file = data.join(TOKEN_FILE);
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok(SecretString::from(text.trim())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let token = wire::new_token();
            write_private(&file, token.expose_secret())
                .map_err(|error| Failure::file("writing", &file, &error))?;
            Ok(token)
        }
        Err(error) => Err(Failure::file("reading", &file, &error)),
    }
}

#[cfg(unix)]
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

#[cfg(not(unix))]
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::File::create_new(file)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

/// Serves until it is asked to stop.
pub(super) async fn run(
    config: &Config,
    data_dir: Option<PathBuf>,
    metrics: Metrics,
    life: &Lifecycle,
) -> Result<(), Failure> {
    let data = match data_dir.or_else(|| config.embedded.data_dir.clone()) {
        Some(folder) => folder,
        None => default_data_dir()?,
    };
    let listen = config.gateway.as_ref().map_or(LISTEN, |it| it.listen);
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| wrong("gateway.listen", error))?;
    let mut engine = Engine::start(&profile(config, data.clone())?).await?;
    let served = serve(config, &data, listener, metrics, &mut engine, life).await;
    life.drain();
    let drained = engine.drain().await;
    served.and(drained)
}

async fn serve(
    config: &Config,
    data: &Path,
    listener: TcpListener,
    metrics: Metrics,
    engine: &mut Engine,
    life: &Lifecycle,
) -> Result<(), Failure> {
    let address = listener.local_addr()?;
    let token = token(config, data)?;
    let gateway = wire::embedded_gateway(config, engine.app(), token, address, life)?;
    if let Some(settings) = &config.ops {
        ops::listen(settings, wire::embedded_checks(engine.app()), metrics, life).await?;
    }
    tracing::info!(
        gateway.address = %address,
        gateway.token_file = %data.join(TOKEN_FILE).display(),
        data.folder = %data.display(),
        "serving; the embedded profile has everything in this process"
    );
    let router = tintype_gateway::router(gateway);
    let serving = tintype_gateway::serve(listener, router, life.draining(), GRACE);
    tokio::select! {
        served = serving => served.map_err(Failure::from),
        why = engine.ended_early() => Err(Failure::new(
            ErrorKind::Internal,
            format!("a background task ended: {why}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config::read(None).unwrap()
    }

    #[test]
    fn a_token_is_made_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let first = token(&config(), folder.path()).unwrap();
        let second = token(&config(), folder.path()).unwrap();
        assert_eq!(first.expose_secret(), second.expose_secret());
        assert!(first.expose_secret().len() >= 32);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let file = folder.path().join(TOKEN_FILE);
            let mode = file.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
