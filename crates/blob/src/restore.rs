//! Bringing a snapshot back as plain files, into a folder of this machine.

mod albums;
mod file;
mod names;

use std::{path::Path, sync::Arc};

use futures::{StreamExt as _, TryStreamExt as _, stream::FuturesUnordered};
use serde::Serialize;
use tintype_model::SnapshotId;
use tintype_ports::{ArchiveError, archive::ManifestEntry};

use crate::{errors, reader::ArchiveReader};
use albums::Albums;
use file::{Outcome, Target};
use names::Names;

/// How to restore.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// The snapshot; `None` for the newest.
    pub snapshot: Option<SnapshotId>,
    /// Whether files that are there with other content are replaced.
    pub overwrite: bool,
    /// Objects read at once.
    pub parallel: usize,
}

impl Default for RestoreOptions {
    fn default() -> Self {
        Self {
            snapshot: None,
            overwrite: false,
            parallel: 8,
        }
    }
}

/// How far a restore is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RestoreProgress {
    /// Items done, those that were already there included.
    pub items: u64,
    /// Items in the snapshot.
    pub total: u64,
    /// Plain bytes written.
    pub bytes: u64,
}

/// What a restore did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RestoreReport {
    /// The snapshot that was restored.
    pub snapshot: Option<SnapshotId>,
    /// Items written.
    pub written: u64,
    /// Items that were already there, equal byte for byte.
    pub skipped: u64,
    /// Plain bytes written.
    pub bytes: u64,
    /// Album lists written.
    pub albums: u64,
    /// Items that could not be restored: the path in the target folder and why. At most 10,000 are kept.
    pub failed: Vec<(String, String)>,
    /// All of them, those that are not kept included.
    pub failed_count: u64,
}

const MOST_FAILED: usize = 10_000;

/// Writes the items of a snapshot to `folder`, which is made when it is missing: `by-month/2024/2024-06/NAME.jpg`, and a list
/// of paths for each album in `albums/`. A file becomes visible only after its hash was checked. Run again, it goes on.
///
/// # Errors
/// When nothing can be restored: no such snapshot, a manifest that is damaged, an identity that is needed, a target that
/// cannot be written. Single items that fail are in the report.
pub async fn restore(
    reader: &ArchiveReader,
    folder: &Path,
    options: &RestoreOptions,
    progress: &(dyn Fn(RestoreProgress) + Send + Sync),
) -> Result<RestoreReport, ArchiveError> {
    reader.check_unlocked()?;
    let snapshot = choose(reader, options.snapshot).await?;
    // A first pass checks the signature before anything is written, and learns which items albums hold.
    let (mut albums, total) = Albums::learn(reader, snapshot).await?;
    let target = Arc::new(Target::open(folder, options.overwrite).await?);
    let mut report = RestoreReport {
        snapshot: Some(snapshot),
        ..RestoreReport::default()
    };
    let mut names = Names::default();
    let mut running = FuturesUnordered::new();
    let mut entries = reader.read_manifest(snapshot).await?;
    while let Some(entry) = entries.try_next().await? {
        match entry {
            ManifestEntry::Item(item) => {
                let path = names.path_of(&item);
                albums.remember(&item.id, &path);
                if running.len() >= options.parallel.max(1) {
                    take(running.next().await, &mut report, total, progress)?;
                }
                let target = Arc::clone(&target);
                running.push(async move {
                    let outcome = target.restore(reader, &item, &path).await;
                    (path, item.content.size, outcome)
                });
            }
            ManifestEntry::Album(album) => {
                albums.write(&album, &target, &mut names).await?;
                report.albums += 1;
            }
            ManifestEntry::Head(_) | ManifestEntry::End { .. } => {}
        }
    }
    while !running.is_empty() {
        take(running.next().await, &mut report, total, progress)?;
    }
    Ok(report)
}

type Done = (String, u64, Result<Outcome, ArchiveError>);

fn take(
    done: Option<Done>,
    report: &mut RestoreReport,
    total: u64,
    progress: &(dyn Fn(RestoreProgress) + Send + Sync),
) -> Result<(), ArchiveError> {
    let Some((path, size, outcome)) = done else {
        return Ok(());
    };
    match outcome {
        Ok(Outcome::Written) => {
            report.written += 1;
            report.bytes += size;
        }
        Ok(Outcome::AlreadyThere) => report.skipped += 1,
        Ok(Outcome::InTheWay) => {
            fail(
                report,
                path,
                "another file is there; pass --overwrite to replace it".to_owned(),
            );
        }
        Err(
            error
            @ (ArchiveError::Missing(_) | ArchiveError::Corrupt(_) | ArchiveError::Foreign(_)),
        ) => {
            fail(report, path, error.to_string());
        }
        // A full or read-only target, or a place that does not answer, would fail for every other item as well.
        Err(error) => return Err(error),
    }
    let items = report.written + report.skipped + report.failed_count;
    progress(RestoreProgress {
        items,
        total,
        bytes: report.bytes,
    });
    Ok(())
}

fn fail(report: &mut RestoreReport, path: String, reason: String) {
    report.failed_count += 1;
    if report.failed.len() < MOST_FAILED {
        report.failed.push((path, reason));
    }
}

async fn choose(
    reader: &ArchiveReader,
    wanted: Option<SnapshotId>,
) -> Result<SnapshotId, ArchiveError> {
    let there = reader.snapshots().await?;
    match wanted {
        Some(wanted) if there.contains(&wanted) => Ok(wanted),
        Some(wanted) => Err(ArchiveError::Missing(format!(
            "there is no snapshot {wanted}"
        ))),
        None => there.last().copied().ok_or_else(|| {
            ArchiveError::Missing(
                "the archive holds no snapshot yet; a run that ends writes one".to_owned(),
            )
        }),
    }
}

/// What went wrong in the target folder.
fn of_target(path: &Path, error: &std::io::Error) -> ArchiveError {
    errors::of_file(path.display(), error)
}
