//! Opening what lies beneath a folder of this machine. Each part of a path is opened in the folder before it and no link is
//! followed, so that nothing leads out, whatever is put in a folder's place meanwhile.

use std::{fs::File, path::Path};

use rustix::{
    fd::OwnedFd,
    fs::{FileType, Mode, OFlags, fstat, open, openat},
    io::{Errno, Result, retry_on_intr},
};

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);
/// A pipe that nobody writes to, or a device, keeps no thread waiting.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// The folder that others lie beneath. A person may give a link as its path.
pub(super) fn root(path: &Path) -> Result<OwnedFd> {
    retry_on_intr(|| open(path, FOLDER, Mode::empty()))
}

/// A folder; its path is empty text for the root itself, or ends with `/`.
pub(super) fn folder(root: &OwnedFd, path: &str) -> Result<OwnedFd> {
    let mut folder = retry_on_intr(|| openat(root, ".", FOLDER, Mode::empty()))?;
    for name in path.split_terminator('/') {
        let flags = FOLDER | OFlags::NOFOLLOW;
        folder = retry_on_intr(|| openat(&folder, name, flags, Mode::empty()))?;
    }
    Ok(folder)
}

/// A file. `None` when something else is in its place: a folder, a link, a pipe, a device.
pub(super) fn file(root: &OwnedFd, path: &str) -> Result<Option<File>> {
    let (parents, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = folder(root, parents)?;
    let opened = match retry_on_intr(|| openat(&folder, name, FILE, Mode::empty())) {
        // What a link and a socket answer.
        Err(Errno::LOOP | Errno::NXIO) => return Ok(None),
        opened => File::from(opened?),
    };
    let kind = FileType::from_raw_mode(fstat(&opened)?.st_mode);
    Ok(kind.is_file().then_some(opened))
}

/// Whether a folder went, or something else was put in its place.
pub(super) fn is_gone(error: Errno) -> bool {
    matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
}
