//! One process of ours, on data that outlives it.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::BoxStream;
use secrecy::SecretString;
use tempfile::TempDir;
use tintype_app::{
    App, Ports, Settings, Step, Steps,
    setup::{NewDestination, NewGoogleStorage, NewPlan},
};
use tintype_blob::{ArchiveSettings, Root, Spool, open_archive, open_files};
use tintype_emulator::{Control, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, RunningEmulator};
use tintype_events::{MemoryBell, MemoryEvents};
use tintype_google::{
    GoogleEndpoints, GoogleOAuth, GooglePhotosSources, GoogleSettings, ProxyOriginals,
    ProxySettings, RetryPolicy,
};
use tintype_model::{
    TenantId,
    plan::{Layout, PlanOptions},
    quota::QuotaLimits,
    storage::{GooglePhotosSettings, StorageSettings},
    tenant::Tenant,
};
use tintype_ports::{
    Archive, ArchiveError, Clock, Entropy, Events, Files,
    archive::{ArchiveSpec, Archives},
    events::{Event, EventId, EventsError, Seen},
    vault::BucketKeys,
};
use tintype_queue::MemoryQueue;
use tintype_quota::{LimitsOf, MemoryQuota};
use tintype_runtime::{HttpSettings, SystemClock, SystemEntropy, trace::Traces};
use tintype_store::SqliteStore;
use tintype_vault_core::{KeyRing, VaultCore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{PATIENCE, Party};

/// The system's clock, moved by as much as a test wants.
#[derive(Debug, Default)]
pub(super) struct MovedClock {
    pub(super) by_ms: AtomicI64,
}

impl Clock for MovedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::milliseconds(self.by_ms.load(Ordering::Relaxed))
    }
}

/// A defect of the program: while it is there, every work that comes to the step dies of it.
#[derive(Debug, Default)]
pub(super) struct Defect {
    /// Where, and whether only once.
    pub(super) at: Mutex<Option<(Step, bool)>>,
    pub(super) deaths: AtomicU32,
    /// How often all accounts were looked after.
    pub(super) looks: AtomicU64,
    pub(super) bus_is_away: Arc<AtomicBool>,
}

impl Steps for Defect {
    fn reached(&self, step: Step) {
        if step == Step::AccountsLookedAfter {
            self.looks.fetch_add(1, Ordering::Relaxed);
        }
        let is_here = {
            let mut at = self.at.lock().expect("a step");
            let here = at.filter(|(wanted, _)| *wanted == step);
            if here.is_some_and(|(_, once)| once) {
                *at = None;
            }
            here.is_some()
        };
        if is_here {
            self.deaths.fetch_add(1, Ordering::Relaxed);
            panic!("a defect that a test has made");
        }
    }
}

/// An event bus that may be away.
struct Bus {
    inner: MemoryEvents,
    is_away: Arc<AtomicBool>,
}

#[async_trait]
impl Events for Bus {
    async fn publish(&self, tenant: TenantId, event: Event) -> Result<EventId, EventsError> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(EventsError("the bus is away".into()));
        }
        self.inner.publish(tenant, event).await
    }

    async fn watch(
        &self,
        tenant: TenantId,
        after: Option<EventId>,
    ) -> Result<BoxStream<'static, Seen>, EventsError> {
        self.inner.watch(tenant, after).await
    }
}

struct Folders {
    spool: PathBuf,
}

