//! A trust domain of its own, in a folder of its own: certificates, grant keys, vaults, callers.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use secrecy::SecretString;
use tempfile::TempDir;
use tintype_model::trace::TraceParent;
use tintype_ports::{
    VaultKeeper,
    contract::vault::{self, FakeGoogle},
    fake::{ManualClock, SeededEntropy},
    trace::{NoTraces, TraceLink},
};
use tintype_proto::grant::Scope;
use tintype_runtime::{
    Lifecycle,
    mtls::{Reloading, TlsFiles, client_config},
};
use tintype_testkit::certificates::{CertificateFiles, DevAuthority, GrantKeyPair, Validity};
use tintype_vault::{GrantKey, ServeError, Settings, Surroundings, VaultServer};
use tintype_vault_client::{
    GrantSigner, Surroundings as ClientSurroundings, VaultClient, VaultClientSettings,
};
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

use crate::keeper::SwitchedKeeper;

pub(crate) const SERVICES: [&str; 4] = ["gateway", "worker", "scheduler", "admin"];

/// Longer than anything here takes: reached only when something is stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn id(service: &str) -> String {
    format!("spiffe://tintype.test/{service}")
}

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) authority: DevAuthority,
    pub(crate) worker_key: GrantKeyPair,
    pub(crate) gateway_key: GrantKeyPair,
    pub(crate) scheduler_key: GrantKeyPair,
    pub(crate) google: Arc<FakeGoogle>,
    pub(crate) clock: Arc<ManualClock>,
    /// What joins calls to traces at the vault.
    pub(crate) traces: Arc<RecordedTraces>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            authority: DevAuthority::new(),
            worker_key: GrantKeyPair::new(),
            gateway_key: GrantKeyPair::new(),
            scheduler_key: GrantKeyPair::new(),
            google: Arc::default(),
            clock: vault::clock(),
            traces: Arc::default(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) async fn keeper(&self) -> Arc<SwitchedKeeper> {
        let (google, clock) = (Arc::clone(&self.google), Arc::clone(&self.clock));
        SwitchedKeeper::open(&self.path().join("vault.db"), google, clock).await
    }

    /// Certificate files for a service, made anew.
    pub(crate) fn tls(&self, service: &str) -> TlsFiles {
        files(self.authority.write(self.path(), service, &id(service)))
    }

    pub(crate) fn settings(&self) -> Settings {
        let key = |name: &str, pair: &GrantKeyPair, scopes: &[Scope]| GrantKey {
            id: format!("{name}-1"),
            public_key: pair.public.clone(),
            identity: id(name).parse().unwrap(),
            scopes: scopes.iter().copied().collect::<BTreeSet<_>>(),
        };
        let keys = vec![
            key("worker", &self.worker_key, &Scope::ALL),
            key("gateway", &self.gateway_key, &[Scope::Test]),
            key("scheduler", &self.scheduler_key, &[Scope::KeepAlive]),
        ];
        let mut settings = Settings::new(([127, 0, 0, 1], 0).into(), self.tls("vault"), keys);
        settings.health_every = Duration::from_millis(20);
        settings.reload_every = Duration::from_millis(20);
        settings
    }

    pub(crate) async fn serve(&self, keeper: Arc<dyn VaultKeeper>) -> Running {
        self.serve_with(self.settings(), keeper).await
    }

    pub(crate) async fn serve_with(
        &self,
        settings: Settings,
        keeper: Arc<dyn VaultKeeper>,
    ) -> Running {
        self.serve_traced(settings, keeper, self.traces.clone())
            .await
    }

    pub(crate) async fn serve_traced(
        &self,
        settings: Settings,
        keeper: Arc<dyn VaultKeeper>,
        traces: Arc<dyn TraceLink>,
    ) -> Running {
        let around = Surroundings {
            clock: self.clock.clone(),
            traces,
        };
        let server = VaultServer::bind(settings, keeper, around).await.unwrap();
        let (address, certificates) = (server.address(), server.certificates());
        let life = Lifecycle::new();
        let task = {
            let life = life.clone();
            tokio::spawn(async move { server.run(&life).await })
        };
        Running {
            address,
            certificates,
            life,
            task,
        }
    }

    pub(crate) fn client_settings(&self, service: &str, endpoints: &str) -> VaultClientSettings {
        let mut settings = VaultClientSettings::new(endpoints, self.tls(service));
        settings.deadline = Duration::from_secs(30);
        settings.reload_every = PATIENCE;
        settings
    }

    pub(crate) fn client(&self, service: &str, address: SocketAddr) -> VaultClient {
        self.client_with(
            service,
            &self.client_settings(service, &address.to_string()),
        )
    }

    pub(crate) fn client_with(&self, service: &str, settings: &VaultClientSettings) -> VaultClient {
        let pair = match service {
            "worker" => Some(&self.worker_key),
            "gateway" => Some(&self.gateway_key),
            "scheduler" => Some(&self.scheduler_key),
            _ => None,
        };
        let signer = pair.map(|pair| {
            let private = SecretString::from(pair.private.as_str());
            GrantSigner::from_pem(&format!("{service}-1"), &private).unwrap()
        });
        self.client_traced(settings, signer, Arc::new(NoTraces))
    }

    pub(crate) fn client_traced(
        &self,
        settings: &VaultClientSettings,
        signer: Option<GrantSigner>,
        traces: Arc<dyn TraceLink>,
    ) -> VaultClient {
        let around = ClientSurroundings {
            clock: self.clock.clone(),
            entropy: Arc::new(SeededEntropy::new(tintype_testkit::seed())),
            traces,
        };
        VaultClient::new(settings, signer, around).unwrap()
    }

    /// A bare channel of a caller with a good certificate.
    pub(crate) fn channel(&self, service: &str, address: SocketAddr) -> Channel {
        let material = self.tls(service).read().unwrap();
        channel_with(client_config(&material, "vault").unwrap(), address)
    }

    /// The same, with a certificate for these names, from this authority.
    pub(crate) fn odd_channel(
        &self,
        authority: &DevAuthority,
        uris: &[&str],
        validity: Validity,
        address: SocketAddr,
    ) -> Channel {
        let certified = authority.certify(uris, validity);
        let odd = authority.write_certified(self.path(), "odd", &certified);
        channel_with(self.odd_config(&odd), address)
    }

    /// A caller who believes every vault of ours, and shows whatever is in the files.
    fn odd_config(&self, odd: &CertificateFiles) -> ClientConfig {
        use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
        let chain = CertificateDer::pem_file_iter(&odd.certificate).unwrap();
        let chain = chain.map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(&odd.key).unwrap();
        builder(&[&rustls::version::TLS13], self.authority.pem())
            .with_client_auth_cert(chain, key)
            .unwrap()
    }
}

