//! Writing to a folder of this machine: what a group wrote is made durable, then gets its names, then those are made durable.

use std::{
    collections::BTreeSet,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use tempfile::TempPath;
use tintype_ports::{ArchiveError, archive::Staged};

use super::{
    Body, Content, Expected,
    disk::Disk,
    other_archive,
    output::{Outputs, StagedFile},
    publish::publish,
    shared_sync::SharedSync,
};
use crate::errors::{self, blocking};

/// Files, or folders, that are synced one by one. More take longer than the file system as a whole: objects scatter over 256
/// folders, and each sync waits for a flush of the disk's cache.
const FEW: usize = 3;

/// A folder of this machine.
pub(super) struct Local {
    root: Arc<Path>,
    disk: Arc<dyn Disk>,
    sync: SharedSync,
}

/// A finished draft that waits for its commit.
pub(super) struct Held {
    file: StagedFile,
    sidecar: Option<StagedFile>,
    expected: Expected,
}

/// Durable, but not visible.
pub(super) struct Ready {
    pub(super) file: TempPath,
    pub(super) sidecar: Option<TempPath>,
    pub(super) expected: Expected,
}

impl Local {
    pub(super) fn new(root: PathBuf, disk: Arc<dyn Disk>) -> Self {
        let root: Arc<Path> = root.into();
        Self {
            sync: SharedSync::new(Arc::clone(&root), Arc::clone(&disk)),
            root,
            disk,
        }
    }

    /// Sees to it that all of a finished draft is in staged files.
    pub(super) async fn hold(
        &self,
        body: Body,
        expected: Expected,
        sidecar: Option<String>,
        outputs: &Arc<Outputs>,
    ) -> Result<Held, ArchiveError> {
        let in_memory = match body.content {
            Content::File(file) if sidecar.is_none() => {
                return Ok(Held {
                    file,
                    sidecar: None,
                    expected,
                });
            }
            other => other,
        };
        let outputs = Arc::clone(outputs);
        blocking(move || {
            let file = match in_memory {
                Content::File(file) => file,
                Content::Memory(bytes) => outputs.write(bytes)?,
            };
            let sidecar = sidecar.map(|text| outputs.write(Bytes::from(text)));
            Ok(Held {
                file,
                sidecar: sidecar.transpose()?,
                expected,
            })
        })
        .await
    }

    pub(super) async fn commit(&self, group: Vec<Staged>) -> Vec<Result<(), ArchiveError>> {
        let mut results = Vec::with_capacity(group.len());
        let mut held = Vec::with_capacity(group.len());
        for staged in group {
            match staged.handle.downcast::<Held>() {
                Ok(it) => {
                    held.push((results.len(), *it));
                    results.push(Ok(()));
                }
                Err(_) => results.push(Err(other_archive())),
            }
        }
        if let Err(error) = self.make_durable(&held).await {
            for (at, _) in held {
                results[at] = Err(errors::again(&error));
            }
            return results;
        }
        let ready = held.into_iter().map(|(at, held)| (at, held.ready()));
        for (positions, outcome) in self.make_visible(ready.collect()).await {
            let Err(error) = outcome else { continue };
            for at in positions {
                if results[at].is_ok() {
                    results[at] = Err(errors::again(&error));
                }
            }
        }
        results
    }

    async fn make_durable(&self, held: &[(usize, Held)]) -> Result<(), ArchiveError> {
        let files = held
            .iter()
            .flat_map(|(_, it)| [Some(&it.file), it.sidecar.as_ref()])
            .flatten();
        let waiting: Vec<PathBuf> = files
            .filter(|file| !file.is_durable)
            .map(|file| file.path.to_path_buf())
            .collect();
        if waiting.len() > FEW {
            return self.sync.after_now().await;
        }
        let disk = Arc::clone(&self.disk);
        blocking(move || {
            waiting.iter().try_for_each(|path| {
                let synced = File::open(path).and_then(|file| disk.sync(&file));
                synced.map_err(|error| errors::of_file(path.display(), &error))
            })
        })
        .await
    }

    /// Gives names, then makes them durable. Each outcome comes with the positions in the group that it concerns.
    async fn make_visible(
        &self,
        ready: Vec<(usize, Ready)>,
    ) -> Vec<(Vec<usize>, Result<(), ArchiveError>)> {
        let positions: Vec<usize> = ready.iter().map(|(at, _)| *at).collect();
        let (root, disk) = (Arc::clone(&self.root), Arc::clone(&self.disk));
        let published = blocking(move || {
            let mut folders = BTreeSet::new();
            let mut outcomes = Vec::new();
            for (at, it) in ready {
                if let Err(error) = publish(&root, it, &mut folders) {
                    outcomes.push((vec![at], Err(error)));
                }
            }
            let as_one = folders.len() > FEW && disk.syncs_file_system(&root);
            let synced = if as_one {
                None
            } else {
                Some(sync_folders(disk.as_ref(), &root, &folders))
            };
            Ok((outcomes, synced))
        });
        match published.await {
            Ok((mut outcomes, synced)) => {
                let synced = match synced {
                    Some(synced) => synced,
                    None => self.sync.after_now().await,
                };
                // Which names are durable is not known when this failed: none of the group counts.
                outcomes.push((positions, synced));
                outcomes
            }
            Err(error) => vec![(positions, Err(error))],
        }
    }
}

impl Held {
    fn ready(self) -> Ready {
        Ready {
            file: self.file.path,
            sidecar: self.sidecar.map(|it| it.path),
            expected: self.expected,
        }
    }
}

/// Syncs the folders and those above them, up to the root: a process that crashed may have made them.
fn sync_folders(
    disk: &dyn Disk,
    root: &Path,
    folders: &BTreeSet<PathBuf>,
) -> Result<(), ArchiveError> {
    let with_parents = folders.iter().flat_map(|folder| folder.ancestors());
    let below_root: BTreeSet<&Path> = with_parents
        .filter(|folder| folder.starts_with(root))
        .collect();
    below_root.into_iter().rev().try_for_each(|folder| {
        let synced = disk.sync_folder(folder);
        synced.map_err(|error| errors::of_file(folder.display(), &error))
    })
}