#[async_trait]
impl Archives for Folders {
    async fn open(&self, spec: ArchiveSpec) -> Result<Arc<dyn Archive>, ArchiveError> {
        let StorageSettings::LocalFolder { path } = spec.place else {
            return Err(ArchiveError::Settings(
                "these tests write to folders".into(),
            ));
        };
        open_archive(ArchiveSettings {
            root: Root::LocalFolder { path },
            archive: spec.archive,
            layout: spec.options.layout,
            recipients: spec.options.recipients,
            signing_key: spec.signing_key,
            local_folders: true,
            spool: Spool {
                folder: self.spool.clone(),
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

pub(super) struct Process {
    pub(super) app: App,
    vault: VaultCore,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

pub(super) fn fast() -> Settings {
    Settings {
        tick: Duration::from_millis(50),
        shard_backoff: Duration::from_millis(400),
        mend_interval: Duration::from_secs(3_600),
        pick_poll: Duration::from_millis(100),
        lease: Duration::from_secs(5),
        shard_items: 100,
        ..Settings::default()
    }
}

/// A proxy's deadlines, short. Once it rests, it does so for longer than any test takes.
pub(super) fn impatient() -> ProxySettings {
    ProxySettings {
        head: Duration::from_secs(3),
        silence: Duration::from_secs(3),
        retry_after: Duration::from_millis(20),
        first_rest: Duration::from_secs(600),
        ..ProxySettings::default()
    }
}

impl Process {
    pub(super) async fn start(
        google: &RunningEmulator,
        clock: &Arc<MovedClock>,
        dir: &TempDir,
        limits: &Arc<Mutex<QuotaLimits>>,
        defect: &Arc<Defect>,
        (settings, proxy): (Settings, ProxySettings),
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let client = HttpSettings::default().client().expect("a client");
        let retry = RetryPolicy {
            first_wait: Duration::from_millis(20),
            longest_wait: Duration::from_millis(200),
            first_throttle_wait: Duration::from_millis(50),
            longest_throttle_wait: Duration::from_millis(200),
            ..RetryPolicy::default()
        };
        let endpoints = GoogleEndpoints::at(&google.base_url().parse().expect("a url"));
        let google_settings = GoogleSettings {
            endpoints,
            retry,
            ..GoogleSettings::default()
        };
        let auth = Arc::new(GoogleOAuth::new(
            client.clone(),
            google_settings.clone(),
            Arc::clone(&entropy),
        ));
        let key_file = dir.path().join("vault.key");
        let ring = if key_file.exists() {
            KeyRing::read_file(&key_file)
        } else {
            KeyRing::create_file(&key_file)
        };
        let vault = VaultCore::open(
            &dir.path().join("vault.db"),
            ring.expect("a key ring"),
            auth,
            Arc::clone(&clock),
            Arc::clone(&entropy),
        )
        .await
        .expect("the vault opens");
        let store = SqliteStore::open(&dir.path().join("catalogue.db"), Arc::clone(&clock))
            .await
            .expect("the store opens");
        let store = Arc::new(store);
        let limits = Arc::clone(limits);
        let limits_of: LimitsOf = Arc::new(move |_| *limits.lock().expect("limits"));
        let ports = Ports {
            queue: Arc::new(MemoryQueue::new(1_024)),
            quota: Arc::new(MemoryQuota::new(
                Arc::clone(&store) as _,
                limits_of,
                Arc::clone(&clock),
            )),
            events: Arc::new(Bus {
                inner: MemoryEvents::new(0),
                is_away: Arc::clone(&defect.bus_is_away),
            }),
            bell: Arc::new(MemoryBell::new()),
            traces: Arc::new(Traces),
            vault: Arc::new(vault.clone()),
            sources: Arc::new(GooglePhotosSources::new(
                client,
                google_settings,
                Arc::clone(&entropy),
            )),
            originals: Arc::new(ProxyOriginals::new(
                HttpSettings::default()
                    .unhurried()
                    .guarded(true)
                    .expect("a client"),
                proxy,
                Arc::clone(&entropy),
            )),
            archives: Arc::new(Folders {
                spool: dir.path().join("spool"),
            }),
            store,
            clock,
            entropy,
            steps: Arc::clone(defect) as _,
        };
        let app = App::new(ports, settings);
        app.take_over().await.expect("taken over");
        let stop = CancellationToken::new();
        let (scheduler, worker) = (app.clone(), app.clone());
        let (scheduler_stop, worker_stop) = (stop.clone(), stop.clone());
        let tasks = vec![
            tokio::spawn(async move { scheduler.schedule(scheduler_stop).await }),
            tokio::spawn(async move { worker.work(worker_stop).await }),
        ];
        Self {
            app,
            vault,
            stop,
            tasks,
        }
    }

    pub(super) async fn halt(&mut self) {
        self.stop.cancel();
        for task in self.tasks.drain(..) {
            tokio::time::timeout(PATIENCE, task)
                .await
                .expect("stops in time")
                .expect("no background task died");
        }
        self.vault.close().await;
    }

    /// A tenant with a connected account, a folder and a plan.
    pub(super) async fn settle(
        &self,
        control: &Control,
        account: &str,
        dir: &TempDir,
        layout: Layout,
    ) -> Party {
        let app = &self.app;
        let now = app.ports().clock.now();
        let tenant = Tenant {
            id: TenantId::new(now, app.ports().entropy.id_bytes()),
            name: account.into(),
            weight: 1,
            max_shards: None,
            created_at: now,
        };
        app.ports()
            .store
            .add_tenant(&tenant)
            .await
            .expect("a tenant");
        let grant = control
            .grant(account, DEFAULT_CLIENT_ID, None)
            .expect("a grant");
        let project = "123456789012".parse().expect("a project");
        let source = app
            .connect_google(
                tenant.id,
                NewGoogleStorage {
                    name: "photos".into(),
                    client_id: DEFAULT_CLIENT_ID.into(),
                    client_secret: SecretString::from(DEFAULT_CLIENT_SECRET),
                    refresh_token: SecretString::from(grant.refresh_token),
                    settings: GooglePhotosSettings::new(project),
                },
            )
            .await
            .expect("connected");
        let folder = dir.path().join(format!("archive-{account}"));
        std::fs::create_dir(&folder).expect("a folder");
        let destination = app
            .connect_destination(
                tenant.id,
                NewDestination {
                    name: "folder".into(),
                    settings: StorageSettings::LocalFolder {
                        path: folder.clone(),
                    },
                    keys: None,
                },
            )
            .await
            .expect("connected");
        let plan = app
            .create_plan(
                tenant.id,
                NewPlan {
                    name: "backup".into(),
                    source: source.id,
                    destination: destination.id,
                    options: PlanOptions {
                        layout,
                        recipients: Vec::new(),
                        upload: None,
                    },
                    schedule: None,
                    archive: None,
                },
            )
            .await
            .expect("a plan");
        Party {
            tenant: tenant.id,
            plan: plan.id,
            storage: source.id,
            folder,
        }
    }
}
