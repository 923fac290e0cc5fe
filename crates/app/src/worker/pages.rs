//! Pages of a Google Photos account on their way into the findings.

use std::sync::Arc;

use chrono::Datelike;
use tintype_model::{item::ProviderId, shard::Lease};
use tintype_ports::{
    PhotoSource,
    photos::{ListedItem, Page, Persistence},
};

use super::{account::Account, findings::Findings, heartbeat::Halt};
use crate::{App, AppResult};

/// A listing of an account at work.
pub(crate) struct Pages {
    pub(crate) found: Findings,
    pub(crate) account: Account,
    pub(crate) source: Arc<dyn PhotoSource>,
}

impl Pages {
    /// Goes on where the run's checkpoint is, or begins.
    pub(crate) async fn open(
        app: &App,
        lease: Arc<Lease>,
        account: Account,
        halt: Halt,
    ) -> AppResult<Self> {
        let gate = Arc::clone(&account.gate);
        let source = app
            .ports
            .sources
            .open(Arc::clone(&gate) as _, Persistence::Usual);
        Ok(Self {
            found: Findings::open(app, lease, Some(gate), halt).await?,
            account,
            source,
        })
    }

    /// Takes a page in; returns how many of its items were not as known.
    pub(crate) async fn take(&mut self, page: Page<ListedItem>) -> AppResult<usize> {
        if let Some((count, why)) = page.malformed {
            self.found.unusable(count, &why);
        }
        let start_year = self.account.settings.start_year;
        let is_wanted = |item: &ListedItem| {
            item.metadata
                .created_at
                .is_none_or(|at| at.year() >= start_year)
        };
        let (mut entries, mut urls) = (Vec::new(), std::collections::HashMap::new());
        for item in page.entries.into_iter().filter(is_wanted) {
            if let Some(url) = item.base_url {
                urls.insert(item.id.clone(), url);
            }
            entries.push((item.id, item.metadata));
        }
        let news: Vec<(ProviderId, bool)> = self.found.take(entries).await?;
        let app = &self.found.app;
        let now = app.ports.clock.now();
        for (id, is_copied) in &news {
            if let Some(url) = urls.remove(id).filter(|_| *is_copied) {
                app.urls.put(self.account.storage, id.clone(), url, now);
            }
        }
        Ok(news.len())
    }
}
