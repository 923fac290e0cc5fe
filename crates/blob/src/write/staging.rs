//! Folders for bytes that are not visible yet. Each process has its own, held by a lock, so that what a crashed one left
//! can be told from what a living one still uses.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rustix::fs::{FlockOperation, flock};
use tempfile::{NamedTempFile, TempPath};
use tintype_ports::ArchiveError;

use crate::errors::{self, blocking};

const LOCK_ENDING: &str = "lock";

/// Makes staged files.
#[derive(Clone)]
pub(super) struct Staging {
    parent: PathBuf,
    folder: PathBuf,
    /// An archive's root must be there: a folder made in place of an unmounted disk would swallow photos. A spool is ours.
    makes_parent: bool,
    session: Arc<Mutex<Option<Session>>>,
}

/// One process's folder. Fields drop in order: first the files, then the lock's name, then the lock.
struct Session {
    folder: SessionFolder,
    _lock_name: TempPath,
    _lock: File,
}

struct SessionFolder(PathBuf);

impl Drop for SessionFolder {
    fn drop(&mut self) {
        if let Err(error) = remove_folder(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "a staging folder stays behind; the next sweep removes it");
        }
    }
}

impl Staging {
    /// `parent/name`, which is made when it is needed, in a parent that must be there.
    pub(super) fn new(parent: PathBuf, name: PathBuf) -> Self {
        let folder = parent.join(name);
        Self {
            parent,
            folder,
            makes_parent: false,
            session: Arc::default(),
        }
    }

    /// `parent/name`; both are made when they are needed.
    pub(super) fn spool(parent: PathBuf, name: PathBuf) -> Self {
        Self {
            makes_parent: true,
            ..Self::new(parent, name)
        }
    }

    /// A new staged file; it goes when dropped. Blocks.
    pub(super) fn file(&self) -> Result<NamedTempFile, ArchiveError> {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.file_in(&mut session);
        let made = match found {
            // Somebody removed the folder under us: begin a new one, once.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                *session = None;
                self.file_in(&mut session)
            }
            other => other,
        };
        made.map_err(|error| errors::of_file(self.folder.display(), &error))
    }

    fn file_in(&self, session: &mut Option<Session>) -> io::Result<NamedTempFile> {
        if session.is_none() {
            *session = Some(self.begin()?);
        }
        let folder = session
            .as_ref()
            .map_or(self.folder.as_path(), |it| it.folder.0.as_path());
        let mut builder = tempfile::Builder::new();
        // As any file that a person makes: the umask decides.
        builder
            .prefix("")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)
    }

    pub(super) async fn unique_name(&self) -> Result<String, ArchiveError> {
        let staging = self.clone();
        let file = blocking(move || staging.file()).await?;
        let name = file
            .path()
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        Ok(name.unwrap_or_default())
    }

    fn begin(&self) -> io::Result<Session> {
        if self.makes_parent {
            fs::create_dir_all(&self.parent)?;
        }
        match fs::create_dir(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        loop {
            // The lock comes before the folder and goes after it: a folder whose lock is free or gone is nobody's.
            let lock = tempfile::Builder::new()
                .prefix("s-")
                .suffix(&format!(".{LOCK_ENDING}"))
                .tempfile_in(&self.folder)?;
            let (lock, lock_name) = lock.into_parts();
            flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
            if lock.metadata()?.nlink() == 0 {
                continue; // a sweep saw it before it was locked
            }
            let folder = lock_name.with_extension("");
            fs::create_dir(&folder)?;
            let folder = SessionFolder(folder);
            return Ok(Session {
                folder,
                _lock_name: lock_name,
                _lock: lock,
            });
        }
    }

    /// Removes the folders of processes that are gone; returns how many files those held.
    pub(super) async fn sweep(&self) -> Result<u64, ArchiveError> {
        let staging = self.clone();
        blocking(move || {
            let swept = staging.sweep_now();
            swept.map_err(|error| errors::of_file(staging.folder.display(), &error))
        })
        .await
    }

    fn sweep_now(&self) -> io::Result<u64> {
        if !self.makes_parent {
            fs::metadata(&self.parent)?;
        }
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            entries => entries?,
        };
        let mut removed = 0;
        for entry in entries {
            let path = entry?.path();
            let is_lock = path.extension().is_some_and(|it| it == LOCK_ENDING);
            let lock = if is_lock {
                path.clone()
            } else {
                path.with_extension(LOCK_ENDING)
            };
            let Some(_held) = free(&lock)? else { continue };
            let folder = lock.with_extension("");
            removed += remove_folder(&folder)?;
            remove_if_there(&lock)?;
        }
        Ok(removed)
    }
}

/// The lock, when nobody holds it; also when it is gone.
fn free(lock: &Path) -> io::Result<Option<Option<File>>> {
    let file = match File::open(lock) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(None)),
        file => file?,
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(Some(file))),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn remove_folder(folder: &Path) -> io::Result<u64> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut removed = 0;
    for entry in entries {
        remove_if_there(&entry?.path())?;
        removed += 1;
    }
    fs::remove_dir(folder)?;
    Ok(removed)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
