//! Remembers by hash which credential a storage was connected with, so that a changed file is noticed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tintype_model::StorageId;

use crate::failure::Failure;

/// BLAKE3 of the parts and their lengths, 64 hexadecimal digits. The parts are random and long: they cannot be guessed
/// from it.
pub(super) fn of<const N: usize>(parts: [&str; N]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// One small file a storage, in the data folder.
#[derive(Debug)]
pub(crate) struct Fingerprints {
    folder: PathBuf,
}

impl Fingerprints {
    /// Those of a data folder, which is its owner's alone.
    pub(crate) fn in_folder(data: &Path) -> Self {
        Self {
            folder: data.join("credentials"),
        }
    }

    /// Whether the storage was connected with this one. A file that cannot be read says no: putting the same credential
    /// in place again does no harm.
    pub(crate) fn has(&self, storage: StorageId, fingerprint: &str) -> bool {
        fs::read_to_string(self.file(storage)).is_ok_and(|text| text == fingerprint)
    }

    /// From now on it is this one.
    pub(crate) fn keep(&self, storage: StorageId, fingerprint: &str) -> Result<(), Failure> {
        let file = self.file(storage);
        fs::create_dir_all(&self.folder)
            .and_then(|()| fs::write(&file, fingerprint))
            .map_err(|error| Failure::file("writing", &file, &error))
    }

    fn file(&self, storage: StorageId) -> PathBuf {
        self.folder.join(format!("{storage}.blake3"))
    }
}

#[cfg(test)]
mod tests {
    use tintype_model::credential::ClientId;

    use super::*;

    #[test]
    fn a_changed_credential_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let prints = Fingerprints::in_folder(folder.path());
        let client = ClientId::parse("1-a.apps.googleusercontent.com").unwrap();
        let (old, new) = (of([client.as_str(), "old"]), of([client.as_str(), "new"]));
        let storage: StorageId = format!("stg_{:032x}", 7).parse().unwrap();
        assert!(!prints.has(storage, &old));
        prints.keep(storage, &old).unwrap();
        assert!(prints.has(storage, &old) && !prints.has(storage, &new));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(of(["ab", "c"]), of(["a", "bc"]));
    }
}
