//! The same photo seen through several channels: found by what tells a photo apart from others, since each channel may call it
//! by another id. Its bytes are kept from each of them, so that a likeness that deceives loses nothing.

use std::collections::HashMap;

use tintype_model::{PlanId, TenantId};

use super::findings::News;
use crate::{App, AppResult};

/// Catalogue rows that one look brings.
const LOOK: u32 = 1_000;

/// Items that may turn up again, by what tells them apart.
#[derive(Debug, Default)]
pub(crate) struct Likenesses {
    /// Whether the listing is one of what was picked.
    picks: bool,
    /// Positions by [`tintype_model::item::ItemMetadata::likeness`].
    known: HashMap<i64, Vec<u64>>,
}

impl Likenesses {
    /// Whatever a library may show again of what was picked: the library's is the item, with its albums, and the other a
    /// rendition of it.
    pub(crate) async fn of_picked(app: &App, tenant: TenantId, plan: PlanId) -> AppResult<Self> {
        let mut likenesses = Self::default();
        let mut after = None;
        loop {
            let store = &app.ports.store;
            let picked = store.picked(tenant, plan, after.as_ref(), LOOK).await?;
            let Some(last) = picked.last() else {
                return Ok(likenesses);
            };
            after = Some(last.provider_id.clone());
            for item in picked {
                likenesses.note(item.metadata.likeness(), item.seq);
            }
        }
    }

    /// Whatever a person may pick although it is known: the pick is a rendition of it.
    pub(crate) async fn of_all(app: &App, tenant: TenantId, plan: PlanId) -> AppResult<Self> {
        let mut likenesses = Self {
            picks: true,
            ..Self::default()
        };
        let mut after = None;
        loop {
            let items = app.ports.store.items(tenant, plan, after, LOOK).await?;
            let Some(last) = items.last() else {
                return Ok(likenesses);
            };
            after = Some(last.seq);
            for item in items {
                let known = item.metadata.likeness();
                // The first is the one that renditions are of.
                if known.is_some_and(|it| !likenesses.known.contains_key(&it)) {
                    likenesses.note(known, item.seq);
                }
            }
        }
    }

    pub(crate) const fn is_of_picks(&self) -> bool {
        self.picks
    }

    fn note(&mut self, likeness: Option<i64>, seq: u64) {
        if let Some(likeness) = likeness {
            self.known.entry(likeness).or_default().push(seq);
        }
    }

    /// Which items are renditions of which, now that this one was listed.
    pub(crate) fn links(&mut self, listed: &News) -> Vec<(u64, u64)> {
        let Some(likeness) = listed.likeness.filter(|_| listed.is_new) else {
            return Vec::new();
        };
        if self.picks {
            let of = self.known.get(&likeness).and_then(|it| it.first()).copied();
            self.note(Some(likeness), listed.seq);
            return of.map(|of| (listed.seq, of)).into_iter().collect();
        }
        let alike = self.known.remove(&likeness).unwrap_or_default();
        alike.into_iter().map(|seq| (seq, listed.seq)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(seq: u64, likeness: Option<i64>) -> News {
        News {
            id: format!("id{seq}").parse().expect("an id"),
            seq,
            is_new: true,
            is_copied: true,
            likeness,
        }
    }

    #[test]
    fn what_the_library_shows_takes_over_all_that_was_picked_of_it() {
        let mut library = Likenesses::default();
        for seq in [3, 5] {
            library.note(Some(7), seq);
        }
        assert_eq!(library.links(&listed(8, Some(6))), []);
        assert_eq!(library.links(&listed(9, Some(7))), [(3, 9), (5, 9)]);
        assert_eq!(library.links(&listed(10, Some(7))), []);
        assert_eq!(library.links(&listed(11, None)), []);
    }

    #[test]
    fn what_is_picked_is_a_rendition_of_what_is_known_or_was_picked_before() {
        let mut picks = Likenesses {
            picks: true,
            ..Likenesses::default()
        };
        picks.note(Some(7), 3);
        assert_eq!(picks.links(&listed(8, Some(7))), [(8, 3)]);
        assert_eq!(picks.links(&listed(9, Some(6))), []);
        assert_eq!(picks.links(&listed(10, Some(6))), [(10, 9)]);
        let known = News {
            is_new: false,
            ..listed(11, Some(7))
        };
        assert_eq!(picks.links(&known), []);
    }
}
