//! The application: the ports it works with, and what one process remembers between use cases.

use std::sync::Arc;

use tintype_ports::{
    Bell, Clock, Entropy, Events, Originals, Queue, Quota, Store, Vault, archive::Archives,
    photos::PhotoSources, trace::TraceLink,
};

use tokio::sync::Semaphore;

use crate::{
    schedule::LOOKS,
    settings::Settings,
    steps::Steps,
    worker::{committer::Committers, permits::Permits, upload::Memory, urls::UrlCache},
    writer::Writers,
};

/// Everything outside that the use cases talk to.
#[derive(Clone)]
pub struct Ports {
    /// The catalogue.
    pub store: Arc<dyn Store>,
    /// The job queue.
    pub queue: Arc<dyn Queue>,
    /// Google's quota.
    pub quota: Arc<dyn Quota>,
    /// The event bus.
    pub events: Arc<dyn Events>,
    /// Wakes the scheduler, wherever it runs.
    pub bell: Arc<dyn Bell>,
    /// Joins the work of several processes in one trace.
    pub traces: Arc<dyn TraceLink>,
    /// The vault.
    pub vault: Arc<dyn Vault>,
    /// Google Photos.
    pub sources: Arc<dyn PhotoSources>,
    /// Full-resolution proxies.
    pub originals: Arc<dyn Originals>,
    /// Destinations.
    pub archives: Arc<dyn Archives>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Who is told of journal steps.
    pub steps: Arc<dyn Steps>,
}

/// The application. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct App {
    pub(crate) ports: Ports,
    pub(crate) settings: Arc<Settings>,
    pub(crate) permits: Arc<Permits>,
    pub(crate) urls: Arc<UrlCache>,
    pub(crate) committers: Arc<Committers>,
    pub(crate) writers: Arc<Writers>,
    pub(crate) upload_memory: Arc<Memory>,
    /// Places for looks at picking sessions.
    pub(crate) looks: Arc<Semaphore>,
}

impl App {
    /// An application on these ports.
    #[must_use]
    pub fn new(ports: Ports, settings: Settings) -> Self {
        Self {
            permits: Arc::new(Permits::new(&settings)),
            urls: Arc::new(UrlCache::new(settings.url_cache, settings.url_lifetime)),
            committers: Arc::new(Committers::default()),
            writers: Arc::new(Writers::default()),
            looks: Arc::new(Semaphore::new(LOOKS)),
            upload_memory: Arc::new(Memory::new(settings.upload_memory)),
            settings: Arc::new(settings),
            ports,
        }
    }

    /// The ports, for doors that only read (a gateway listing runs, say).
    #[must_use]
    pub const fn ports(&self) -> &Ports {
        &self.ports
    }
}
