//! The vault's health: it serves while it can open what it keeps, and until it is asked to stop.

use std::{sync::Arc, time::Duration};

use tintype_ports::VaultKeeper;
use tintype_proto::vault::v1::{keeper_server, vault_server};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic_health::{ServingStatus, server::HealthReporter};

/// A keeper that does not say in this time whether it can work, cannot.
const PATIENCE: Duration = Duration::from_secs(5);
/// The vault as a whole, in the health protocol's words.
const WHOLE: &str = "";

const ALL: [&str; 3] = [
    WHOLE,
    vault_server::SERVICE_NAME,
    keeper_server::SERVICE_NAME,
];
/// How long those who watch have to hear that the vault stops, before their streams end: open streams hold up draining.
const FAREWELL: Duration = Duration::from_millis(500);

/// Nothing serves yet, but everything is known: whoever asks early is not told that there is no such service.
pub(crate) async fn begin(reporter: &HealthReporter) {
    set(reporter, &ALL, false).await;
}

/// Follows [`VaultKeeper::sealed`] until draining begins. The keeper's own service stays up while the vault is sealed:
/// it is the one that says why.
pub(crate) async fn follow(
    mut reporter: HealthReporter,
    keeper: Arc<dyn VaultKeeper>,
    every: Duration,
    draining: CancellationToken,
) {
    set(&reporter, &[keeper_server::SERVICE_NAME], true).await;
    let watching = async {
        let mut known = None;
        loop {
            let sealed = timeout(PATIENCE, keeper.sealed()).await;
            let sealed = sealed.unwrap_or_else(|_| Some("the keeper does not answer".to_owned()));
            metrics::gauge!("tintype_vault_sealed").set(f64::from(u8::from(sealed.is_some())));
            if known.as_ref() != Some(&sealed) {
                match &sealed {
                    None => tracing::info!("the vault is open"),
                    Some(reason) => tracing::warn!(reason, "the vault is sealed"),
                }
                set(
                    &reporter,
                    &[WHOLE, vault_server::SERVICE_NAME],
                    sealed.is_none(),
                )
                .await;
                known = Some(sealed);
            }
            sleep(every).await;
        }
    };
    tokio::select! {
        () = watching => {}
        () = draining.cancelled() => {}
    }
    set(&reporter, &ALL, false).await;
    sleep(FAREWELL).await;
    for service in ALL {
        reporter.clear_service_status(service).await;
    }
}

async fn set(reporter: &HealthReporter, services: &[&str], serves: bool) {
    let status = if serves {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    };
    for service in services {
        reporter.set_service_status(*service, status).await;
    }
}
