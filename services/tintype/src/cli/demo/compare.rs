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
    /// Items at Google without a restored file.
    pub(super) missing: u64,
}

impl Comparison {
    /// Whether every byte was there.
    pub(super) const fn is_equal(&self) -> bool {
        self.differing_bytes == 0 && self.missing == 0 && self.files > 0
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

/// Compares the restored file of each item, one after the other. `files` names it by the item's id.
pub(super) async fn all(
    google: &Google,
    files: &HashMap<String, PathBuf>,
    console: &Console,
) -> Result<Comparison, Failure> {
    let mut comparison = Comparison::default();
    let mut meter = console.meter("comparing");
    let items = google.listing()?;
    let total = items.len() as u64;
    for (done, item) in (0_u64..).zip(&items) {
        let served = google.served(item)?;
        let restored = match files.get(&item.id) {
            Some(path) => Some(read(path).await?),
            None => None,
        };
        comparison.add(&served, restored.as_deref());
        meter.update(done, Some(total), || {
            format!("{}/{} files", count(done), count(total))
        });
    }
    Ok(comparison)
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
