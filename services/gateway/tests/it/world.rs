//! A gateway that listens, the engine behind it, and Google.

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tintype_app::{App, NoSteps, Ports, Settings};
use tintype_blob::{ArchiveSettings, Root, Spool, open_archive, open_files};
use tintype_emulator::{
    Control, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Emulator, EmulatorConfig,
    Generated, Library, RunningEmulator,
};
use tintype_events::{MemoryBell, MemoryEvents};
use tintype_gateway::{Gateway, Limits, SignInSettings, router, serve};
use tintype_google::{
    GoogleEndpoints, GoogleOAuth, GooglePhotosSources, GoogleSettings, ProxyOriginals,
    ProxySettings,
};
use tintype_model::{
    quota::QuotaLimits,
    storage::{StoragePolicy, StorageSettings},
};
use tintype_ports::{
    Archive, ArchiveError, Clock, Entropy, Files, RateLimiter,
    archive::{ArchiveSpec, Archives},
    trace::NoTraces,
    vault::BucketKeys,
};
use tintype_queue::MemoryQueue;
use tintype_quota::{MemoryQuota, MemoryRateLimiter};
use tintype_runtime::{HttpSettings, SystemClock, SystemEntropy};
use tintype_store::SqliteStore;
use tintype_vault_core::{KeyRing, VaultCore};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub(crate) const TOKEN: &str = "operator-0123456789abcdef0123456789abcdef";

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

struct Folders(PathBuf);

