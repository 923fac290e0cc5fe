//! Servers, certificates, settings, processes, and the gateway's part, which this test plays itself.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use secrecy::SecretString;
use tempfile::TempDir;
use tintype_app::{
    App, NoSteps, Ports, Settings,
    runs::RunChoice,
    setup::{NewDestination, NewGoogleStorage, NewPlan},
};
use tintype_blob::{ArchiveSettings, Root, Spool, open_archive};
use tintype_emulator::{
    ClientConfig, Control, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Emulator, EmulatorConfig,
    Generated, Library, QuotaLimits, RunningEmulator,
};
use tintype_events::{MemoryEvents, RedisBell, RedisSettings};
use tintype_google::{GoogleEndpoints, GooglePhotosSources, GoogleSettings};
use tintype_model::{
    RunId, TenantId,
    credential::ClientId,
    plan::PlanOptions,
    run::{Run, RunState},
    storage::{GooglePhotosSettings, StorageSettings},
    tenant::Tenant,
};
use tintype_ports::{
    Archive, ArchiveError, Clock, Entropy,
    archive::{ArchiveSpec, Archives},
    trace::NoTraces,
};
use tintype_queue::MemoryQueue;
use tintype_quota::MemoryQuota;
use tintype_runtime::{HttpSettings, SystemClock, SystemEntropy, mtls::TlsFiles};
use tintype_store::{PostgresSettings, PostgresStore};
use tintype_testkit::{
    certificates::{DevAuthority, GrantKeyPair},
    process::Spawned,
    servers::{Apt, Durability, Postgres, RabbitMq, Redis},
};
use tintype_vault_client::{GrantSigner, Surroundings, VaultClient, VaultClientSettings};
use tokio::time::{Instant, sleep};

use crate::household::{run, text, tintype};

/// A second OAuth client, of another cloud project.
const OTHER_CLIENT_ID: &str = "998877665544-other.apps.googleusercontent.com";
const OTHER_CLIENT_SECRET: &str = "GOCSPX-canary-of-the-other-client";

/// What each cloud project may spend in a day; the emulator counts with the same.
pub(super) const DOWNLOADS_A_DAY: u64 = 20_000;
const REQUESTS_A_DAY: u64 = 10_000;

/// A tenant with a plan, and where its archive is.
pub(super) struct Customer {
    pub(super) tenant: TenantId,
    pub(super) account: String,
    pub(super) archive: PathBuf,
    pub(super) run: RunId,
}

/// Opens folders, as the operator of this install allows.
struct Folders(PathBuf);

#[async_trait::async_trait]
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
}

/// Everything but the processes of ours.
pub(super) struct Install {
    _google: RunningEmulator,
    pub(super) control: Control,
    _postgres: Postgres,
    pub(super) rabbitmq: RabbitMq,
    pub(super) redis: Redis,
    pub(super) app: App,
    /// Secrets that must stand nowhere but sealed in the vault.
    pub(super) canaries: Vec<String>,
    dir: TempDir,
}

fn free_port() -> u16 {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    socket.local_addr().expect("an address").port()
}

fn write(path: &Path, text: &str) -> String {
    std::fs::write(path, text).expect("written");
    path.display().to_string()
}

