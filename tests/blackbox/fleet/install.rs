//! A hosted install: servers, certificates, settings, processes.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::Path,
};

use tempfile::TempDir;
use tintype_runtime::mtls::TlsFiles;
use tintype_testkit::{
    certificates::{DevAuthority, GrantKeyPair},
    process::Spawned,
    servers::{Apt, Durability, Postgres, RabbitMq, Redis},
};

use super::{
    api::Api,
    google::{DOWNLOADS_A_DAY, Google, REQUESTS_A_DAY},
};
use crate::household::{run, text, tintype};

pub(super) const TOKEN: &str = "operator-canary-0123456789abcdef0123456789";

/// A role's process, and where its health, readiness and metrics are.
pub(super) struct Process {
    pub(super) spawned: Spawned,
    pub(super) ops: String,
}

/// Everything but the processes of ours.
pub(super) struct Install {
    pub(super) google: Google,
    pub(super) postgres: Postgres,
    pub(super) rabbitmq: RabbitMq,
    pub(super) redis: Redis,
    pub(super) dir: TempDir,
    gateway: String,
}

fn free_port() -> u16 {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    socket.local_addr().expect("an address").port()
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
    pub(super) async fn new() -> Self {
        let apt = Apt::default();
        let (postgres, rabbitmq, redis) = tokio::join!(
            Postgres::start(&apt, Durability::Kill),
            RabbitMq::start(&apt),
            Redis::start(&apt)
        );
        let mut install = Self {
            google: Google::start().await,
            postgres: postgres.expect("a PostgreSQL server"),
            rabbitmq: rabbitmq.expect("a RabbitMQ server"),
            redis: redis.expect("a Redis server"),
            dir: TempDir::new().expect("a folder"),
            gateway: format!("127.0.0.1:{}", free_port()),
        };
        install.google.canaries.push(TOKEN.into());
        install.settings();
        for settings in ["vault.toml", "fleet.toml"] {
            let file = install.dir.path().join(settings);
            let arguments = ["serve", "--role", "migrate", "--config", text(&file)];
            run(tintype(&arguments)).await.assert_code(0);
        }
        install
    }

    /// A file each for the vault and the gateway, and one for everybody else: the vault knows them apart.
    fn settings(&self) {
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
                 public_key_file = \"{public}\"\nscopes = [\"list\", \"download\", \"test\", \"write\", \"sign\"]\n"
            ));
        }
        // The vault has a database of its own; on a server that is thrown away, one that is there already does.
        let catalogue = self.postgres.url();
        let (server, _) = catalogue.rsplit_once('/').expect("a database in the url");
        let vault = format!("{server}/template1");
        let key_file = dir.join("kek");
        tintype_vault_core::KeyRing::create_file(&key_file).expect("a key file");
        let vault_port = free_port();
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
                 [policy]\nlocal_folders = true\n[worker]\nlease_seconds = 3\nspool = \"{}\"\n\
                 [scheduler]\nlead_seconds = 3\ndispatch_patience_seconds = 5\n\
                 [quota.default]\nrequests_per_day = {REQUESTS_A_DAY}\ndownloads_per_day = {DOWNLOADS_A_DAY}\n\
                 [vault]\nendpoints = \"127.0.0.1:{vault_port}\"\ngrant_key_id = \"{service}-1\"\n\
                 grant_key_file = \"{}\"\n{}",
                self.rabbitmq.url(),
                self.redis.url(),
                self.gateway,
                dir.join("spool").display(),
                dir.join(format!("{service}-grant.key")).display(),
                tls("vault.tls", &files(service)),
            );
            write(&dir.join(name), &fleet);
        }
    }

    /// The settings of workers and schedulers.
    pub(super) fn fleet(&self) -> String {
        self.dir.path().join("fleet.toml").display().to_string()
    }

    pub(super) fn serve(&self, role: &str) -> Process {
        self.start(role, None)
    }

    fn start(&self, role: &str, dying_at: Option<&str>) -> Process {
        let settings = match role {
            "vault" => "vault.toml",
            "gateway" => "gateway.toml",
            _ => "fleet.toml",
        };
        let file = self.dir.path().join(settings);
        let ops = format!("127.0.0.1:{}", free_port());
        let mut command = tintype(&["serve", "--role", role, "--config", text(&file)]);
        command.env("TINTYPE_OPS__LISTEN", &ops);
        if let Some(step) = dying_at {
            command.env("TINTYPE_CRASH_AT", step);
        }
        Process {
            spawned: Spawned::start(command),
            ops,
        }
    }

    /// A worker that dies at this step.
    pub(super) fn serve_dying_at(&self, step: &str) -> Process {
        self.start("worker", Some(step))
    }

    pub(super) fn api(&self) -> Api {
        Api::new(&self.gateway, TOKEN)
    }
}
