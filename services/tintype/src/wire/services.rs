//! The services profile: what workers and schedulers share lies in PostgreSQL, RabbitMQ, Redis and the vault.

use std::{
    collections::BTreeMap,
    future::ready,
    sync::Arc,
    time::{Duration, Instant},
};

use secrecy::{ExposeSecret, SecretString};
use tintype_app::{App, Ports, Settings, runs::describe};
use tintype_events::{RedisBell, RedisEvents};
use tintype_google::{GoogleEndpoints, GooglePhotosSources, GoogleSettings};
use tintype_model::{
    quota::{CloudProject, QuotaLimits},
    storage::StoragePolicy,
};
use tintype_ports::{Clock, Entropy, RateLimiter, Vault, rate_limit::Rate, store::Scheduling};
use tintype_queue::{RabbitQueue, RabbitSettings};
use tintype_quota::{LimitsOf, RedisQuota, RedisRateLimiter};
use tintype_runtime::{
    AnchoredClock, CaCert, HttpSettings, Lifecycle, SystemEntropy, clock::keep_anchored,
    trace::Traces,
};
use tintype_store::{PostgresSettings, PostgresStore};
use tintype_vault_client::{GrantSigner, VaultClient, VaultClientSettings};
use tintype_vault_core::VaultCore;

use super::{archives::Destinations, crash};
use crate::{
    failure::Failure,
    serve::{
        config::{Config, needed, read, wrong},
        ops::Check,
    },
};

/// How often the database is asked for its time.
pub(super) const ANCHOR_EVERY: Duration = Duration::from_secs(15);

/// Asked of the limiter to see whether Redis is there.
const PROBE: Rate = Rate {
    burst: 1_000,
    interval: Duration::from_millis(1),
};

/// The name under which the limits of all other cloud projects stand.
const DEFAULT_LIMITS: &str = "default";

/// The application of a gateway, a worker or a scheduler.
pub(crate) struct Services {
    app: App,
    queue: RabbitQueue,
    pub(super) limiter: Arc<dyn RateLimiter>,
}

impl Services {
    /// The application.
    pub(crate) const fn app(&self) -> &App {
        &self.app
    }

    /// The parts that these roles work with. What is in Redis is a copy, and what is to be queued waits in the database.
    pub(crate) fn checks(&self) -> Vec<Check> {
        let (queue, limiter) = (self.queue.clone(), Arc::clone(&self.limiter));
        vec![
            super::gateway::catalogue(&self.app),
            Check::helpful("rabbitmq", move || {
                let is_there = queue.is_connected();
                ready(is_there.then_some(()).ok_or_else(|| "not connected".into()))
            }),
            Check::helpful("redis", move || {
                let limiter = Arc::clone(&limiter);
                async move {
                    let answer = limiter.check("readiness", PROBE).await;
                    answer.map(drop).map_err(|error| describe(&error))
                }
            }),
        ]
    }
}

pub(super) fn google(config: &Config) -> Result<(HttpSettings, GoogleSettings), Failure> {
    let mut http = HttpSettings::from_env()?;
    http.ca_certs
        .extend(config.google.ca_cert.clone().map(CaCert::File));
    let endpoints = config.google.url.as_ref().map(GoogleEndpoints::at);
    let settings = GoogleSettings {
        endpoints: endpoints.unwrap_or_default(),
        ..GoogleSettings::default()
    };
    Ok((http, settings))
}

/// What a cloud project may spend: the default, and those that have limits of their own.
pub(crate) fn limits_of(
    config: &Config,
) -> Result<(QuotaLimits, BTreeMap<CloudProject, QuotaLimits>), Failure> {
    let default = config.quota.get(DEFAULT_LIMITS).copied();
    let default: QuotaLimits = default.unwrap_or_default();
    let mut of = BTreeMap::new();
    for (name, limits) in config
        .quota
        .iter()
        .filter(|(name, _)| *name != DEFAULT_LIMITS)
    {
        let project: CloudProject = name
            .parse()
            .map_err(|error| wrong(&format!("quota.{name}"), error))?;
        of.insert(project, *limits);
    }
    Ok((default, of))
}

fn limits(config: &Config) -> Result<LimitsOf, Failure> {
    let (default, of) = limits_of(config)?;
    Ok(Arc::new(move |project| {
        of.get(project).copied().unwrap_or(default)
    }))
}

pub(super) fn unusable(setting: &str) -> impl Fn(&dyn std::error::Error) -> Failure {
    move |error| wrong(setting, tintype_app::runs::describe(error))
}

async fn clock(store: &PostgresStore, life: &Lifecycle) -> Result<Arc<dyn Clock>, Failure> {
    let asked = Instant::now();
    let now = store
        .time()
        .await
        .map_err(|error| unusable("postgres.url")(&error))?;
    let clock = Arc::new(AnchoredClock::new(now, asked.elapsed()));
    let (store, stop) = (store.clone(), life.stopping());
    let kept = Arc::clone(&clock);
    tokio::spawn(async move {
        let stopped = stop.cancelled_owned();
        keep_anchored(&kept, || store.time(), ANCHOR_EVERY, stopped).await;
    });
    Ok(clock)
}

