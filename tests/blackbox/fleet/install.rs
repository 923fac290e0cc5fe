//! A hosted install: servers, certificates, settings, processes.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use secrecy::SecretString;
use tempfile::TempDir;
use tintype_ports::trace::NoTraces;
use tintype_runtime::{SystemClock, SystemEntropy, mtls::TlsFiles};
use tintype_testkit::{
    certificates::{DevAuthority, GrantKeyPair},
    chaos::ChaosProxy,
    process::Spawned,
    servers::{Apt, Durability, Postgres, RabbitMq, Redis, ports},
};
use tintype_vault_client::{GrantSigner, Surroundings, VaultClient, VaultClientSettings};

use super::{
    api::Api,
    google::{DOWNLOADS_A_DAY, Google, REQUESTS_A_DAY},
};
use crate::household::{run, text, tintype};

/// How long a worker may keep what it leased without being heard of.
pub(super) const LEASE: Duration = Duration::from_secs(3);

pub(super) const TOKEN: &str = "operator-canary-0123456789abcdef0123456789";

/// A role's process, and where its health, readiness and metrics are.
pub(super) struct Process {
    pub(super) spawned: Spawned,
    pub(super) ops: String,
}

/// What stands between the processes and what they connect to.
pub(super) struct Weather {
    pub(super) postgres: ChaosProxy,
    pub(super) rabbitmq: ChaosProxy,
    pub(super) redis: ChaosProxy,
    pub(super) vault: ChaosProxy,
}

impl Weather {
    pub(super) const fn all(&self) -> [&ChaosProxy; 4] {
        [&self.postgres, &self.rabbitmq, &self.redis, &self.vault]
    }
}

/// Everything but the processes of ours.
pub(super) struct Install {
    pub(super) weather: Option<Weather>,
    pub(super) google: Google,
    pub(super) postgres: Postgres,
    pub(super) rabbitmq: RabbitMq,
    pub(super) redis: Redis,
    pub(super) dir: TempDir,
    gateway: String,
    collector: Option<String>,
    vault: u16,
    /// Who may call the vault, by the name of the service.
    identities: BTreeMap<&'static str, TlsFiles>,
}

fn free_port() -> u16 {
    ports::free().expect("a free port")
}

fn write(path: &Path, text: &str) -> String {
    std::fs::write(path, text).expect("written");
    path.display().to_string()
}

fn tls(section: &str, files: &TlsFiles) -> String {
    format!(
        "[{section}]\ncertificate = \"{}\"\nkey = \"{}\"\nauthorities = \"{}\"\n",
        files.certificate.display(),
        files.key.display(),
        files.authorities.display()
    )
}

impl Install {
    /// An install whose processes reach its servers, and its vault, through bad weather.
    pub(super) async fn outdoors() -> Self {
        let mut install = Self::bare().await;
        let at = |port: u16| ChaosProxy::start(format!("127.0.0.1:{port}"));
        install.weather = Some(Weather {
            postgres: at(install.postgres.port()).await,
            rabbitmq: at(install.rabbitmq.port()).await,
            redis: at(install.redis.port()).await,
            vault: at(install.vault).await,
        });
        install.settled().await
    }

    pub(super) async fn new() -> Self {
        Self::bare().await.settled().await
    }

    async fn bare() -> Self {
        let apt = Apt::default();
        let (postgres, rabbitmq, redis) = tokio::join!(
            Postgres::start(&apt, Durability::Kill),
            RabbitMq::start(&apt),
            Redis::start(&apt)
        );
        let mut install = Self {
            weather: None,
            google: Google::start().await,
            postgres: postgres.expect("a PostgreSQL server"),
            rabbitmq: rabbitmq.expect("a RabbitMQ server"),
            redis: redis.expect("a Redis server"),
            dir: TempDir::new().expect("a folder"),
            gateway: format!("127.0.0.1:{}", free_port()),
            collector: None,
            vault: free_port(),
            identities: BTreeMap::new(),
        };
        install.google.canaries.push(TOKEN.into());
        install
    }