#[async_trait]
impl Archives for Folders {
    async fn open(&self, spec: ArchiveSpec) -> Result<Arc<dyn Archive>, ArchiveError> {
        let StorageSettings::LocalFolder { path } = spec.place else {
            return Err(ArchiveError::Settings("folders only".into()));
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

pub(crate) struct World {
    _google: RunningEmulator,
    pub(crate) google: Control,
    /// A full-resolution proxy for the accounts there.
    pub(crate) download_proxy: String,
    pub(crate) app: App,
    pub(crate) dir: TempDir,
    base: String,
    http: Client,
    pub(crate) draining: CancellationToken,
    pub(crate) server: JoinHandle<std::io::Result<()>>,
    engine: CancellationToken,
}

impl Drop for World {
    fn drop(&mut self) {
        self.engine.cancel();
    }
}

/// What a request was answered with.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|it| it.to_str().expect("text"));
        value.unwrap_or_default()
    }

    pub(crate) fn id(&self) -> String {
        assert!(self.status.is_success(), "{self:?}");
        self.body["id"].as_str().expect("an id").to_owned()
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let answer = request.send().await.expect("an answer");
    let (status, headers) = (answer.status(), answer.headers().clone());
    let text = answer.text().await.expect("a body");
    let body = match text.is_empty() {
        true => Value::Null,
        false => serde_json::from_str(&text).expect("JSON"),
    };
    Answer {
        status,
        headers,
        body,
    }
}

impl World {
    pub(crate) async fn new(photos: u64) -> Self {
        Self::with(photos, |_| {}).await
    }

    pub(crate) async fn with(photos: u64, change: impl FnOnce(&mut Gateway)) -> Self {
        let settings = Settings::default();
        Self::build(photos, settings, true, change).await
    }

    /// One that looks after its accounts all the time.
    pub(crate) async fn attentive(photos: u64) -> Self {
        let settings = Settings {
            accounts_every: Duration::from_millis(100),
            ..Settings::default()
        };
        Self::build(photos, settings, true, |_| {}).await
    }

    /// One whose engine reaches neighbours or the public internet alone.
    pub(crate) async fn reaching(
        photos: u64,
        private_addresses: bool,
        change: impl FnOnce(&mut Gateway),
    ) -> Self {
        let settings = Settings::default();
        Self::build(photos, settings, private_addresses, change).await
    }

    async fn build(
        photos: u64,
        settings: Settings,
        private_addresses: bool,
        change: impl FnOnce(&mut Gateway),
    ) -> Self {
        let of_app = Settings {
            tick: Duration::from_millis(50),
            ..settings
        };
        let library = Library::Generated(Generated::photos(photos, 8_000));
        let google = Emulator::start(EmulatorConfig::with_library(library)).await;
        let google = google.expect("the emulator");
        let dir = TempDir::new().expect("a folder");
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let client = HttpSettings::default().client().expect("a client");
        let settings = GoogleSettings {
            endpoints: GoogleEndpoints::at(&google.base_url().parse().expect("a url")),
            ..GoogleSettings::default()
        };
        let oauth = GoogleOAuth::new(client.clone(), settings.clone(), Arc::clone(&entropy));
        let vault_file = dir.path().join("vault.db");
        let vault = VaultCore::open(
            &vault_file,
            KeyRing::create_file(&dir.path().join("vault.key")).expect("a key"),
            Arc::new(oauth),
            Arc::clone(&clock),
            Arc::clone(&entropy),
        );
        let catalogue = dir.path().join("catalogue.db");
        let store = SqliteStore::open(&catalogue, Arc::clone(&clock)).await;
        let store = Arc::new(store.expect("the catalogue"));
        let limits = |_: &_| QuotaLimits::default();
        let ports = Ports {
            queue: Arc::new(MemoryQueue::new(1_024)),
            quota: Arc::new(MemoryQuota::new(
                Arc::clone(&store) as _,
                Arc::new(limits),
                Arc::clone(&clock),
            )),
            store,
            events: Arc::new(MemoryEvents::bounded(0, 16, 8)),
            bell: Arc::new(MemoryBell::new()),
            traces: Arc::new(NoTraces),
            vault: Arc::new(vault.await.expect("the vault")),
            sources: Arc::new(GooglePhotosSources::new(
                client,
                settings,
                Arc::clone(&entropy),
            )),
            originals: Arc::new(ProxyOriginals::new(
                HttpSettings::default()
                    .unhurried()
                    .guarded(private_addresses)
                    .expect("a client"),
                ProxySettings {
                    test: Duration::from_secs(3),
                    ..ProxySettings::default()
                },
                Arc::clone(&entropy),
            )),
            archives: Arc::new(Folders(dir.path().join("spool"))),
            clock,
            entropy,
            steps: Arc::new(NoSteps),
        };
        let app = App::new(ports, of_app);
        let engine = CancellationToken::new();
        let (scheduler, worker) = (app.clone(), app.clone());
        let (of_scheduler, of_worker) = (engine.clone(), engine.clone());
        tokio::spawn(async move { scheduler.schedule(of_scheduler).await });
        tokio::spawn(async move { worker.work(of_worker).await });

        let draining = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let mut gateway = Gateway {
            app: app.clone(),
            limiter: Arc::new(MemoryRateLimiter::default()),
            own_limiter: Arc::new(MemoryRateLimiter::default()) as Arc<dyn RateLimiter>,
            operator_token: SecretString::from(TOKEN),
            policy: StoragePolicy::OWN_MACHINE,
            sign_in: SignInSettings {
                public_url: Some(base.parse().expect("a url")),
                client: None,
            },
            limits: Limits::default(),
            draining: draining.clone(),
        };
        change(&mut gateway);
        let serving = serve(
            listener,
            router(gateway),
            draining.clone(),
            Duration::from_secs(10),
        );
        Self {
            download_proxy: google.download_proxy_url(),
            google: google.control(),
            _google: google,
            app,
            dir,
            base,
            http: HttpSettings::default().client().expect("a client"),
            draining,
            server: tokio::spawn(serving),
            engine,
        }
    }

    /// Where the gateway listens.
    pub(crate) fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// A request without any credential.
    pub(crate) fn bare(&self, method: &str, path: &str) -> RequestBuilder {
        let method: Method = method.parse().expect("a method");
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// A request of the operator's.
    pub(crate) fn ask(&self, method: &str, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(TOKEN)
    }

    /// A request of the operator's for a tenant.
    pub(crate) fn of(&self, tenant: &str, method: &str, path: &str) -> RequestBuilder {
        self.ask(method, path).header("tintype-tenant", tenant)
    }

    pub(crate) async fn tenant(&self, name: &str) -> String {
        let made = self
            .ask("POST", "/v1/tenants")
            .json(&json!({ "name": name }));
        send(made).await.id()
    }

    pub(crate) fn credential(&self) -> Value {
        let grant = self.google.grant(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, None);
        json!({
            "client_id": DEFAULT_CLIENT_ID,
            "client_secret": DEFAULT_CLIENT_SECRET,
            "refresh_token": grant.expect("a grant").refresh_token,
        })
    }

    pub(crate) async fn account(&self, tenant: &str) -> String {
        let body =
            json!({"kind": "google_photos", "name": "photos", "credential": self.credential()});
        let made = self.of(tenant, "POST", "/v1/storages").json(&body);
        send(made).await.id()
    }

    pub(crate) async fn folder(&self, tenant: &str) -> String {
        let path = self.dir.path().join(format!("archive-{tenant}"));
        std::fs::create_dir(&path).expect("a folder");
        let body = json!({"kind": "local_folder", "name": "folder", "path": path});
        let made = self.of(tenant, "POST", "/v1/storages").json(&body);
        send(made).await.id()
    }

    pub(crate) async fn plan(&self, tenant: &str) -> String {
        let (source, destination) = (self.account(tenant).await, self.folder(tenant).await);
        let body = json!({"name": "backup", "source": source, "destination": destination});
        let made = self.of(tenant, "POST", "/v1/plans").json(&body);
        send(made).await.id()
    }

    pub(crate) async fn run(&self, tenant: &str, plan: &str) -> String {
        let path = format!("/v1/plans/{plan}/runs");
        let made = self
            .of(tenant, "POST", &path)
            .json(&json!({"mode": "full"}));
        send(made).await.id()
    }

    /// Asks for the run until it is in one of these states.
    pub(crate) async fn until(&self, tenant: &str, run: &str, states: &[&str]) -> Value {
        let path = format!("/v1/runs/{run}");
        let wait = async {
            loop {
                let answer = send(self.of(tenant, "GET", &path)).await;
                let state = answer.body["state"].as_str().expect("a state");
                if states.contains(&state) {
                    return answer.body;
                }
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("in time")
    }
}