fn vault_client(
    config: &Config,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Arc<dyn Vault>, Failure> {
    let access = needed(config.vault.as_ref(), "vault")?;
    let key = SecretString::from(read("vault.grant_key_file", &access.grant_key_file)?);
    let signer = GrantSigner::from_pem(&access.grant_key_id, &key)
        .map_err(|error| unusable("vault.grant_key_file")(&error))?;
    let settings = VaultClientSettings::new(access.endpoints.as_str(), access.tls.clone());
    let around = tintype_vault_client::Surroundings {
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        traces: Arc::new(Traces),
    };
    let client = VaultClient::new(&settings, Some(signer), around)
        .map_err(|error| unusable("vault")(&error))?;
    Ok(Arc::new(client))
}

fn settings(config: &Config) -> Settings {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "localhost".into());
    Settings {
        slots: config.worker.slots.max(1),
        max_downloads: config.worker.max_downloads.max(1),
        lease: Duration::from_secs(config.worker.lease_seconds.max(2)),
        lead: Duration::from_secs(config.scheduler.lead_seconds.max(2)),
        dispatch_patience: Duration::from_secs(config.scheduler.dispatch_patience_seconds.max(1)),
        accounts_every: Duration::from_secs(config.scheduler.accounts_seconds.max(1)),
        fair_burst: config.fairness.burst,
        worker_name: format!("{host}/{}", std::process::id()),
        ..Settings::default()
    }
}

/// Connects a worker or a scheduler.
pub(crate) async fn services(config: &Config, life: &Lifecycle) -> Result<Services, Failure> {
    let postgres = needed(config.postgres.as_ref(), "postgres")?;
    let rabbitmq = needed(config.rabbitmq.as_ref(), "rabbitmq")?;
    let redis = needed(config.redis.as_ref(), "redis")?;
    let limits = limits(config)?;
    let steps = crash::from_env()?;
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let (http, google) = google(config)?;
    let client = http.unhurried().client()?;

    let pool = PostgresSettings {
        connections: postgres.connections,
        ..PostgresSettings::default()
    };
    let url = postgres.url("postgres")?;
    let store = PostgresStore::connect(url.expose_secret(), pool)
        .await
        .map_err(|error| unusable("postgres.url")(&error))?;
    let clock = clock(&store, life).await?;
    let vault = vault_client(config, &clock, &entropy)?;

    let mut broker = RabbitSettings::new(rabbitmq.url()?, rabbitmq.prefix.as_str());
    broker.queues = rabbitmq.queues;
    let queue = RabbitQueue::connect(broker, Arc::clone(&clock), Arc::clone(&entropy))
        .map_err(|error| unusable("rabbitmq")(&error))?;

    let of_quota = tintype_quota::RedisSettings {
        prefix: redis.prefix.clone(),
        ..tintype_quota::RedisSettings::at(redis.url()?)
    };
    let of_events = tintype_events::RedisSettings {
        prefix: redis.prefix.clone(),
        ..tintype_events::RedisSettings::at(redis.url()?)
    };
    let wrong_redis = unusable("redis.url");
    let quota = RedisQuota::new(
        &of_quota,
        Arc::new(store.clone()),
        limits,
        Arc::clone(&clock),
        Arc::clone(&entropy),
    );
    let quota = Arc::new(quota.map_err(|error| wrong_redis(&error))?);
    let (tended, stop) = (Arc::clone(&quota), life.stopping());
    tokio::spawn(async move {
        let stopped = stop.cancelled_owned();
        tended.keep_tended(RedisQuota::TEND_EVERY, stopped).await;
    });
    let limiter = RedisRateLimiter::new(&of_quota, Arc::clone(&entropy));
    let limiter = Arc::new(limiter.map_err(|error| wrong_redis(&error))?);
    let events = RedisEvents::new(&of_events, Arc::clone(&entropy));
    let bell = RedisBell::new(&of_events, Arc::clone(&entropy));

    let policy = config.policy.over(StoragePolicy::STRANGERS);
    let ports = Ports {
        store: Arc::new(store),
        queue: Arc::new(queue.clone()),
        quota,
        events: Arc::new(events.map_err(|error| wrong_redis(&error))?),
        bell: Arc::new(bell.map_err(|error| wrong_redis(&error))?),
        traces: Arc::new(Traces),
        vault,
        sources: Arc::new(GooglePhotosSources::new(
            client,
            google,
            Arc::clone(&entropy),
        )),
        originals: Arc::new(super::originals(&http, policy, &entropy)?),
        archives: Arc::new(Destinations::new(&http, &config.worker.spool, policy)?),
        clock,
        entropy,
        steps,
    };
    Ok(Services {
        app: App::new(ports, settings(config)),
        queue,
        limiter,
    })
}

/// Brings the databases that the settings name up to date.
pub(crate) async fn migrate(config: &Config) -> Result<(), Failure> {
    if let Some(catalogue) = &config.postgres {
        let url = catalogue.url("postgres")?;
        PostgresStore::migrate(url.expose_secret())
            .await
            .map_err(|error| unusable("postgres.url")(&error))?;
    }
    if let Some(vault) = &config.vault_server {
        let url = vault.database.url("vault_server.database")?;
        VaultCore::migrate_postgres(url.expose_secret())
            .await
            .map_err(|error| unusable("vault_server.database.url")(&error))?;
    }
    match (&config.postgres, &config.vault_server) {
        (None, None) => Err(wrong(
            "postgres.url",
            "is missing: there is nothing to migrate",
        )),
        _ => Ok(()),
    }
}