    async fn settled(mut self) -> Self {
        self.settings();
        for settings in ["vault.toml", "fleet.toml"] {
            let file = self.dir.path().join(settings);
            let arguments = ["serve", "--role", "migrate", "--config", text(&file)];
            run(tintype(&arguments)).await.assert_code(0);
        }
        self
    }

    /// The address of a server as processes are told it.
    fn seen(&self, url: &str, port: u16, proxy: impl Fn(&Weather) -> &ChaosProxy) -> String {
        match &self.weather {
            Some(weather) => {
                let to = format!(":{}", proxy(weather).port());
                url.replace(&format!(":{port}"), &to)
            }
            None => url.to_owned(),
        }
    }

    /// From now on processes send all of their spans there.
    pub(super) fn observe(&mut self, collector: &str) {
        self.collector = Some(collector.to_owned());
    }

    /// A file each for the vault and the gateway, and one for everybody else: the vault knows them apart.
    fn settings(&mut self) {
        let dir = self.dir.path();
        let authority = DevAuthority::new();
        let files = |service: &str| {
            let identity = format!("spiffe://tintype.example/{service}");
            let files = authority.write(dir, service, &identity);
            TlsFiles {
                certificate: files.certificate,
                key: files.key,
                authorities: files.authorities,
            }
        };
        let mut signers = String::new();
        for service in ["gateway", "worker"] {
            let pair = GrantKeyPair::new();
            write(&dir.join(format!("{service}-grant.key")), &pair.private);
            let public = write(&dir.join(format!("{service}-grant.pub")), &pair.public);
            signers.push_str(&format!(
                "[[vault_server.grant_keys]]\nid = \"{service}-1\"\nidentity = \"spiffe://tintype.example/{service}\"\n\
                 public_key_file = \"{public}\"\nscopes = [\"list\", \"download\", \"test\", \"write\", \"sign\", \"read\", \"upload\", \"keep_alive\"]\n"
            ));
        }
        // The vault has a database of its own; on a server that is thrown away, one that is there already does.
        let catalogue = self.postgres.url();
        let catalogue = self.seen(&catalogue, self.postgres.port(), |it| &it.postgres);
        let rabbitmq = self.rabbitmq.url();
        let rabbitmq = self.seen(&rabbitmq, self.rabbitmq.port(), |it| &it.rabbitmq);
        let redis = self.seen(&self.redis.url(), self.redis.port(), |it| &it.redis);
        let vault_at = format!("127.0.0.1:{}", self.vault);
        let vault_at = self.seen(&vault_at, self.vault, |it| &it.vault);
        let (server, _) = catalogue.rsplit_once('/').expect("a database in the url");
        let vault = format!("{server}/template1");
        let key_file = dir.join("kek");
        tintype_vault_core::KeyRing::create_file(&key_file).expect("a key file");
        let vault_port = self.vault;
        let shared = format!("[google]\nurl = \"{}\"\n", self.google.url());
        let of_vault = format!(
            "{shared}[vault_server]\nlisten = \"127.0.0.1:{vault_port}\"\n{}\
             [vault_server.keys]\nfile = \"{}\"\n[vault_server.database]\nurl = \"{vault}\"\n{signers}",
            tls("vault_server.tls", &files("vault")),
            key_file.display(),
        );
        write(&dir.join("vault.toml"), &of_vault);
        for (name, service) in [("gateway.toml", "gateway"), ("fleet.toml", "worker")] {
            let fleet = format!(
                "{shared}[postgres]\nurl = \"{catalogue}\"\n[rabbitmq]\nurl = \"{}\"\n[redis]\nurl = \"{}\"\n\
                 [gateway]\nlisten = \"{}\"\noperator_token = \"{TOKEN}\"\n\
                 [policy]\nlocal_folders = true\n[worker]\nlease_seconds = {}\nspool = \"{}\"\n\
                 [scheduler]\nlead_seconds = 3\ndispatch_patience_seconds = 5\n\
                 [quota.default]\nrequests_per_day = {REQUESTS_A_DAY}\ndownloads_per_day = {DOWNLOADS_A_DAY}\n\
                 [vault]\nendpoints = \"{vault_at}\"\ngrant_key_id = \"{service}-1\"\n\
                 grant_key_file = \"{}\"\n{}",
                rabbitmq,
                redis,
                self.gateway,
                LEASE.as_secs(),
                dir.join("spool").display(),
                dir.join(format!("{service}-grant.key")).display(),
                tls("vault.tls", &files(service)),
            );
            write(&dir.join(name), &fleet);
        }
        let identities = ["gateway", "worker"].map(|service| (service, files(service)));
        self.identities = BTreeMap::from(identities);
    }

