//! Everything the accounts hold: stored items, generated sets with their changes, and albums.

use std::collections::btree_set::Range;
use std::collections::{BTreeSet, HashMap};
use std::iter::Peekable;
use std::ops::Bound;

use super::album::Album;
use super::ids::{ALBUMS, Key, STORED};
use super::item::{Content, Facts, Place, StoredItem};
use crate::library::generated::GeneratedSet;

/// Whose items a call may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Viewer {
    pub(crate) account: u16,
    /// `None` sees the items of every client.
    pub(crate) client: Option<u16>,
}

impl Viewer {
    fn sees(self, owner: Owner) -> bool {
        self.account == owner.account && self.client.is_none_or(|client| client == owner.client)
    }
}

/// The account an item is in, and the client that created it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Owner {
    pub(crate) account: u16,
    pub(crate) client: u16,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    stored: Vec<(Owner, StoredItem)>,
    order: HashMap<Owner, BTreeSet<Place>>,
    sets: Vec<GeneratedSet>,
    /// Generated items that were changed.
    changed: HashMap<Key, StoredItem>,
    pub(crate) albums: Vec<Album>,
    /// First item with these bytes (SHA-256) of an owner.
    pub(crate) by_hash: HashMap<(Owner, [u8; 32]), Key>,
}

impl Shelf {
    /// Adds an item and says its key.
    pub(crate) fn add(&mut self, owner: Owner, item: StoredItem) -> Key {
        let key = Key::new(STORED, self.stored.len() as u64);
        let place = Place {
            created_ms: item.created_ms,
            key,
        };
        self.order.entry(owner).or_default().insert(place);
        self.stored.push((owner, item));
        key
    }

    /// Adds a generated set and its albums.
    pub(crate) fn add_set(&mut self, set: GeneratedSet) {
        let number = self.sets.len() as u64 + 1;
        let owner = Owner {
            account: set.account,
            client: set.client,
        };
        for place in 0..set.options().albums {
            let mut album = Album::new(owner, format!("Album {:03}", place + 1));
            for index in set.album_members(place) {
                album.add(Key::new(number, index));
            }
            self.albums.push(album);
        }
        self.sets.push(set);
    }

    pub(crate) fn owner(&self, key: Key) -> Option<Owner> {
        match key.set() {
            STORED => self.stored.get(key.place()).map(|(owner, _)| *owner),
            ALBUMS => None,
            _ => {
                let set = self.set(key)?;
                Some(Owner {
                    account: set.account,
                    client: set.client,
                })
            }
        }
    }

    fn set(&self, key: Key) -> Option<&GeneratedSet> {
        let place = usize::try_from(key.set().checked_sub(1)?).ok()?;
        self.sets.get(place).filter(|set| key.index() < set.count())
    }

    fn kept(&self, key: Key) -> Option<&StoredItem> {
        if key.set() == STORED {
            return self.stored.get(key.place()).map(|(_, item)| item);
        }
        if self.changed.is_empty() {
            None
        } else {
            self.changed.get(&key)
        }
    }

    /// The facts of an item; `None` when it is unknown or was removed.
    pub(crate) fn facts(&self, key: Key) -> Option<Facts<'_>> {
        if let Some(item) = self.kept(key) {
            return (!item.removed).then(|| item.facts());
        }
        Some(self.set(key)?.facts(key.index()))
    }

    /// The facts of an item, if the viewer may see it.
    pub(crate) fn seen(&self, key: Key, viewer: Viewer) -> Option<Facts<'_>> {
        viewer
            .sees(self.owner(key)?)
            .then(|| self.facts(key))
            .flatten()
    }

    pub(crate) fn content(&self, key: Key) -> Option<Content> {
        if let Some(item) = self.kept(key) {
            return (!item.removed).then(|| item.content.clone());
        }
        Some(Content::Filler(self.set(key)?.filler(key.index())))
    }

    /// Changes an item; `None` when it is unknown.
    pub(crate) fn edit(&mut self, key: Key, change: impl FnOnce(&mut StoredItem)) -> Option<()> {
        if key.set() == STORED {
            let (owner, item) = self.stored.get_mut(key.place())?;
            let before = Place {
                created_ms: item.created_ms,
                key,
            };
            change(item);
            let places = self.order.entry(*owner).or_default();
            places.remove(&before);
            if !item.removed {
                places.insert(Place {
                    created_ms: item.created_ms,
                    key,
                });
            }
            return Some(());
        }
        let fresh = self.set(key)?.stored(key.index());
        let created_ms = fresh.created_ms;
        let item = self.changed.entry(key).or_insert(fresh);
        change(item);
        // The listing order of a generated set is computed, so its times stand.
        item.created_ms = created_ms;
        Some(())
    }

    /// The viewer's items, newest first, after a place.
    pub(crate) fn walk(&self, viewer: Viewer, after: Option<Place>) -> Walk<'_> {
        let mut lanes = Vec::new();
        for (owner, places) in &self.order {
            if viewer.sees(*owner) {
                let start = after.map_or(Bound::Unbounded, Bound::Excluded);
                lanes.push(Lane::Kept(
                    places.range((start, Bound::Unbounded)).peekable(),
                ));
            }
        }
        for (number, set) in (1_u64..).zip(&self.sets) {
            if !viewer.sees(Owner {
                account: set.account,
                client: set.client,
            }) {
                continue;
            }
            let mut index = after.map_or(0, |place| set.first_not_newer(place.created_ms));
            let place = |index| Place {
                created_ms: set.created_ms(index),
                key: Key::new(number, index),
            };
            while index < set.count() && after.is_some_and(|after| place(index) <= after) {
                index += 1;
            }
            lanes.push(Lane::Set { set, number, index });
        }
        Walk { lanes }
    }

    pub(crate) fn album(&self, key: Key, viewer: Viewer) -> Option<&Album> {
        let album = (key.set() == ALBUMS)
            .then(|| self.albums.get(key.place()))
            .flatten()?;
        viewer.sees(album.owner).then_some(album)
    }

    pub(crate) fn album_mut(&mut self, key: Key, viewer: Viewer) -> Option<&mut Album> {
        let album = (key.set() == ALBUMS)
            .then(|| self.albums.get_mut(key.place()))
            .flatten()?;
        viewer.sees(album.owner).then_some(album)
    }

    pub(crate) fn add_album(&mut self, album: Album) -> Key {
        let key = Key::new(ALBUMS, self.albums.len() as u64);
        self.albums.push(album);
        key
    }
}

enum Lane<'a> {
    Kept(Peekable<Range<'a, Place>>),
    Set {
        set: &'a GeneratedSet,
        number: u64,
        index: u64,
    },
}

impl Lane<'_> {
    fn peek(&mut self) -> Option<Place> {
        match self {
            Self::Kept(range) => range.peek().map(|place| **place),
            Self::Set { set, number, index } => (*index < set.count()).then(|| Place {
                created_ms: set.created_ms(*index),
                key: Key::new(*number, *index),
            }),
        }
    }

    fn advance(&mut self) {
        match self {
            Self::Kept(range) => {
                range.next();
            }
            Self::Set { index, .. } => *index += 1,
        }
    }
}

/// Merges the lanes by place.
pub(crate) struct Walk<'a> {
    lanes: Vec<Lane<'a>>,
}

impl Iterator for Walk<'_> {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        let mut first: Option<(usize, Place)> = None;
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            let Some(place) = lane.peek() else { continue };
            if first.is_none_or(|(_, least)| place < least) {
                first = Some((number, place));
            }
        }
        let (number, place) = first?;
        self.lanes[number].advance();
        Some(place)
    }
}
