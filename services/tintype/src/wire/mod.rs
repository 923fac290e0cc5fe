//! Joins the ports with their adapters. Here: the embedded profile, everything in one process and one folder; `services`
//! joins those of a hosted install.
//!
//! No other module of this program names an adapter.

mod archives;
mod crash;
mod gateway;
mod offline;
mod services;
mod vault;

use std::{path::Path, sync::Arc};

use tintype_app::{App, Ports};
use tintype_events::{MemoryBell, MemoryEvents};
use tintype_google::{
    GoogleEndpoints, GoogleOAuth, GooglePhotosSources, GoogleSettings, ProxyOriginals,
    ProxySettings,
};
use tintype_model::{
    ErrorKind,
    plan::PlanOptions,
    storage::{StoragePolicy, StorageSettings},
};
use tintype_ports::{Clock, Entropy, Store, vault::BucketKeys};
use tintype_queue::MemoryQueue;
use tintype_quota::MemoryQuota;
use tintype_runtime::{CaCert, HttpError, HttpSettings, SystemClock, SystemEntropy, trace::Traces};
use tintype_store::SqliteStore;
use tintype_vault_core::{KeyRing, VaultCore};

use crate::{config::Profile, failure::Failure};

pub(crate) use gateway::{embedded_checks, embedded_gateway, new_token};
pub(crate) use offline::Reader;
pub(crate) use services::{Services, limits_of, migrate, services};
pub(crate) use tintype_blob::{RestoreOptions, RestoreReport, VerifyOptions, VerifyReport};
pub(crate) use vault::vault;

/// Messages that may wait in the queue; the scheduler keeps it far shallower.
const QUEUE_CAPACITY: usize = 1024;

/// The application with what must be closed behind it.
pub(crate) struct Embedded {
    app: App,
    store: SqliteStore,
    vault: VaultCore,
}

impl Embedded {
    /// The application.
    pub(crate) const fn app(&self) -> &App {
        &self.app
    }

    /// Folds the logs of both databases into their files and closes them.
    pub(crate) async fn close(self) {
        self.vault.close().await;
        self.store.close().await;
    }
}

/// Opens catalogue, vault and spool in the profile's folder, and makes what is missing.
pub(crate) async fn open(profile: &Profile) -> Result<Embedded, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let steps = crash::from_env()?;

    let mut http = HttpSettings::from_env()?;
    http.ca_certs
        .extend(profile.ca_cert.clone().map(CaCert::File));
    let client = http.unhurried().client()?;
    let google = GoogleSettings {
        endpoints: profile
            .google
            .as_ref()
            .map(GoogleEndpoints::at)
            .unwrap_or_default(),
        ..GoogleSettings::default()
    };
    let oauth = GoogleOAuth::new(client.clone(), google.clone(), Arc::clone(&entropy));

    let store = SqliteStore::open(&profile.data.join("catalogue.db"), Arc::clone(&clock)).await?;
    let vault_file = profile.data.join("vault.db");
    let ring = key_ring(&profile.data.join("vault.key"), &vault_file)?;
    let vault = VaultCore::open(
        &vault_file,
        ring,
        Arc::new(oauth),
        Arc::clone(&clock),
        Arc::clone(&entropy),
    )
    .await
    .map_err(|error| Failure::caused_by(ErrorKind::Conflict, &error))?;

    let catalogue: Arc<dyn Store> = Arc::new(store.clone());
    let (limits, projects) = (profile.limits, profile.projects.clone());
    let quota = MemoryQuota::new(
        Arc::new(store.clone()),
        Arc::new(move |project| projects.get(project).copied().unwrap_or(limits)),
        Arc::clone(&clock),
    );
    // Event ids go on growing from one process to the next, so that nobody takes an old one for a new one.
    let first_event = u64::try_from(clock.now().timestamp_micros()).unwrap_or(0);
    let ports = Ports {
        store: catalogue,
        queue: Arc::new(MemoryQueue::new(QUEUE_CAPACITY)),
        quota: Arc::new(quota),
        events: Arc::new(MemoryEvents::new(first_event)),
        bell: Arc::new(MemoryBell::new()),
        traces: Arc::new(Traces),
        vault: Arc::new(vault.clone()),
        sources: Arc::new(GooglePhotosSources::new(
            client,
            google,
            Arc::clone(&entropy),
        )),
        originals: Arc::new(originals(&http, profile.storages, &entropy)?),
        archives: Arc::new(archives::Destinations::new(
            &http,
            &profile.data.join("spool"),
            profile.storages,
        )?),
        clock,
        entropy,
        steps,
    };
    let app = App::new(ports, profile.settings.clone());
    Ok(Embedded { app, store, vault })
}

/// Full-resolution proxies, at addresses that the operator's policy allows.
fn originals(
    http: &HttpSettings,
    policy: StoragePolicy,
    entropy: &Arc<dyn Entropy>,
) -> Result<ProxyOriginals, HttpError> {
    let client = http.unhurried().guarded(policy.private_addresses)?;
    let settings = ProxySettings::default();
    Ok(ProxyOriginals::new(client, settings, Arc::clone(entropy)))
}

/// Reads where a destination or an archive lies.
pub(crate) fn locate(text: &str, keys: Option<BucketKeys>) -> Result<StorageSettings, Failure> {
    archives::locate(text, keys)
}

/// Checks how a plan is to write, before anything is stored.
pub(crate) fn check(options: &PlanOptions) -> Result<(), Failure> {
    archives::check(options)
}

/// The key file beside the vault. Only a vault that is new itself gets a new one: an old vault cannot be opened with it.
fn key_ring(file: &Path, vault: &Path) -> Result<KeyRing, Failure> {
    let ring = if file.exists() || vault.exists() {
        KeyRing::read_file(file)
    } else {
        KeyRing::create_file(file)
    };
    ring.map_err(|error| {
        Failure::caused_by(ErrorKind::Conflict, &error)
            .with_action("put the key file back from your copy; without it connect the account anew in another --data-dir")
    })
}

/// Makes an age key file, for its owner only, and returns the recipient that encrypts for it.
pub(crate) fn new_identity(file: &Path) -> Result<String, Failure> {
    offline::new_identity(file)
}