impl Install {
    pub(super) async fn new() -> Self {
        let apt = Apt::default();
        let (postgres, rabbitmq, redis) = tokio::join!(
            Postgres::start(&apt, Durability::Kill),
            RabbitMq::start(&apt),
            Redis::start(&apt)
        );
        let postgres = postgres.expect("a PostgreSQL server");
        let rabbitmq = rabbitmq.expect("a RabbitMQ server");
        let redis = redis.expect("a Redis server");

        let mut config = EmulatorConfig::with_library(Library::Generated(Generated::photos(0, 1)));
        config.switches.quota = QuotaLimits {
            calls_per_day: Some(REQUESTS_A_DAY),
            loads_per_day: Some(DOWNLOADS_A_DAY),
            ..QuotaLimits::unlimited()
        };
        config.clients.push(ClientConfig {
            client_id: OTHER_CLIENT_ID.into(),
            client_secret: OTHER_CLIENT_SECRET.into(),
            ..ClientConfig::default()
        });
        let google = Emulator::start(config).await.expect("the emulator");
        let control = google.control();

        let dir = TempDir::new().expect("a folder");
        let authority = DevAuthority::new();
        let files = |service: &str| {
            let identity = format!("spiffe://tintype.example/{service}");
            let files = authority.write(dir.path(), service, &identity);
            TlsFiles {
                certificate: files.certificate,
                key: files.key,
                authorities: files.authorities,
            }
        };
        let vault_port = free_port();
        let gateway_tls = files("gateway");
        let gateway_key = GrantKeyPair::new();
        let mut signers = String::new();
        for (service, pair) in [("gateway", &gateway_key), ("worker", &GrantKeyPair::new())] {
            let private = dir.path().join(format!("{service}-grant.key"));
            write(&private, &pair.private);
            let public = dir.path().join(format!("{service}-grant.pub"));
            let public = write(&public, &pair.public);
            signers.push_str(&format!(
                "[[vault_server.grant_keys]]\nid = \"{service}-1\"\nidentity = \"spiffe://tintype.example/{service}\"\n\
                 public_key_file = \"{public}\"\nscopes = [\"list\", \"download\", \"test\", \"write\", \"sign\"]\n"
            ));
        }
        let tls = |section: &str, files: &TlsFiles| {
            format!(
                "[{section}]\ncertificate = \"{}\"\nkey = \"{}\"\nauthorities = \"{}\"\n",
                files.certificate.display(),
                files.key.display(),
                files.authorities.display()
            )
        };
        // The vault has a database of its own; on a server that is thrown away, one that is there already does.
        let catalogue = postgres.url();
        let (server, _) = catalogue.rsplit_once('/').expect("a database in the url");
        let vault = format!("{server}/template1");
        let key_file = dir.path().join("kek");
        tintype_vault_core::KeyRing::create_file(&key_file).expect("a key file");
        let shared = format!("[google]\nurl = \"{}\"\n", google.base_url());
        let of_vault = format!(
            "{shared}[vault_server]\nlisten = \"127.0.0.1:{vault_port}\"\n{}\
             [vault_server.keys]\nfile = \"{}\"\n[vault_server.database]\nurl = \"{vault}\"\n{signers}",
            tls("vault_server.tls", &files("vault")),
            key_file.display(),
        );
        write(&dir.path().join("vault.toml"), &of_vault);
        let fleet = format!(
            "{shared}[postgres]\nurl = \"{catalogue}\"\n[rabbitmq]\nurl = \"{}\"\n[redis]\nurl = \"{}\"\n\
             [policy]\nlocal_folders = true\n[worker]\nlease_seconds = 3\nspool = \"{}\"\n\
             [scheduler]\nlead_seconds = 3\ndispatch_patience_seconds = 5\n\
             [quota.default]\nrequests_per_day = {REQUESTS_A_DAY}\ndownloads_per_day = {DOWNLOADS_A_DAY}\n\
             [vault]\nendpoints = \"127.0.0.1:{vault_port}\"\ngrant_key_id = \"worker-1\"\ngrant_key_file = \"{}\"\n{}",
            rabbitmq.url(),
            redis.url(),
            dir.path().join("spool").display(),
            dir.path().join("worker-grant.key").display(),
            tls("vault.tls", &files("worker")),
        );
        write(&dir.path().join("fleet.toml"), &fleet);
        for settings in ["vault.toml", "fleet.toml"] {
            let file = dir.path().join(settings);
            run(tintype(&[
                "serve",
                "--role",
                "migrate",
                "--config",
                text(&file),
            ]))
            .await
            .assert_code(0);
        }

        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let store = PostgresStore::connect(&catalogue, PostgresSettings::default())
            .await
            .expect("the catalogue");
        let around = Surroundings {
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            traces: Arc::new(NoTraces),
        };
        let signer = SecretString::from(gateway_key.private.as_str());
        let signer = GrantSigner::from_pem("gateway-1", &signer).expect("a signer");
        let endpoints = format!("127.0.0.1:{vault_port}");
        let settings = VaultClientSettings::new(endpoints, gateway_tls);
        let vault = VaultClient::new(&settings, Some(signer), around).expect("a client");
        let bell = RedisSettings::at(SecretString::from(redis.url()));
        let client = HttpSettings::default().client().expect("a client");
        let settings = GoogleSettings {
            endpoints: GoogleEndpoints::at(&google.base_url().parse().expect("a url")),
            ..GoogleSettings::default()
        };
        let ports = Ports {
            quota: Arc::new(MemoryQuota::new(
                Arc::new(store.clone()),
                Arc::new(|_| tintype_model::quota::QuotaLimits::default()),
                Arc::clone(&clock),
            )),
            store: Arc::new(store),
            queue: Arc::new(MemoryQueue::new(8)),
            events: Arc::new(MemoryEvents::new(0)),
            bell: Arc::new(RedisBell::new(&bell, Arc::clone(&entropy)).expect("a bell")),
            traces: Arc::new(NoTraces),
            vault: Arc::new(vault),
            sources: Arc::new(GooglePhotosSources::new(
                client,
                settings,
                Arc::clone(&entropy),
            )),
            archives: Arc::new(Folders(dir.path().join("gateway-spool"))),
            clock,
            entropy,
            steps: Arc::new(NoSteps),
        };
        Self {
            app: App::new(ports, Settings::default()),
            canaries: vec![DEFAULT_CLIENT_SECRET.into(), OTHER_CLIENT_SECRET.into()],
            _google: google,
            control,
            _postgres: postgres,
            rabbitmq,
            redis,
            dir,
        }
    }

