//! A whole Tintype in one test: engine, catalogue, vault, archive folder, and Google beside it.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;
use secrecy::SecretString;
use tempfile::TempDir;
use tintype_app::{
    App, NoSteps, Ports, Settings,
    runs::RunChoice,
    setup::{NewDestination, NewGoogleStorage, NewPlan},
};
use tintype_blob::{
    ArchiveReader, ArchiveSettings, Root, Spool, VerifyOptions, open_archive, verify,
};
use tintype_emulator::{
    CallKind, Control, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Emulator,
    EmulatorConfig, ItemBytes, Library, NewItem, RunningEmulator,
};
use tintype_events::MemoryEvents;
use tintype_google::{
    GoogleEndpoints, GoogleOAuth, GooglePhotosSources, GoogleSettings, RetryPolicy,
};
use tintype_model::{
    PlanId, SnapshotId, TenantId,
    item::{Item, MediaKind},
    plan::{Layout, PlanOptions},
    progress::Progress,
    quota::QuotaLimits,
    run::{Run, RunState},
    snapshot::{ManifestAlbum, ManifestItem},
    storage::{GooglePhotosSettings, StorageSettings},
    tenant::Tenant,
};
use tintype_ports::{
    Archive, ArchiveError, Clock, Entropy,
    archive::{ArchiveSpec, Archives, ManifestEntry},
    events::Seen,
};
use tintype_queue::MemoryQueue;
use tintype_quota::MemoryQuota;
use tintype_runtime::{clock::SystemClock, entropy::SystemEntropy, http::HttpSettings};
use tintype_store::SqliteStore;
use tintype_vault_core::{KeyRing, VaultCore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes, so that a hang fails with a message.
const PATIENCE: Duration = Duration::from_secs(90);

/// The system's clock, moved by as much as a test wants.
#[derive(Debug, Default)]
struct MovedClock {
    by_ms: AtomicI64,
}

impl Clock for MovedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::milliseconds(self.by_ms.load(Ordering::Relaxed))
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
}

/// What a snapshot holds.
pub struct Manifest {
    pub items: BTreeMap<String, ManifestItem>,
    pub albums: Vec<ManifestAlbum>,
}

/// A tenant with its plan.
#[derive(Clone)]
pub struct Party {
    pub tenant: TenantId,
    pub plan: PlanId,
    storage: tintype_model::StorageId,
    folder: PathBuf,
}

struct Process {
    app: App,
    vault: VaultCore,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// Google, a process of ours, and a first tenant.
pub struct World {
    google: RunningEmulator,
    control: Control,
    clock: Arc<MovedClock>,
    dir: TempDir,
    limits: Arc<std::sync::Mutex<QuotaLimits>>,
    process: Process,
    first: Party,
}

fn fast() -> Settings {
    Settings {
        tick: Duration::from_millis(50),
        shard_backoff: Duration::from_millis(400),
        mend_interval: Duration::from_secs(3_600),
        lease: Duration::from_secs(5),
        shard_items: 100,
        ..Settings::default()
    }
}

impl World {
    pub async fn new(library: Library) -> Self {
        Self::with_layout(library, Layout::Archive).await
    }

    pub async fn with_layout(library: Library, layout: Layout) -> Self {
        let google = Emulator::start(EmulatorConfig::with_library(library))
            .await
            .expect("the emulator starts");
        let control = google.control();
        let clock = Arc::new(MovedClock::default());
        let dir = TempDir::new().expect("a folder");
        let limits = Arc::new(std::sync::Mutex::new(QuotaLimits {
            requests_per_day: 1_000_000,
            downloads_per_day: 1_000_000,
        }));
        let process = Process::start(&google, &clock, &dir, &limits, fast()).await;
        let first = process
            .settle(&control, DEFAULT_ACCOUNT, &dir, layout)
            .await;
        Self {
            google,
            control,
            clock,
            dir,
            limits,
            process,
            first,
        }
    }

    /// Another tenant with an account of its own, on the same cloud project.
    pub async fn neighbour(&self, account: &str, library: Library) -> Party {
        self.control.add_account(account);
        self.control
            .add_library(account, DEFAULT_CLIENT_ID, library)
            .expect("a library");
        self.process
            .settle(&self.control, account, &self.dir, Layout::Archive)
            .await
    }

    /// Stops the process cleanly and starts another one on the same data.
    pub async fn restart(self) -> Self {
        self.restart_with(fast()).await
    }

    async fn restart_with(mut self, settings: Settings) -> Self {
        self.process.halt().await;
        self.process =
            Process::start(&self.google, &self.clock, &self.dir, &self.limits, settings).await;
        self
    }

