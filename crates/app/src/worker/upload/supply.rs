//! What a shard still has to send, each item when its turn comes.

use std::collections::VecDeque;

use tintype_ports::{archive::Placement, store::PendingItem};

use super::super::{
    feed::{Fed, Feed},
    trouble::ItemTrouble,
    urls::HeldUrl,
};
use crate::AppResult;

/// The next item, or why it cannot be had.
pub(super) enum Supplied {
    /// Ready to be read; from a Google account with the URL of its bytes.
    Ready(PendingItem, Option<HeldUrl>),
    /// Its source does not offer it.
    Trouble(PendingItem, ItemTrouble),
}

/// The items of a shard that were not started yet.
pub(super) enum Supply {
    /// Files of a folder, a bucket or an archive.
    Files(VecDeque<PendingItem>),
    /// Items of another account, which need URLs.
    Account(Box<Feed>),
}

impl Supply {
    pub(super) fn files(items: Vec<PendingItem>) -> Self {
        Self::Files(items.into())
    }

    /// Nothing of it is placed in an archive, whatever the feed carries along.
    pub(super) fn placed(items: Vec<PendingItem>) -> Vec<(PendingItem, Placement)> {
        let placed = |item| (item, Placement::ByContent);
        items.into_iter().map(placed).collect()
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Files(items) => items.len(),
            Self::Account(feed) => feed.len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next item. Cancel safe.
    pub(super) async fn next(&mut self) -> AppResult<Option<Supplied>> {
        Ok(match self {
            Self::Files(items) => items.pop_front().map(|item| Supplied::Ready(item, None)),
            Self::Account(feed) => feed.next().await?.map(|fed| match fed {
                Fed::Ready { item, url, .. } => Supplied::Ready(item, Some(url)),
                Fed::Trouble { item, trouble } => Supplied::Trouble(item, trouble),
            }),
        })
    }
}
