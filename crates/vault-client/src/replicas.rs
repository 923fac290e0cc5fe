//! The vault's replicas: one connection each, the least busy healthy one first.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use rustls::ClientConfig;
use tintype_runtime::mtls::Reloading;
use tokio::{net::lookup_host, time::Instant};
use tonic::{
    ConnectError,
    transport::{Channel, Endpoint, Uri},
};
use tower::service_fn;

use crate::{ClientError, VaultClientSettings, connect::connect};

/// How long a replica that failed is left alone, at first and at most, while others are well.
const FIRST_REST: Duration = Duration::from_millis(200);
const LONGEST_REST: Duration = Duration::from_secs(10);
/// The longest a look-up of a name may take.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);
/// More addresses of one name than anybody has replicas.
const MOST_REPLICAS: usize = 64;

/// All replicas that the endpoints' names stand for.
pub(crate) struct Replicas {
    names: Vec<String>,
    certificates: Arc<Reloading<ClientConfig>>,
    settings: VaultClientSettings,
    known: Mutex<Known>,
    /// One look-up at a time.
    resolving: tokio::sync::Mutex<()>,
    refreshing: AtomicBool,
    turn: AtomicUsize,
}

#[derive(Default)]
struct Known {
    replicas: Vec<Arc<Replica>>,
    resolved_at: Option<Instant>,
}

/// One address.
pub(crate) struct Replica {
    address: SocketAddr,
    channel: Channel,
    busy: AtomicUsize,
    rest: Mutex<Rest>,
}

#[derive(Default)]
struct Rest {
    until: Option<Instant>,
    failures: u32,
}

/// A call that is under way at a replica.
pub(crate) struct Taken(Arc<Replica>);

impl Replicas {
    pub(crate) fn new(
        settings: &VaultClientSettings,
        certificates: Arc<Reloading<ClientConfig>>,
    ) -> Result<Self, ClientError> {
        let names: Vec<String> = settings
            .endpoints
            .split(',')
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        let is_wrong = |name: &&String| {
            let port = name
                .rsplit_once(':')
                .map(|(host, port)| (host, port.parse::<u16>()));
            !matches!(port, Some((host, Ok(1..))) if !host.is_empty() && !host.contains('/'))
        };
        if let Some(wrong) = names.iter().find(is_wrong) {
            return Err(ClientError::Endpoint(wrong.clone()));
        }
        if names.is_empty() {
            return Err(ClientError::Endpoint(settings.endpoints.clone()));
        }
        Ok(Self {
            names,
            certificates,
            settings: settings.clone(),
            known: Mutex::default(),
            resolving: tokio::sync::Mutex::default(),
            refreshing: AtomicBool::new(false),
            turn: AtomicUsize::new(0),
        })
    }

    /// The replica to ask now. Names are looked up at first and again, beside the calls, when that was long ago.
    pub(crate) async fn take(self: &Arc<Self>) -> Result<Taken, String> {
        let fresh = self.settings.resolve_every;
        let age = held(&self.known).resolved_at.map(|at| at.elapsed());
        match age {
            Some(age) if age < fresh => {}
            Some(_) => self.refresh_beside(),
            None => self.resolve().await?,
        }
        self.choose()
            .ok_or_else(|| "no address is known".to_owned())
    }

    /// Connects anew from the next call on; calls under way end where they are.
    pub(crate) fn renew(&self) {
        let mut known = held(&self.known);
        for replica in &mut known.replicas {
            *replica = Arc::new(self.replica(replica.address));
        }
    }

    fn refresh_beside(self: &Arc<Self>) {
        if self.refreshing.swap(true, Ordering::AcqRel) {
            return;
        }
        let replicas = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = replicas.look_up().await {
                tracing::warn!(
                    error,
                    "the vault's name cannot be looked up: the known addresses stay in use"
                );
                held(&replicas.known).resolved_at = Some(Instant::now());
            }
            replicas.refreshing.store(false, Ordering::Release);
        });
    }

    async fn resolve(&self) -> Result<(), String> {
        let _one = self.resolving.lock().await;
        if held(&self.known).resolved_at.is_some() {
            return Ok(());
        }
        self.look_up().await
    }

    async fn look_up(&self) -> Result<(), String> {
        let mut addresses = Vec::new();
        let mut trouble = None;
        for name in &self.names {
            match tokio::time::timeout(RESOLVE_TIMEOUT, lookup_host(name)).await {
                Ok(Ok(found)) => addresses.extend(found),
                Ok(Err(error)) => trouble = Some(format!("{name} cannot be looked up: {error}")),
                Err(_) => trouble = Some(format!("{name} cannot be looked up in time")),
            }
        }
        addresses.sort_unstable();
        addresses.dedup();
        addresses.truncate(MOST_REPLICAS);
        if addresses.is_empty() {
            return Err(trouble.unwrap_or_else(|| "the vault's name has no address".to_owned()));
        }
        let mut known = held(&self.known);
        let kept = |address: SocketAddr| {
            let same = known.replicas.iter().find(|known| known.address == address);
            same.cloned()
                .unwrap_or_else(|| Arc::new(self.replica(address)))
        };
        let replicas = addresses.into_iter().map(kept).collect();
        known.replicas = replicas;
        known.resolved_at = Some(Instant::now());
        Ok(())
    }

    /// Who is well before who rests; then who has least to do; equal ones in turn.
    fn choose(&self) -> Option<Taken> {
        let known = held(&self.known);
        let count = known.replicas.len();
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        let chosen = (0..count)
            .map(|step| &known.replicas[first.wrapping_add(step) % count])
            .min_by_key(|replica| {
                (
                    replica.resting_until(now),
                    replica.busy.load(Ordering::Relaxed),
                )
            })?;
        chosen.busy.fetch_add(1, Ordering::Relaxed);
        Some(Taken(Arc::clone(chosen)))
    }

    fn replica(&self, address: SocketAddr) -> Replica {
        let settings = &self.settings;
        let limit = settings.connect_timeout;
        let certificates = Arc::clone(&self.certificates);
        let connector = service_fn(move |_: Uri| {
            let certificates = Arc::clone(&certificates);
            async move {
                let connected = connect(address, &certificates, limit).await;
                connected.map_err(|error| ConnectError(Box::new(error)))
            }
        });
        // The connector speaks TLS by itself; the address is here for its form only.
        let channel = Endpoint::from(uri_of(address))
            .http2_keep_alive_interval(settings.keep_alive)
            .keep_alive_timeout(settings.keep_alive_timeout)
            .keep_alive_while_idle(true)
            .connect_with_connector_lazy(connector);
        Replica {
            address,
            channel,
            busy: AtomicUsize::new(0),
            rest: Mutex::default(),
        }
    }
}

fn uri_of(address: SocketAddr) -> Uri {
    format!("http://{address}")
        .parse()
        .unwrap_or_else(|_| Uri::from_static("http://vault"))
}

impl Replica {
    fn resting_until(&self, now: Instant) -> Option<Instant> {
        held(&self.rest).until.filter(|until| *until > now)
    }
}

impl Taken {
    pub(crate) fn channel(&self) -> Channel {
        self.0.channel.clone()
    }

    /// It answered.
    pub(crate) fn answered(&self) {
        *held(&self.0.rest) = Rest::default();
    }

    /// It did not answer: others are asked first for a while, which grows.
    pub(crate) fn failed(&self) {
        let mut rest = held(&self.0.rest);
        let pause = FIRST_REST
            .saturating_mul(1 << rest.failures.min(10))
            .min(LONGEST_REST);
        rest.failures = rest.failures.saturating_add(1);
        rest.until = Some(Instant::now() + pause);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