    pub fn app(&self) -> &App {
        &self.process.app
    }

    pub fn tenant(&self) -> TenantId {
        self.first.tenant
    }

    pub fn emulator(&self) -> &Control {
        &self.control
    }

    pub fn calls(&self, kind: CallKind) -> u64 {
        self.control.calls(kind)
    }

    /// Ids of items with at least one download in the ledger, in order of the calls.
    pub fn downloaded(&self) -> Vec<String> {
        let entries = self.control.ledger(Some(CallKind::Download), 0, 100_000);
        entries.into_iter().filter_map(|entry| entry.item).collect()
    }

    pub fn item_ids(&self) -> Vec<String> {
        let items = self
            .control
            .items(DEFAULT_ACCOUNT, 100_000)
            .expect("the account");
        items.into_iter().map(|item| item.id).collect()
    }

    pub fn id_of(&self, file_name: &str) -> String {
        let items = self
            .control
            .items(DEFAULT_ACCOUNT, 100_000)
            .expect("the account");
        items
            .into_iter()
            .find(|item| item.file_name == file_name)
            .expect("an item of that name")
            .id
    }

    pub fn add(&self, _why: &str, item: NewItem) -> String {
        self.control
            .add_item(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, item)
            .expect("added")
    }

    pub fn add_photo(&self, name: &str, created_ms: Option<i64>) -> String {
        self.add(
            name,
            NewItem {
                created_ms,
                ..NewItem::new(name, ItemBytes::Photo(20_000))
            },
        )
    }

    pub fn limit(&self, limits: QuotaLimits) {
        *self.limits.lock().expect("limits") = limits;
    }

    /// Moves our clock; Google's moves along.
    pub fn set_time(&self, now: DateTime<Utc>) {
        let by = (now - SystemClock.now()).num_milliseconds();
        self.clock.by_ms.store(by, Ordering::Relaxed);
        self.control.set_clock_offset(by);
    }

    pub fn revoke(&self) {
        self.control
            .revoke_all(DEFAULT_ACCOUNT, None)
            .expect("revoked");
    }

    pub fn expire_base_urls(&self) {
        self.control.expire_base_urls();
    }

    pub async fn reauthorise(&self) {
        let grant = self
            .control
            .grant(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, None)
            .expect("a grant");
        let app = &self.process.app;
        app.reauthorise(
            self.first.tenant,
            self.first.storage,
            DEFAULT_CLIENT_ID.into(),
            SecretString::from(DEFAULT_CLIENT_SECRET),
            SecretString::from(grant.refresh_token),
        )
        .await
        .expect("reauthorised");
    }

    pub fn hide_destination(&self) {
        std::fs::rename(&self.first.folder, self.hidden()).expect("hidden");
    }

    pub fn bring_destination_back(&self) {
        std::fs::rename(self.hidden(), &self.first.folder).expect("back");
    }

    fn hidden(&self) -> PathBuf {
        self.dir.path().join("hidden")
    }

    pub async fn start(&self, choice: RunChoice) -> Run {
        self.start_for(&self.first, choice).await
    }

    pub async fn start_for(&self, party: &Party, choice: RunChoice) -> Run {
        self.process
            .app
            .start_run(party.tenant, party.plan, choice)
            .await
            .expect("started")
    }

    pub async fn back_up(&self, choice: RunChoice) -> Run {
        let run = self.start(choice).await;
        self.until_over(&run).await
    }

    async fn reload(&self, run: &Run) -> Run {
        let store = &self.process.app.ports().store;
        store
            .run(run.tenant, run.id)
            .await
            .expect("the store answers")
            .expect("the run is there")
    }

