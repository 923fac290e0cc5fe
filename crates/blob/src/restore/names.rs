//! Names in the target folder: safe, and never two items at one.

use std::collections::HashSet;

use tintype_model::{BlobHash, names, snapshot::ManifestItem};

/// Digits that set two items of one name apart.
const DISTINCT_DIGITS: usize = 12;
/// Of a hash of a path's key; two of a billion paths are alike once in a million million libraries.
type Key = [u8; 16];

/// The names that are taken. The order of the manifest decides who keeps the plain one, so that a second restore agrees.
#[derive(Default)]
pub(super) struct Names {
    taken: HashSet<Key>,
}

impl Names {
    /// Where an item goes: `by-month/2024/2024-06/NAME.jpg`, with `~<digits>` when that is taken.
    pub(super) fn path_of(&mut self, item: &ManifestItem) -> String {
        let (created_at, filename) = (item.metadata.created_at, &item.metadata.filename);
        let plain = names::mirror_path(created_at, filename);
        if self.take(&plain) {
            return plain;
        }
        let identity = format!("{}\n{}", item.id, item.content.blob);
        let mut digits = BlobHash::of(identity.as_bytes()).to_string();
        digits.truncate(DISTINCT_DIGITS);
        let path = names::mirror_path_distinct(created_at, filename, &digits);
        self.take(&path);
        path
    }

    /// Where the list of an album goes: `albums/TITLE.txt`.
    pub(super) fn path_of_album(&mut self, title: &str, id: &str) -> String {
        let name = names::safe_file_name(title);
        let plain = format!("albums/{name}.txt");
        if self.take(&plain) {
            return plain;
        }
        let mut digits = BlobHash::of(id.as_bytes()).to_string();
        digits.truncate(DISTINCT_DIGITS);
        let path = format!("albums/{name}~{digits}.txt");
        self.take(&path);
        path
    }

    fn take(&mut self, path: &str) -> bool {
        let hash = blake3::hash(names::path_key(path).as_bytes());
        let mut key = Key::default();
        key.copy_from_slice(&hash.as_bytes()[..16]);
        self.taken.insert(key)
    }
}
