//! Compares every restored byte with what Google serves for the item.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::google::Google;
use crate::{
    failure::Failure,
    render::{Console, count},
};

/// What the comparison found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Comparison {
    /// Files that were compared.
    pub(super) files: u64,
    /// Their bytes.
    pub(super) bytes: u64,
    /// Bytes that are not those that Google serves; all of them where a file is missing.
    pub(super) differing_bytes: u64,
    /// Items at Google for which no file has the bytes.
    pub(super) missing: u64,
    /// Files with bytes that Google does not serve.
    pub(super) unexpected: u64,
}

impl Comparison {
    /// Whether every byte was there.
    pub(super) const fn is_equal(&self) -> bool {
        self.differing_bytes == 0 && self.missing == 0 && self.unexpected == 0 && self.files > 0
    }

    fn add(&mut self, served: &[u8], restored: Option<&[u8]>) {
        let Some(restored) = restored else {
            self.missing += 1;
            self.differing_bytes += served.len() as u64;
            return;
        };
        self.files += 1;
        self.bytes += served.len() as u64;
        self.differing_bytes += differing(served, restored);
    }
}

/// Looks for the restored file of each item by its content, since what is looked at is a folder that any person could have:
/// no manifest, no catalogue. Each file stands for one item.
pub(super) async fn all(
    google: &Google,
    restored: &Path,
    console: &Console,
) -> Result<Comparison, Failure> {
    let mut meter = console.meter("comparing");
    let mut files: HashMap<blake3::Hash, Vec<PathBuf>> = HashMap::new();
    for path in media(restored)? {
        let hash = blake3::hash(&read(&path).await?);
        files.entry(hash).or_default().push(path);
    }
    let mut comparison = Comparison::default();
    let items = google.listing()?;
    let total = items.len() as u64;
    for (done, item) in (0_u64..).zip(&items) {
        let served = google.served(item)?;
        let candidate = files.get_mut(&blake3::hash(&served)).and_then(Vec::pop);
        let bytes = match candidate {
            Some(path) => Some(read(&path).await?),
            None => None,
        };
        comparison.add(&served, bytes.as_deref());
        meter.update(done, Some(total), || {
            format!("{}/{} files", count(done), count(total))
        });
    }
    comparison.unexpected = files.values().map(|left| left.len() as u64).sum();
    Ok(comparison)
}

/// Every file below `by-month`, where restored photos and videos lie.
fn media(restored: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut folders = vec![restored.join("by-month")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let failed = |error: std::io::Error| Failure::file("reading", &folder, &error);
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            match entry.file_type().map_err(failed)?.is_dir() {
                true => folders.push(entry.path()),
                false => files.push(entry.path()),
            }
        }
    }
    Ok(files)
}

async fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    tokio::fs::read(path)
        .await
        .map_err(|error| Failure::file("reading", path, &error))
}

/// Bytes that are not the same at the same place, and those that one side has more.
fn differing(one: &[u8], other: &[u8]) -> u64 {
    if one == other {
        return 0;
    }
    let changed = one.iter().zip(other).filter(|(a, b)| a != b).count();
    (changed + one.len().abs_diff(other.len())) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_counts() {
        assert_eq!(differing(b"photo", b"photo"), 0);
        assert_eq!(differing(b"photo", b"phote"), 1);
        assert_eq!(differing(b"photo", b"pho"), 2);
        let mut comparison = Comparison::default();
        comparison.add(b"photo", Some(b"photo"));
        assert!(comparison.is_equal());
        comparison.add(b"lost", None);
        assert_eq!((comparison.differing_bytes, comparison.missing), (4, 1));
        assert!(!comparison.is_equal());
    }
}