    async fn until(&self, run: &Run, what: &str, is_there: impl Fn(&Run) -> bool) -> Run {
        let mut events = self
            .process
            .app
            .ports()
            .events
            .watch(run.tenant, None)
            .await
            .expect("events");
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let now = self.reload(run).await;
                if is_there(&now) {
                    return now;
                }
                assert!(
                    !now.status.state.is_final(),
                    "waited for {what}, but the run ended: {:?}",
                    now.status
                );
                // An event for this run, or a moment: the catalogue is the truth either way.
                let of_this_run = events.next();
                let _: Result<Option<Seen>, _> =
                    tokio::time::timeout(Duration::from_millis(100), of_this_run).await;
            }
        });
        match waited.await {
            Ok(run) => run,
            Err(_) => panic!(
                "waited too long for {what}: {:?} {:?}",
                self.reload(run).await,
                self.progress(run).await
            ),
        }
    }

    pub async fn until_over(&self, run: &Run) -> Run {
        self.until(run, "the end", |run| run.status.state.is_final())
            .await
    }

    pub async fn until_state(&self, run: &Run, state: RunState) -> Run {
        self.until(run, state.as_str(), |run| run.status.state == state)
            .await
    }

    pub async fn until_stored(&self, run: &Run, count: u64) {
        let started = tokio::time::Instant::now();
        while self.progress(run).await.stored < count {
            assert!(
                started.elapsed() < PATIENCE,
                "waited too long for {count} stored items"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until no shard is leased and Google is quiet.
    pub async fn until_idle(&self) {
        let mut last = u64::MAX;
        loop {
            let now = self.calls(CallKind::Download);
            if now == last {
                return;
            }
            last = now;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    pub async fn progress(&self, run: &Run) -> Progress {
        self.process
            .app
            .ports()
            .store
            .progress(run.tenant, run.id)
            .await
            .expect("the store answers")
    }

    pub async fn item(&self, id: &str) -> Item {
        let store = &self.process.app.ports().store;
        let items = store
            .items(self.first.tenant, self.first.plan, None, 10_000)
            .await
            .expect("items");
        items
            .into_iter()
            .find(|item| item.provider_id.as_str() == id)
            .expect("a known item")
    }

    async fn reader(&self, folder: &std::path::Path) -> ArchiveReader {
        let root = Root::LocalFolder {
            path: folder.to_owned(),
        };
        ArchiveReader::open(root, None)
            .await
            .expect("a readable archive")
    }

    pub async fn manifest(&self, run: &Run) -> Manifest {
        let snapshot: SnapshotId = self
            .reload(run)
            .await
            .snapshot
            .expect("the run has a snapshot");
        let reader = self.reader(&self.first.folder_of(run, self)).await;
        let mut entries = reader.read_manifest(snapshot).await.expect("a manifest");
        let mut manifest = Manifest {
            items: BTreeMap::new(),
            albums: Vec::new(),
        };
        let mut ended = false;
        while let Some(entry) = entries.next().await {
            match entry.expect("a sound manifest") {
                ManifestEntry::Head(_) => (),
                ManifestEntry::Item(item) => {
                    let twice = manifest.items.insert(item.id.to_string(), *item);
                    assert!(twice.is_none(), "an item stands twice in the manifest");
                }
                ManifestEntry::Album(album) => manifest.albums.push(album),
                ManifestEntry::End { .. } => ended = true,
            }
        }
        assert!(ended, "the manifest ends with its signature");
        manifest
    }

    /// Compares length and content of each item with what Google serves for it.
    pub fn assert_manifest_is_what_google_serves(&self, manifest: &Manifest) {
        for (id, item) in &manifest.items {
            let suffix = if item.metadata.kind == MediaKind::Video {
                "dv"
            } else {
                "d"
            };
            let served = self
                .control
                .served_bytes(id, suffix)
                .expect("known")
                .expect("bytes");
            assert_eq!(item.content.size, served.len() as u64);
            assert_eq!(
                item.content.blob,
                tintype_model::BlobHash::of(&served),
                "{id} differs"
            );
        }
    }

    pub async fn assert_archive_is_clean(&self) {
        let reader = self.reader(&self.first.folder).await;
        let report = verify(&reader, &VerifyOptions::default(), &mut |_| ())
            .await
            .expect("verified");
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        assert!(report.objects > 0);
    }
}

impl Party {
    fn folder_of(&self, run: &Run, world: &World) -> PathBuf {
        assert_eq!(
            run.tenant, world.first.tenant,
            "only the first tenant's manifests are read here"
        );
        self.folder.clone()
    }
}

impl Process {
    async fn start(
        google: &RunningEmulator,
        clock: &Arc<MovedClock>,
        dir: &TempDir,
        limits: &Arc<std::sync::Mutex<QuotaLimits>>,
        settings: Settings,
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
        let limits_of: tintype_quota::LimitsOf = Arc::new(move |_| *limits.lock().expect("limits"));
        let ports = Ports {
            queue: Arc::new(MemoryQueue::new(1_024)),
            quota: Arc::new(MemoryQuota::new(
                Arc::clone(&store) as _,
                limits_of,
                Arc::clone(&clock),
            )),
            events: Arc::new(MemoryEvents::new(0)),
            vault: Arc::new(vault.clone()),
            sources: Arc::new(GooglePhotosSources::new(
                client,
                google_settings,
                Arc::clone(&entropy),
            )),
            archives: Arc::new(Folders {
                spool: dir.path().join("spool"),
            }),
            store,
            clock,
            entropy,
            steps: Arc::new(NoSteps),
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

    async fn halt(&mut self) {
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
    async fn settle(
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
                    },
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
