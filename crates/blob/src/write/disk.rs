//! The lowest layer of writing to this machine's disks. A trait, so that tests can make a disk that is full or read-only.

use std::{fs::File, io, io::Write as _, path::Path};

use bytes::Bytes;

/// What writing needs of a disk.
pub(crate) trait Disk: Send + Sync {
    /// Appends to a staged file.
    fn append(&self, file: &mut File, pieces: &[Bytes]) -> io::Result<()>;

    /// Makes a file's bytes durable.
    fn sync(&self, file: &File) -> io::Result<()>;

    /// Makes the names in a folder durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
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

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}
