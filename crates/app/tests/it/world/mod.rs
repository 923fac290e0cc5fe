//! A whole Tintype in one test: engine, catalogue, vault, archive folder, and Google beside it.

mod accounts;
mod at_google;
mod process;
mod proof;
mod uploads;

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures::StreamExt;
use tempfile::TempDir;
use tintype_app::{App, Settings, Step, runs::RunChoice};
use tintype_emulator::{
    CallKind, Control, DEFAULT_ACCOUNT, Emulator, EmulatorConfig, Library, RunningEmulator,
};
use tintype_google::ProxySettings;
use tintype_model::{
    PlanId, StorageId, TenantId,
    plan::Layout,
    progress::Progress,
    quota::QuotaLimits,
    run::{Run, RunState},
};
use tintype_ports::events::Seen;

use process::{Defect, MovedClock, Process, fast, impatient};
pub(crate) use tintype_emulator::small_photo as photo;

/// Longer than anything here takes, so that a hang fails with a message.
const PATIENCE: Duration = Duration::from_secs(90);

/// A tenant with its plan.
#[derive(Clone)]
pub(crate) struct Party {
    pub(crate) tenant: TenantId,
    pub(crate) plan: PlanId,
    storage: StorageId,
    folder: PathBuf,
}

/// Google, a process of ours, and a first tenant.
pub(crate) struct World {
    google: RunningEmulator,
    control: Control,
    clock: Arc<MovedClock>,
    defect: Arc<Defect>,
    dir: TempDir,
    limits: Arc<std::sync::Mutex<QuotaLimits>>,
    process: Process,
    first: Party,
}

impl World {
    pub(crate) async fn new(library: Library) -> Self {
        Self::with_layout(library, Layout::Archive).await
    }

    pub(crate) async fn with_layout(library: Library, layout: Layout) -> Self {
        Self::build(library, layout, (fast(), impatient())).await
    }

    pub(crate) async fn with_settings(
        library: Library,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = fast();
        change(&mut settings);
        Self::build(library, Layout::Archive, (settings, impatient())).await
    }

    /// One whose account has a download proxy that is given so long for an answer.
    pub(crate) async fn by_proxy(library: Library, head: Duration) -> Self {
        let world = Self::beside_proxy(library, head, |_| {}).await;
        world.name_proxy().await;
        world
    }

    /// The same, but the account does not name the proxy yet.
    pub(crate) async fn beside_proxy(
        library: Library,
        head: Duration,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let proxy = ProxySettings {
            head,
            ..impatient()
        };
        let mut settings = fast();
        change(&mut settings);
        Self::build(library, Layout::Archive, (settings, proxy)).await
    }

    /// From now on the account has a download proxy.
    pub(crate) async fn name_proxy(&self) {
        self.name_proxy_at(&self.google.download_proxy_url()).await;
    }

    pub(crate) async fn name_proxy_at(&self, address: &str) {
        self.choose(|it| it.proxy = Some(address.parse().expect("an address")))
            .await;
    }

    async fn build(library: Library, layout: Layout, settings: (Settings, ProxySettings)) -> Self {
        let google = Emulator::start(EmulatorConfig::with_library(library))
            .await
            .expect("the emulator starts");
        let control = google.control();
        let clock = Arc::new(MovedClock::default());
        let defect = Arc::new(Defect::default());
        let dir = TempDir::new().expect("a folder");
        let limits = Arc::new(std::sync::Mutex::new(QuotaLimits {
            requests_per_day: 1_000_000,
            downloads_per_day: 1_000_000,
        }));
        let process = Process::start(&google, &clock, &dir, &limits, &defect, settings).await;
        let first = process
            .settle(&control, DEFAULT_ACCOUNT, &dir, layout)
            .await;
        Self {
            google,
            control,
            clock,
            defect,
            dir,
            limits,
            process,
            first,
        }
    }

    /// Stops the process cleanly and starts another one on the same data.
    pub(crate) async fn restart(self) -> Self {
        let mut next = self;
        next.process.halt().await;
        next.process = Process::start(
            &next.google,
            &next.clock,
            &next.dir,
            &next.limits,
            &next.defect,
            (fast(), impatient()),
        )
        .await;
        next
    }

    /// From now on all work dies at this step, or at none.
    pub(crate) fn break_at(&self, step: Option<Step>) {
        *self.defect.at.lock().expect("a step") = step.map(|step| (step, false));
    }

    /// The next work that comes to this step dies there.
    pub(crate) fn break_once_at(&self, step: Step) {
        *self.defect.at.lock().expect("a step") = Some((step, true));
    }

    /// How often work died of a defect that a test has made.
    pub(crate) fn deaths(&self) -> u32 {
        self.defect.deaths.load(Ordering::Relaxed)
    }

    pub(crate) fn app(&self) -> &App {
        &self.process.app
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.first.tenant
    }

    pub(crate) async fn start(&self, choice: RunChoice) -> Run {
        self.start_for(&self.first, choice).await
    }

    pub(crate) async fn start_for(&self, party: &Party, choice: RunChoice) -> Run {
        self.process
            .app
            .start_run(party.tenant, party.plan, choice)
            .await
            .expect("started")
    }

    pub(crate) async fn back_up(&self, choice: RunChoice) -> Run {
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

    pub(crate) async fn until(
        &self,
        run: &Run,
        what: &str,
        is_there: impl Fn(&Run) -> bool,
    ) -> Run {
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

    pub(crate) async fn until_over(&self, run: &Run) -> Run {
        self.until(run, "the end", |run| run.status.state.is_final())
            .await
    }

    pub(crate) async fn until_state(&self, run: &Run, state: RunState) -> Run {
        self.until(run, state.as_str(), |run| run.status.state == state)
            .await
    }

    pub(crate) async fn until_stored(&self, run: &Run, count: u64) {
        let started = tokio::time::Instant::now();
        while self.progress(run).await.stored < count {
            assert!(
                started.elapsed() < PATIENCE,
                "waited too long for {count} stored items"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until no worker holds a shard of the run.
    pub(crate) async fn until_unleased(&self, run: &Run) {
        let store = &self.process.app.ports().store;
        let unleased = async {
            loop {
                let shards = store.open_shards(run.tenant, run.id).await;
                if shards.expect("the store answers").leased == 0 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, unleased).await;
        waited.expect("waited too long for its shards");
    }

    /// Waits until Google is quiet.
    pub(crate) async fn until_idle(&self) {
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

    pub(crate) async fn progress(&self, run: &Run) -> Progress {
        self.process
            .app
            .ports()
            .store
            .progress(run.tenant, run.id)
            .await
            .expect("the store answers")
    }
}
