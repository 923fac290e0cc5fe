//! Writing to a folder of this machine: a group is written and synced, then gets its names, then its folders are synced.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use futures::future;
use tempfile::{NamedTempFile, TempPath};
use tintype_ports::{ArchiveError, archive::Staged};
use tokio::sync::Semaphore;

use super::{Body, Content, Disk, Expected, other_archive, publish::publish, staging::Staging};
use crate::errors::{self, blocking};

/// Syncs that run beside each other: the file system joins them into few journal commits.
const LANES: usize = 8;
/// Bytes that may wait in memory for their commit; what comes beyond is written to its staged file at once.
const MEMORY: u64 = 16 * 1024 * 1024;

/// A folder of this machine.
pub(super) struct Local {
    root: Arc<Path>,
    disk: Arc<dyn Disk>,
    memory: Arc<Semaphore>,
}

/// A finished draft that waits for its commit.
pub(super) struct Held {
    pub(super) body: Body,
    pub(super) expected: Expected,
    pub(super) sidecar: Option<String>,
}

/// Durable, but not visible.
pub(super) struct Ready {
    pub(super) file: TempPath,
    pub(super) sidecar: Option<TempPath>,
    pub(super) expected: Expected,
}

impl Local {
    pub(super) fn new(root: PathBuf, disk: Arc<dyn Disk>) -> Self {
        let memory = Arc::new(Semaphore::new(
            usize::try_from(MEMORY).unwrap_or(usize::MAX),
        ));
        Self {
            root: root.into(),
            disk,
            memory,
        }
    }

    /// Keeps a small body in memory while there is room, else writes it to a staged file now.
    pub(super) async fn make_room(
        &self,
        mut body: Body,
        staging: &Staging,
        disk: &Arc<dyn Disk>,
    ) -> Result<Body, ArchiveError> {
        let Content::Memory(pieces) = &mut body.content else {
            return Ok(body);
        };
        let wanted = u32::try_from(body.stored).unwrap_or(u32::MAX);
        if let Ok(room) = Arc::clone(&self.memory).try_acquire_many_owned(wanted) {
            body._memory = Some(room);
            return Ok(body);
        }
        let pieces = std::mem::take(pieces);
        let (staging, disk) = (staging.clone(), Arc::clone(disk));
        let file = blocking(move || write_file(&pieces, &staging, disk.as_ref())).await?;
        body.content = Content::File(file);
        Ok(body)
    }

    pub(super) async fn commit(
        &self,
        group: Vec<Staged>,
        staging: &Staging,
    ) -> Vec<Result<(), ArchiveError>> {
        let mut results: Vec<Result<(), ArchiveError>> = Vec::with_capacity(group.len());
        let mut lanes: Vec<Vec<(usize, Held)>> = (0..LANES).map(|_| Vec::new()).collect();
        for (at, staged) in group.into_iter().enumerate() {
            match staged.handle.downcast::<Held>() {
                Ok(held) => {
                    lanes[at % LANES].push((at, *held));
                    results.push(Ok(()));
                }
                Err(_) => results.push(Err(other_archive())),
            }
        }
        let mut ready = Vec::new();
        for (at, outcome) in self.make_durable(lanes, staging).await {
            match outcome {
                Ok(it) => ready.push((at, it)),
                Err(error) => results[at] = Err(error),
            }
        }
        ready.sort_by_key(|(at, _)| *at);
        for (positions, outcome) in self.make_visible(ready).await {
            let Err(error) = outcome else { continue };
            for at in positions {
                if results[at].is_ok() {
                    results[at] = Err(errors::again(&error));
                }
            }
        }
        results
    }

    async fn make_durable(
        &self,
        lanes: Vec<Vec<(usize, Held)>>,
        staging: &Staging,
    ) -> Vec<(usize, Result<Ready, ArchiveError>)> {
        let busy = lanes.into_iter().filter(|lane| !lane.is_empty());
        let lanes = busy.map(|lane| {
            let (staging, disk) = (staging.clone(), Arc::clone(&self.disk));
            let positions: Vec<usize> = lane.iter().map(|(at, _)| *at).collect();
            async move {
                let written = blocking(move || {
                    let one = |(at, held)| (at, write_durably(held, &staging, disk.as_ref()));
                    Ok(lane.into_iter().map(one).collect::<Vec<_>>())
                });
                written.await.unwrap_or_else(|error| {
                    positions
                        .into_iter()
                        .map(|at| (at, Err(errors::again(&error))))
                        .collect()
                })
            }
        });
        future::join_all(lanes)
            .await
            .into_iter()
            .flatten()
            .collect()
    }

    /// Gives names, then syncs the folders. Each outcome comes with the positions in the group that it concerns.
    async fn make_visible(
        &self,
        ready: Vec<(usize, Ready)>,
    ) -> Vec<(Vec<usize>, Result<(), ArchiveError>)> {
        let root = Arc::clone(&self.root);
        let positions: Vec<usize> = ready.iter().map(|(at, _)| *at).collect();
        let disk = Arc::clone(&self.disk);
        let published = blocking(move || {
            let mut folders = BTreeSet::new();
            let mut failed = Vec::new();
            for (at, it) in ready {
                if let Err(error) = publish(&root, it, &mut folders) {
                    failed.push((vec![at], Err(error)));
                }
            }
            let folders: Vec<PathBuf> = folders.into_iter().collect();
            let synced = disk.sync_folders(&root, &folders);
            let synced = synced.map_err(|error| errors::of_file(root.display(), &error));
            Ok((failed, synced))
        });
        match published.await {
            Ok((mut outcomes, synced)) => {
                // Which names are durable is not known when this failed: none of the group counts.
                outcomes.push((positions, synced));
                outcomes
            }
            Err(error) => vec![(positions, Err(error))],
        }
    }
}

fn write_file(
    pieces: &[Bytes],
    staging: &Staging,
    disk: &dyn Disk,
) -> Result<NamedTempFile, ArchiveError> {
    let mut file = staging.file()?;
    let written = disk.append(file.as_file_mut(), pieces);
    written.map_err(|error| errors::of_file(file.path().display(), &error))?;
    Ok(file)
}

fn write_durably(held: Held, staging: &Staging, disk: &dyn Disk) -> Result<Ready, ArchiveError> {
    let Held {
        body,
        expected,
        sidecar,
    } = held;
    let durable = |file: NamedTempFile| {
        let synced = disk.sync(file.as_file());
        synced.map_err(|error| errors::of_file(file.path().display(), &error))?;
        Ok::<_, ArchiveError>(file.into_temp_path())
    };
    let file = match body.content {
        Content::File(file) => file,
        Content::Memory(pieces) => write_file(&pieces, staging, disk)?,
    };
    let sidecar = match sidecar {
        Some(text) => Some(durable(write_file(&[Bytes::from(text)], staging, disk)?)?),
        None => None,
    };
    Ok(Ready {
        file: durable(file)?,
        sidecar,
        expected,
    })
}
