//! The list of snapshots, their chain, and which items a problem concerns.

use std::collections::HashMap;

use futures::TryStreamExt as _;
use tintype_model::{BlobHash, SnapshotId};
use tintype_ports::{ArchiveError, archive::ManifestEntry};

use super::{Findings, Problem, ProblemKind};
use crate::{
    manifest::Index,
    paths::{self, SNAPSHOT_INDEX},
    reader::ArchiveReader,
};

const MOST_NAMES: usize = 20;

/// Compares what is there with the index; returns the snapshots to check, oldest first.
pub(super) async fn check_list(
    reader: &ArchiveReader,
    only: Option<SnapshotId>,
    findings: &mut Findings<'_>,
) -> Result<Vec<SnapshotId>, ArchiveError> {
    let there = reader.snapshots().await?;
    let sealed = reader.descriptor().is_encrypted();
    if let Some(only) = only {
        if !there.contains(&only) {
            return Err(ArchiveError::Missing(paths::manifest(only, sealed)));
        }
        return Ok(vec![only]);
    }
    match Index::load(reader.operator()).await {
        Ok(Some(index)) => {
            for &id in index.0.iter().filter(|id| !there.contains(id)) {
                let path = paths::manifest(id, sealed);
                findings.problem(
                    &path,
                    ProblemKind::Missing,
                    "the index names it, but it is not there",
                );
            }
        }
        Ok(None) if there.is_empty() => {}
        Ok(None) => findings.problem(
            SNAPSHOT_INDEX,
            ProblemKind::Missing,
            "there are snapshots, but no index",
        ),
        Err(ArchiveError::Corrupt(detail)) => {
            findings.problem(SNAPSHOT_INDEX, ProblemKind::Damaged, detail);
        }
        Err(error) => return Err(error),
    }
    Ok(there)
}

/// What the end of a manifest told, when it could be read to its end.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) hash: BlobHash,
    pub(super) previous: Option<BlobHash>,
}

/// Follows the hashes from the oldest snapshot to the newest.
#[derive(Default)]
pub(super) struct Chain {
    /// `None` at the start; the inside is `None` after a manifest that could not be read.
    before: Option<Option<BlobHash>>,
}

impl Chain {
    pub(super) fn check(
        &mut self,
        reader: &ArchiveReader,
        snapshot: SnapshotId,
        end: Option<End>,
        findings: &mut Findings<'_>,
    ) {
        if let Some(end) = end {
            let follows = match self.before {
                None => end.previous.is_none(),
                Some(Some(before)) => end.previous == Some(before),
                // What is before is damaged and was reported.
                Some(None) => end.previous.is_some(),
            };
            if !follows {
                let path = paths::manifest(snapshot, reader.descriptor().is_encrypted());
                let detail = match end.previous {
                    Some(previous) => {
                        format!("the snapshot before it, with the hash {previous}, is not there")
                    }
                    None => "it says that it is the first, but there are older ones".to_owned(),
                };
                findings.problem(&path, ProblemKind::BrokenChain, detail);
            }
        }
        self.before = Some(end.map(|end| end.hash));
    }
}

/// Reads the manifests again and adds to each problem the items that need the path.
pub(super) async fn name_items(
    reader: &ArchiveReader,
    snapshots: &[SnapshotId],
    problems: &mut [Problem],
) -> Result<(), ArchiveError> {
    let at: HashMap<String, usize> = problems
        .iter()
        .enumerate()
        .map(|(at, problem)| (problem.path.clone(), at))
        .collect();
    for &snapshot in snapshots {
        let Ok(mut entries) = reader.read_manifest(snapshot).await else {
            continue;
        };
        // A manifest that is damaged was reported; what stands before the damage still names items.
        while let Ok(Some(entry)) = entries.try_next().await {
            let ManifestEntry::Item(item) = entry else {
                continue;
            };
            let all = [&item.content].into_iter().chain(&item.renditions);
            let found = all.flat_map(|content| {
                let path = content.path.as_str();
                let mirrored = path
                    .starts_with(paths::MIRROR)
                    .then(|| paths::sidecar(path));
                let itself = at.get(path).into_iter();
                itself.chain(mirrored.and_then(|path| at.get(&path)))
            });
            for &at in found {
                let problem = &mut problems[at];
                let name = item.metadata.filename.as_str();
                if problem.items.iter().any(|known| known == name) {
                    continue;
                }
                problem.item_count += 1;
                if problem.items.len() < MOST_NAMES {
                    problem.items.push(name.to_owned());
                }
            }
        }
    }
    Ok(())
}
