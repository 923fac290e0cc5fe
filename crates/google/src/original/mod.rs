//! Full-resolution proxies: `GET {proxy}/id/{item}` answers the original. Such a program drives one browser: it serves one download
//! at a time, answers failures with empty bodies, and may hang. Nothing here is a call of Google's.

mod answer;
mod lane;
mod rest;
mod settings;
mod turn;

use std::sync::Arc;

use async_trait::async_trait;
use tintype_model::storage::ProxyUrl;
use tintype_ports::{
    clock::Entropy,
    originals::{NoTurn, Originals, Turn},
    photos::Persistence,
};
use tintype_runtime::http::GuardedClient;

use lane::Lanes;
pub use settings::ProxySettings;
use turn::ProxyTurn;

/// What all proxies share.
#[derive(Debug)]
struct Way {
    client: GuardedClient,
    settings: ProxySettings,
    entropy: Arc<dyn Entropy>,
}

/// Downloads by way of full-resolution proxies.
#[derive(Debug)]
pub struct ProxyOriginals {
    way: Arc<Way>,
    lanes: Lanes,
}

impl ProxyOriginals {
    /// `client` must follow no redirects, repeat nothing by itself and have no read timeout: `HttpSettings::unhurried` and `guarded`
    /// of `tintype-runtime` make such ones. The deadlines of `settings` are what counts.
    #[must_use]
    pub fn new(client: GuardedClient, settings: ProxySettings, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            way: Arc::new(Way {
                client,
                settings,
                entropy,
            }),
            lanes: Lanes::default(),
        }
    }
}

#[async_trait]
impl Originals for ProxyOriginals {
    async fn turn(
        &self,
        proxy: &ProxyUrl,
        persistence: Persistence,
    ) -> Result<Box<dyn Turn>, NoTurn> {
        let lane = self.lanes.of(proxy);
        let place = lane.place(&self.way.settings, persistence).await?;
        let way = Arc::clone(&self.way);
        Ok(Box::new(ProxyTurn::new(way, proxy, place, persistence)))
    }
}
