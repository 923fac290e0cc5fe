//! The gateway's part, which the benchmark plays itself: use cases on the catalogue of the install.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use secrecy::SecretString;
use tintype_app::{App, NoSteps, Ports, Settings};
use tintype_blob::{ArchiveSettings, Root, Spool, open_archive, open_files};
use tintype_events::{MemoryEvents, RedisBell, RedisSettings};
use tintype_google::{GooglePhotosSources, GoogleSettings, ProxyOriginals, ProxySettings};
use tintype_model::{StorageId, TenantId, quota::QuotaLimits, storage::StorageSettings};
use tintype_ports::{
    Archive, ArchiveError, Clock, Entropy, Files, VaultError,
    archive::{ArchiveSpec, Archives},
    trace::NoTraces,
    vault::BucketKeys,
};
use tintype_queue::MemoryQueue;
use tintype_quota::MemoryQuota;
use tintype_runtime::{HttpSettings, SystemClock, SystemEntropy};
use tintype_store::{PostgresSettings, PostgresStore};
use tintype_vault_client::{GrantSigner, Surroundings, VaultClient, VaultClientSettings};
use tokio::time::{Instant, sleep};

use crate::{
    Failure,
    install::{Servers, grant_key_of, tls_of, vault_place},
};

const SERVICE: &str = "gateway";
/// Services start within seconds.
const READY_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Use cases, and the folder of the install.
pub(crate) struct Gateway {
    pub(crate) app: App,
    pub(crate) folder: PathBuf,
}

/// Opens folders, as the operator of this install allows.
struct Folders(PathBuf);

#[async_trait]
impl Archives for Folders {
    async fn open(&self, spec: ArchiveSpec) -> Result<Arc<dyn Archive>, ArchiveError> {
        let StorageSettings::LocalFolder { path } = spec.place else {
            return Err(ArchiveError::Settings("only folders here".into()));
        };
        open_archive(ArchiveSettings {
            root: Root::LocalFolder { path },
            archive: spec.archive,
            layout: spec.options.layout,
            recipients: spec.options.recipients,
            signing_key: spec.signing_key,
            local_folders: true,
            spool: Spool {
                folder: self.0.clone(),
                bytes: 1 << 30,
            },
            identity: None,
        })
    }

    async fn files(
        &self,
        place: StorageSettings,
        _keys: Option<BucketKeys>,
    ) -> Result<Arc<dyn Files>, ArchiveError> {
        let StorageSettings::LocalFolder { path } = place else {
            return Err(ArchiveError::Settings("only folders here".into()));
        };
        open_files(Root::LocalFolder { path }, true)
    }
}

impl Gateway {
    /// Connects to what the install shares. Google is where `HTTPS_PROXY` and `SSL_CERT_FILE` say.
    pub(crate) async fn open(folder: &Path, servers: &Servers) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let store = PostgresStore::connect(&servers.postgres, PostgresSettings::default()).await?;
        let bell = RedisSettings::at(SecretString::from(servers.redis.as_str()));
        let sources = GooglePhotosSources::new(
            HttpSettings::from_env()?.client()?,
            GoogleSettings::default(),
            Arc::clone(&entropy),
        );
        let ports = Ports {
            quota: Arc::new(MemoryQuota::new(
                Arc::new(store.clone()),
                Arc::new(|_| QuotaLimits::default()),
                Arc::clone(&clock),
            )),
            store: Arc::new(store),
            // Workers and schedulers have the real ones; whoever starts a run needs neither.
            queue: Arc::new(MemoryQueue::new(8)),
            events: Arc::new(MemoryEvents::new(0)),
            bell: Arc::new(RedisBell::new(&bell, Arc::clone(&entropy))?),
            traces: Arc::new(NoTraces),
            vault: Arc::new(vault(folder, &clock, &entropy)?),
            sources: Arc::new(sources),
            originals: Arc::new(ProxyOriginals::new(
                HttpSettings::from_env()?.unhurried().guarded(false)?,
                ProxySettings::default(),
                Arc::clone(&entropy),
            )),
            archives: Arc::new(Folders(folder.join("gateway-spool"))),
            clock,
            entropy,
            steps: Arc::new(NoSteps),
        };
        Ok(Self {
            app: App::new(ports, Settings::default()),
            folder: folder.to_path_buf(),
        })
    }

    /// Waits until the vault answers and `workers` have signed on.
    pub(crate) async fn ready(&self, workers: u64) -> Result<(), Failure> {
        let (ports, began) = (self.app.ports(), Instant::now());
        let (tenant, storage) = (self.new_tenant(), self.new_storage());
        loop {
            let vault = ports.vault.describe(tenant, storage).await;
            let load = ports.store.load().await?;
            if is_answer(&vault) && load.workers == workers {
                return Ok(());
            }
            if began.elapsed() > READY_WITHIN {
                let of = load.workers;
                return Err(format!(
                    "{of} of {workers} workers are there, the vault says {vault:?}"
                )
                .into());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// The number of a tenant to come.
    pub(crate) fn new_tenant(&self) -> TenantId {
        let ports = self.app.ports();
        TenantId::new(ports.clock.now(), ports.entropy.id_bytes())
    }

    fn new_storage(&self) -> StorageId {
        let ports = self.app.ports();
        StorageId::new(ports.clock.now(), ports.entropy.id_bytes())
    }
}

/// Nobody knows the tenant that was asked for; a vault that says so is there.
fn is_answer<T>(answer: &Result<T, VaultError>) -> bool {
    matches!(answer, Ok(_) | Err(VaultError::NotFound))
}

fn vault(
    folder: &Path,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<VaultClient, Failure> {
    let around = Surroundings {
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        traces: Arc::new(NoTraces),
    };
    let key = std::fs::read_to_string(grant_key_of(folder, SERVICE))?;
    let signer = GrantSigner::from_pem("gateway-1", &SecretString::from(key))?;
    let endpoint = vault_place(folder)?.endpoint;
    let settings = VaultClientSettings::new(endpoint, tls_of(folder, SERVICE));
    Ok(VaultClient::new(&settings, Some(signer), around)?)
}
