//! The lowest layer of writing to this machine's disks. A trait, so that tests can make a disk that is full or read-only.

use std::{fs::File, io, os::unix::fs::FileExt as _, path::Path};

/// What writing needs of a disk.
pub(crate) trait Disk: Send + Sync {
    /// Switches a file's writes past the page cache, or back. An error says that it cannot be had here.
    fn set_direct(&self, file: &File, direct: bool) -> io::Result<()>;

    /// Writes all the bytes at a position.
    fn write_at(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()>;

    /// Makes a file's bytes durable.
    fn sync(&self, file: &File) -> io::Result<()>;

    /// Makes the names in a folder durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Whether [`Self::sync_file_system`] can be relied upon for the file system that `root` lies on.
    fn syncs_file_system(&self, root: &Path) -> bool;

    /// Makes everything durable that was written to the file system before: lengths, names, and bytes past the page cache.
    fn sync_file_system(&self, root: &Path) -> io::Result<()>;
}

/// The machine's own.
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn set_direct(&self, file: &File, direct: bool) -> io::Result<()> {
        set_direct(file, direct)
    }

    fn write_at(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        file.write_all_at(bytes, at)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn syncs_file_system(&self, root: &Path) -> bool {
        File::open(root).is_ok_and(|root| is_reliable(&root))
    }

    fn sync_file_system(&self, root: &Path) -> io::Result<()> {
        sync_file_system(root)?;
        // Before Linux 5.18 the call above kept a failed journal to itself; this one, which finds nothing left to do, tells.
        self.sync_folder(root)
    }
}

/// File systems of local disks, whose sync as a whole reaches the disk. One in user space, or across a network, may end at
/// the next program; there each file is synced by itself.
#[cfg(target_os = "linux")]
fn is_reliable(file: &File) -> bool {
    const EXT: u64 = 0xEF53;
    const XFS: u64 = 0x5846_5342;
    const BTRFS: u64 = 0x9123_683E;
    const F2FS: u64 = 0xF2F5_2010;

    let kind = rustix::fs::fstatfs(file).map(|told| told.f_type);
    let kind = kind.ok().and_then(|kind| u64::try_from(kind).ok());
    kind.is_some_and(|kind| [EXT, XFS, BTRFS, F2FS].contains(&kind))
}

#[cfg(target_os = "linux")]
fn set_direct(file: &File, direct: bool) -> io::Result<()> {
    use rustix::fs::{OFlags, fcntl_setfl};

    if direct && !is_reliable(file) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    // Of the flags that can be changed at all, staged files have no other.
    let flags = if direct {
        OFlags::DIRECT
    } else {
        OFlags::empty()
    };
    Ok(fcntl_setfl(file, flags)?)
}

#[cfg(target_os = "linux")]
fn sync_file_system(root: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(root)?)?)
}

#[cfg(not(target_os = "linux"))]
const fn is_reliable(_file: &File) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
fn set_direct(_file: &File, direct: bool) -> io::Result<()> {
    if direct {
        return Err(io::ErrorKind::Unsupported.into());
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_root: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