    pub(super) fn serve(&self, role: &str) -> Spawned {
        let settings = match role {
            "vault" => "vault.toml",
            _ => "fleet.toml",
        };
        let file = self.dir.path().join(settings);
        Spawned::start(tintype(&["serve", "--role", role, "--config", text(&file)]))
    }

    /// A tenant with a connected account of `items` photos, a folder, a plan, and a run that has begun.
    pub(super) async fn customer(&mut self, number: usize, items: u64) -> Customer {
        let account = format!("customer{number}@example.com");
        let (client_id, secret) = match number % 2 {
            0 => (DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET),
            _ => (OTHER_CLIENT_ID, OTHER_CLIENT_SECRET),
        };
        let library = Library::Generated(Generated::photos(items, 8_000));
        self.control.add_account(&account);
        self.control
            .add_library(&account, client_id, library)
            .expect("a library");
        let grant = self
            .control
            .grant(&account, client_id, None)
            .expect("a grant");
        self.canaries.push(grant.refresh_token.clone());

        let app = &self.app;
        let now = app.ports().clock.now();
        let tenant = Tenant {
            id: TenantId::new(now, app.ports().entropy.id_bytes()),
            name: account.clone(),
            weight: 1,
            max_shards: None,
            created_at: now,
        };
        app.ports()
            .store
            .add_tenant(&tenant)
            .await
            .expect("a tenant");
        let project = ClientId::parse(client_id)
            .expect("a client")
            .project()
            .clone();
        let source = NewGoogleStorage {
            name: "photos".into(),
            client_id: client_id.into(),
            client_secret: SecretString::from(secret),
            refresh_token: SecretString::from(grant.refresh_token),
            settings: GooglePhotosSettings::new(project),
        };
        let source = app
            .connect_google(tenant.id, source)
            .await
            .expect("connected");
        let archive = self.dir.path().join(format!("archive-{number}"));
        std::fs::create_dir(&archive).expect("a folder");
        let destination = NewDestination {
            name: "folder".into(),
            settings: StorageSettings::LocalFolder {
                path: archive.clone(),
            },
            keys: None,
        };
        let destination = app.connect_destination(tenant.id, destination).await;
        let plan = NewPlan {
            name: "backup".into(),
            source: source.id,
            destination: destination.expect("connected").id,
            options: PlanOptions::default(),
            schedule: None,
            archive: None,
        };
        let plan = app.create_plan(tenant.id, plan).await.expect("a plan");
        let run = app
            .start_run(tenant.id, plan.id, RunChoice::Full)
            .await
            .expect("a run");
        Customer {
            tenant: tenant.id,
            account,
            archive,
            run: run.id,
        }
    }

    pub(super) async fn run_of(&self, customer: &Customer) -> Run {
        let store = &self.app.ports().store;
        let found = store.run(customer.tenant, customer.run).await;
        found.expect("the catalogue answers").expect("the run")
    }

    /// Waits until so many photos of all customers together are stored.
    pub(super) async fn stored(&self, customers: &[Customer], at_least: u64, patience: Duration) {
        let began = Instant::now();
        loop {
            let mut stored = 0;
            for customer in customers {
                let store = &self.app.ports().store;
                let progress = store.progress(customer.tenant, customer.run).await;
                stored += progress.expect("the catalogue answers").stored;
            }
            if stored >= at_least {
                return;
            }
            assert!(
                began.elapsed() < patience,
                "{stored} of {at_least} are stored"
            );
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the run of each customer is over, and says how.
    pub(super) async fn over(&self, customers: &[Customer], patience: Duration) -> Vec<RunState> {
        let began = Instant::now();
        loop {
            let mut states = Vec::new();
            for customer in customers {
                states.push(self.run_of(customer).await.status.state);
            }
            if states.iter().all(|state| state.is_final()) {
                return states;
            }
            assert!(began.elapsed() < patience, "the runs are {states:?}");
            sleep(Duration::from_millis(100)).await;
        }
    }
}