/// A TLS client that goes by names, as others do.
pub(crate) fn builder(
    versions: &[&'static rustls::SupportedProtocolVersion],
    authority: &str,
) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    use rustls_pki_types::{CertificateDer, pem::PemObject as _};
    let mut roots = rustls::RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.as_bytes()).unwrap();
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
}

pub(crate) fn channel_with(mut config: ClientConfig, address: SocketAddr) -> Channel {
    config.alpn_protocols = vec![b"h2".to_vec()];
    let config = Arc::new(config);
    let connector = tower::service_fn(move |_: Uri| {
        let connector = TlsConnector::from(Arc::clone(&config));
        async move {
            let stream = TcpStream::connect(address).await?;
            let name = ServerName::try_from("localhost").unwrap();
            connector.connect(name, stream).await.map(TokioIo::new)
        }
    });
    Endpoint::from_static("http://vault").connect_with_connector_lazy(connector)
}

pub(crate) fn files(files: CertificateFiles) -> TlsFiles {
    TlsFiles {
        certificate: files.certificate,
        key: files.key,
        authorities: files.authorities,
    }
}

/// A vault that answers.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) certificates: Arc<Reloading<rustls::ServerConfig>>,
    pub(crate) life: Lifecycle,
    pub(crate) task: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    /// Stops it and waits until it is gone.
    pub(crate) async fn stop(self) {
        self.life.stop();
        tokio::time::timeout(PATIENCE, self.task)
            .await
            .expect("a vault that is stopped ends")
            .unwrap()
            .unwrap();
    }
}

/// Writes down which traces it joined; is itself always in the same place of one.
#[derive(Default)]
pub(crate) struct RecordedTraces(pub(crate) Mutex<Vec<TraceParent>>);

pub(crate) const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

impl TraceLink for RecordedTraces {
    fn current(&self) -> Option<TraceParent> {
        Some(PARENT.parse().unwrap())
    }

    fn adopt(&self, _span: &tracing::Span, parent: &TraceParent) {
        self.0.lock().unwrap().push(parent.clone());
    }
}

/// Waits until `look` sees what is expected.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, look: impl Fn() -> F) {
    let looking = async {
        while !look().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let seen = tokio::time::timeout(PATIENCE, looking).await;
    assert!(seen.is_ok(), "never seen: {what}");
}
