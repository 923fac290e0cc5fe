//! One folder of this machine, read a few entries at a time.

use std::ffi::CStr;

use chrono::{DateTime, SecondsFormat};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use rustix::{
    fs::{AtFlags, Dir, FileType, Stat, statat},
    io::Errno,
};
use tintype_ports::{
    ArchiveError,
    files::{Found, FoundFile},
};

use super::{
    rules,
    walk::{Entries, Entry},
};
use crate::errors::{self, blocking};

/// Entries that are read at a time, and held in memory at most.
const BATCH: usize = 256;

/// A folder that is being read.
pub(super) struct Listing {
    pub(super) dir: Dir,
    /// Its path below the root, with `/` at its end; empty text for the root.
    pub(super) path: String,
}

impl Listing {
    pub(super) fn entries(self) -> Entries {
        let batches = stream::try_unfold(Some(self), |listing| async move {
            let Some(listing) = listing else {
                return Ok::<_, ArchiveError>(None);
            };
            let (batch, rest) = blocking(move || listing.batch()).await?;
            Ok(Some((stream::iter(batch.into_iter().map(Ok)), rest)))
        });
        batches.try_flatten().boxed()
    }

    /// The next entries, and the listing if there may be more. Blocks.
    fn batch(mut self) -> Result<(Vec<Entry>, Option<Self>), ArchiveError> {
        let mut batch = Vec::new();
        for _ in 0..BATCH {
            match self.dir.read() {
                None => return Ok((batch, None)),
                Some(Ok(entry)) => batch.extend(self.look_at(entry.file_name())),
                Some(Err(error)) => {
                    batch.push(trouble(&self.path, error)?);
                    return Ok((batch, None));
                }
            }
        }
        Ok((batch, Some(self)))
    }

    fn look_at(&self, name: &CStr) -> Option<Entry> {
        let text = name.to_string_lossy();
        if rules::is_left_out(&text) {
            return None;
        }
        let path = format!("{}{text}", self.path);
        let found = self
            .dir
            .fd()
            .and_then(|folder| statat(folder, name, AtFlags::SYMLINK_NOFOLLOW));
        let found = match found {
            Ok(found) => found,
            Err(Errno::NOENT) => return None,
            Err(error) => return Some(Entry::unreadable(path, error.to_string())),
        };
        let kind = FileType::from_raw_mode(found.st_mode);
        let is_wanted = kind.is_dir() || (kind.is_file() && !rules::is_sidecar(&text));
        if !is_wanted {
            return None;
        }
        if name.to_str().is_err() {
            return Some(Entry::unreadable(path, "its name is not UTF-8; rename it"));
        }
        if let Some(reason) = rules::objection(&path) {
            return Some(Entry::unreadable(path, reason));
        }
        if kind.is_dir() {
            return Some(Entry::Folder(text.into_owned()));
        }
        Some(Entry::Found(Found::File(FoundFile {
            path,
            size: u64::try_from(found.st_size).unwrap_or_default(),
            version: version(&found),
        })))
    }
}

/// The time of the last change of its bytes. That of its name or owner does not count.
fn version(found: &Stat) -> String {
    let nanoseconds = u32::try_from(found.st_mtime_nsec).unwrap_or_default();
    match DateTime::from_timestamp(found.st_mtime, nanoseconds) {
        Some(time) => time.to_rfc3339_opts(SecondsFormat::Nanos, true),
        // A file system may hold times that no calendar has.
        None => format!("{}.{nanoseconds:09}", found.st_mtime),
    }
}

/// What trouble with a folder comes to: a folder that cannot be read is told and passed by, but not so the root, nor a want of
/// file handles or memory, which is ours.
pub(super) fn trouble(path: &str, error: Errno) -> Result<Entry, ArchiveError> {
    let is_ours = matches!(error, Errno::MFILE | Errno::NFILE | Errno::NOMEM);
    let place = path.trim_end_matches('/');
    if place.is_empty() || is_ours {
        return Err(errors::of_file(format_args!("/{place}"), &error.into()));
    }
    Ok(Entry::unreadable(place, error.to_string()))
}
