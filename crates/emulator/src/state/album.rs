//! Albums: a title, an owner and an ordered list of items.

use std::collections::HashSet;

use super::ids::Key;
use super::shelf::Owner;

/// One album.
#[derive(Debug, Clone)]
pub(crate) struct Album {
    pub(crate) owner: Owner,
    pub(crate) title: String,
    pub(crate) cover: Option<Key>,
    pub(crate) enrichments: u64,
    members: Vec<Key>,
    known: HashSet<Key>,
}

impl Album {
    pub(crate) fn new(owner: Owner, title: String) -> Self {
        Self {
            owner,
            title,
            cover: None,
            enrichments: 0,
            members: Vec::new(),
            known: HashSet::new(),
        }
    }

    pub(crate) fn members(&self) -> &[Key] {
        &self.members
    }

    pub(crate) fn holds(&self, key: Key) -> bool {
        self.known.contains(&key)
    }

    /// Appends an item; one that is already there stays where it is.
    pub(crate) fn add(&mut self, key: Key) {
        if self.known.insert(key) {
            self.members.push(key);
        }
    }

    pub(crate) fn remove(&mut self, keys: &HashSet<Key>) {
        self.members.retain(|member| !keys.contains(member));
        self.known.retain(|member| !keys.contains(member));
        if self.cover.is_some_and(|cover| keys.contains(&cover)) {
            self.cover = None;
        }
    }
}
