//! The lowest layer of writing to this machine's disks. A trait, so that tests can make a disk that is full or read-only.

use std::{
    fs::File,
    io,
    io::Write as _,
    path::{Path, PathBuf},
};

use bytes::Bytes;

/// Folders that are synced one by one.
const FEW_FOLDERS: usize = 3;

/// What writing needs of a disk.
pub(crate) trait Disk: Send + Sync {
    /// Appends to a staged file.
    fn append(&self, file: &mut File, pieces: &[Bytes]) -> io::Result<()>;

    /// Makes a file's bytes durable.
    fn sync(&self, file: &File) -> io::Result<()>;

    /// Makes the names in folders below `root` durable.
    fn sync_folders(&self, root: &Path, folders: &[PathBuf]) -> io::Result<()>;
}

/// The machine's own.
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn append(&self, file: &mut File, pieces: &[Bytes]) -> io::Result<()> {
        pieces.iter().try_for_each(|piece| file.write_all(piece))
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// Objects scatter over 256 folders, and each folder's sync waits for a flush of the disk's cache: for groups of 64 one
    /// sync of the file system took a tenth of the time. The objects' own bytes are durable before, so what it adds is names.
    fn sync_folders(&self, root: &Path, folders: &[PathBuf]) -> io::Result<()> {
        if folders.len() > FEW_FOLDERS && cfg!(target_os = "linux") {
            return sync_file_system(root);
        }
        folders
            .iter()
            .try_for_each(|folder| File::open(folder)?.sync_all())
    }
}

#[cfg(target_os = "linux")]
fn sync_file_system(root: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(root)?)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(root: &Path) -> io::Result<()> {
    File::open(root)?.sync_all()
}
