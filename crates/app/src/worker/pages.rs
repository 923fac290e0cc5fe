//! Pages of a Google Photos account on their way into the findings.

use std::{collections::HashMap, sync::Arc};

use chrono::Datelike;
use tintype_model::shard::Lease;
use tintype_ports::{
    PhotoSource,
    photos::{ListedItem, Page},
};

use super::{account::Account, findings::Findings, heartbeat::Halt, likenesses::Likenesses};
use crate::{App, AppResult};

/// A listing of an account at work.
pub(crate) struct Pages {
    pub(crate) found: Findings,
    pub(crate) account: Account,
    pub(crate) source: Arc<dyn PhotoSource>,
    /// Who may turn up again under another id.
    pub(crate) likenesses: Likenesses,
}

impl Pages {
    /// Goes on where the run's checkpoint is, or begins.
    pub(crate) async fn open(
        app: &App,
        lease: Arc<Lease>,
        account: Account,
        source: Arc<dyn PhotoSource>,
        halt: Halt,
    ) -> AppResult<Self> {
        let gate = Arc::clone(&account.gate);
        Ok(Self {
            found: Findings::open(app, lease, Some(gate), halt).await?,
            account,
            source,
            likenesses: Likenesses::default(),
        })
    }

    /// Takes a page in; returns how many of its items were not as known.
    pub(crate) async fn take(&mut self, page: Page<ListedItem>) -> AppResult<usize> {
        if let Some((count, why)) = page.malformed {
            self.found.unusable(count, &why);
        }
        // What a person picked is wanted, however old it is.
        let start_year = match self.likenesses.is_of_picks() {
            true => i32::MIN,
            false => self.account.settings.start_year,
        };
        let is_wanted = |item: &ListedItem| {
            item.metadata
                .created_at
                .is_none_or(|at| at.year() >= start_year)
        };
        let (mut entries, mut urls) = (Vec::new(), HashMap::new());
        for item in page.entries.into_iter().filter(is_wanted) {
            if let Some(url) = item.base_url {
                urls.insert(item.id.clone(), url);
            }
            entries.push((item.id, item.metadata));
        }
        let news = self.found.take(entries).await?;
        for item in &news {
            for (seq, of) in self.likenesses.links(item) {
                self.found.rendition(seq, of);
            }
        }
        let app = &self.found.app;
        let now = app.ports.clock.now();
        for item in &news {
            if let Some(url) = urls.remove(&item.id).filter(|_| item.is_copied) {
                app.urls
                    .put(self.account.storage, item.id.clone(), url, now);
            }
        }
        Ok(news.len())
    }
}