    /// A client of the vaults at `ports`, with the identity and the key of a service.
    pub(super) fn vault_client(&self, service: &'static str, ports: &[u16]) -> VaultClient {
        let endpoints: Vec<String> = ports.iter().map(|it| format!("127.0.0.1:{it}")).collect();
        let tls = self.identities[service].clone();
        let settings = VaultClientSettings::new(endpoints.join(","), tls);
        let key = self.dir.path().join(format!("{service}-grant.key"));
        let key = SecretString::from(std::fs::read_to_string(key).expect("a key"));
        let signer = GrantSigner::from_pem(&format!("{service}-1"), &key).expect("a signer");
        let around = Surroundings {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            traces: Arc::new(NoTraces),
        };
        VaultClient::new(&settings, Some(signer), around).expect("a client")
    }

    /// One more vault beside the others, and its port.
    pub(super) fn serve_vault_beside(&self) -> (Process, u16) {
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        (
            self.serve_with("vault", &[("TINTYPE_VAULT_SERVER__LISTEN", &listen)]),
            port,
        )
    }

    /// The port of the vault that the settings name.
    pub(super) const fn vault_port(&self) -> u16 {
        self.vault
    }

    /// The settings of workers and schedulers.
    pub(super) fn fleet(&self) -> String {
        self.dir.path().join("fleet.toml").display().to_string()
    }

    pub(super) fn serve(&self, role: &str) -> Process {
        self.serve_with(role, &[])
    }

    /// A role on a machine whose clock is wrong by so many seconds.
    pub(super) fn serve_skewed(&self, role: &str, seconds: i64) -> Process {
        self.serve_with(role, &[("TINTYPE_CLOCK_SKEW", &seconds.to_string())])
    }

    /// A role whose settings say something else in places.
    pub(super) fn serve_with(&self, role: &str, variables: &[(&str, &str)]) -> Process {
        let settings = match role {
            "vault" => "vault.toml",
            "gateway" => "gateway.toml",
            _ => "fleet.toml",
        };
        let file = self.dir.path().join(settings);
        let ops = format!("127.0.0.1:{}", free_port());
        let mut command = tintype(&["serve", "--role", role, "--config", text(&file)]);
        command.env("TINTYPE_OPS__LISTEN", &ops);
        command.envs(variables.iter().copied());
        if let Some(collector) = &self.collector {
            command.env("TINTYPE_TELEMETRY__OTLP_ENDPOINT", collector);
            command.env("TINTYPE_TELEMETRY__SAMPLING", "1.0");
        }
        Process {
            spawned: Spawned::start(command),
            ops,
        }
    }

    /// A worker that dies at this step.
    pub(super) fn serve_dying_at(&self, step: &str) -> Process {
        self.serve_with("worker", &[("TINTYPE_CRASH_AT", step)])
    }

    /// Where the gateway listens.
    pub(super) fn gateway(&self) -> &str {
        &self.gateway
    }

    pub(super) fn api(&self) -> Api {
        Api::new(&self.gateway, TOKEN)
    }
}
