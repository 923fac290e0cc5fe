//! Feeds a shard's items to the downloads, each with a base URL that is still good: from the listing if it is fresh,
//! else fifty at a time.

use std::{collections::VecDeque, sync::Arc};

use tintype_model::{StorageId, item::ProviderId};
use tintype_ports::{PhotoSource, archive::Placement, store::PendingItem};

use super::{download::no_url, trouble::ItemTrouble, urls::HeldUrl};
use crate::{App, AppResult};

/// Google's limit for one batchGet.
const BATCH: usize = 50;

/// The next item, or why it cannot be fetched.
pub(crate) enum Fed {
    /// Ready to download.
    Ready {
        item: PendingItem,
        placement: Placement,
        url: HeldUrl,
    },
    /// Google does not offer it.
    Trouble {
        item: PendingItem,
        trouble: ItemTrouble,
    },
}

struct Entry {
    item: PendingItem,
    placement: Placement,
    url: Option<Result<HeldUrl, ItemTrouble>>,
}

/// The items of a shard that were not started yet.
pub(crate) struct Feed {
    app: App,
    source: Arc<dyn PhotoSource>,
    storage: StorageId,
    entries: VecDeque<Entry>,
}

impl Feed {
    pub(crate) fn new(
        app: App,
        source: Arc<dyn PhotoSource>,
        storage: StorageId,
        items: Vec<(PendingItem, Placement)>,
    ) -> Self {
        let now = app.ports.clock.now();
        let entries = items
            .into_iter()
            .map(|(item, placement)| {
                let url = app.urls.take(storage, &item.provider_id, now).map(Ok);
                Entry {
                    item,
                    placement,
                    url,
                }
            })
            .collect();
        Self {
            app,
            source,
            storage,
            entries,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The next item. Cancel safe: an item leaves the feed only with the answer.
    pub(crate) async fn next(&mut self) -> AppResult<Option<Fed>> {
        let Some(front) = self.entries.front() else {
            return Ok(None);
        };
        let now = self.app.ports.clock.now();
        let usable = match &front.url {
            Some(Ok(held)) => self.app.urls.is_fresh(held, now),
            Some(Err(_)) => true,
            None => false,
        };
        if !usable {
            self.renew().await?;
        }
        let Some(Entry {
            item,
            placement,
            url,
        }) = self.entries.pop_front()
        else {
            return Ok(None);
        };
        Ok(Some(match url {
            Some(Ok(url)) => Fed::Ready {
                item,
                placement,
                url,
            },
            Some(Err(trouble)) => Fed::Trouble { item, trouble },
            None => Fed::Trouble {
                item,
                trouble: no_url(),
            },
        }))
    }

    /// Asks for the URLs of the next fifty items that have none, or a stale one.
    async fn renew(&mut self) -> AppResult<()> {
        let now = self.app.ports.clock.now();
        let needs = |entry: &Entry| match &entry.url {
            Some(Ok(held)) => !self.app.urls.is_fresh(held, now),
            Some(Err(_)) => false,
            None => true,
        };
        let places: Vec<usize> = (0..self.entries.len())
            .filter(|place| needs(&self.entries[*place]))
            .take(BATCH)
            .collect();
        let ids: Vec<ProviderId> = places
            .iter()
            .map(|place| self.entries[*place].item.provider_id.clone())
            .collect();
        tracing::debug!(storage.id = %self.storage, items = ids.len(), "asking for new base urls");
        let answers = self.source.items(&ids).await?;
        let since = self.app.ports.clock.now();
        for (place, answer) in places.into_iter().zip(answers) {
            let url = match answer {
                Ok(listed) => listed
                    .base_url
                    .map(|url| HeldUrl { url, since })
                    .ok_or_else(no_url),
                Err(error) => Err(ItemTrouble::from(error)),
            };
            self.entries[place].url = Some(url);
        }
        Ok(())
    }
}
