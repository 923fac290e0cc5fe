//! Giving a durable file its name below the root, without ever replacing what is good.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use tempfile::{PathPersistError, TempPath};
use tintype_ports::ArchiveError;

use super::{
    Expected, Rule,
    existing::{Comparison, Difference, sealed_fits},
    local::Ready,
};
use crate::{
    errors, paths,
    sealing::{MAX_HEADER, header_length},
};

/// Gives a durable file its name. What is already there decides, see [`Rule`].
pub(super) fn publish(
    root: &Path,
    ready: Ready,
    folders: &mut BTreeSet<PathBuf>,
) -> Result<(), ArchiveError> {
    let Ready {
        file,
        sidecar,
        expected,
    } = ready;
    let target = root.join(&expected.path);
    let failed = |error: &io::Error| errors::of_file(target.display(), error);
    let replaces = expected.rule == Rule::Latest;
    if let Err(refused) = place(root, &expected.path, file, replaces) {
        if replaces || refused.error.kind() != io::ErrorKind::AlreadyExists {
            return Err(failed(&refused.error));
        }
        if expected.rule != Rule::First
            && !is_same(&target, &expected).map_err(|error| failed(&error))?
        {
            check_replaceable(root, &expected)?;
            expected.report_replacement();
            refused
                .path
                .persist(&target)
                .map_err(|error| failed(&error.error))?;
        }
    }
    folders.extend(target.parent().map(Path::to_path_buf));
    if let Some(sidecar) = sidecar {
        let target = root.join(paths::sidecar(&expected.path));
        let renamed = sidecar.persist(&target);
        renamed.map_err(|error| errors::of_file(target.display(), &error.error))?;
    }
    Ok(())
}

fn check_replaceable(root: &Path, expected: &Expected) -> Result<(), ArchiveError> {
    match expected.difference() {
        Difference::Replace => Ok(()),
        Difference::Refuse(error) => Err(error),
        Difference::ReplaceIfOurs => {
            let sidecar = fs::read(root.join(paths::sidecar(&expected.path)));
            let ours = sidecar.is_ok_and(|bytes| crate::sidecar::is_intact(&bytes));
            if ours {
                Ok(())
            } else {
                Err(expected.in_the_way())
            }
        }
    }
}

/// Gives the name; folders are looked at only when one is missing.
fn place(root: &Path, path: &str, file: TempPath, replaces: bool) -> Result<(), PathPersistError> {
    let target = root.join(path);
    let rename = |file: TempPath| {
        if replaces {
            file.persist(&target)
        } else {
            file.persist_noclobber(&target)
        }
    };
    match rename(file) {
        Err(refused) if refused.error.kind() == io::ErrorKind::NotFound => {
            match make_folders(root, path) {
                Ok(()) => rename(refused.path),
                Err(error) => Err(PathPersistError { error, ..refused }),
            }
        }
        other => other,
    }
}

/// Makes the folders between the root and the file, never the root itself: that may be a disk that is not mounted.
fn make_folders(root: &Path, path: &str) -> io::Result<()> {
    let mut folder = root.to_path_buf();
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    for part in parent.split('/').filter(|part| !part.is_empty()) {
        folder.push(part);
        match fs::create_dir(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn is_same(target: &Path, expected: &Expected) -> io::Result<bool> {
    let found = fs::symlink_metadata(target)?;
    if !found.is_file() {
        return Ok(false);
    }
    match expected.comparison() {
        Comparison::Length(length) => Ok(found.len() == length),
        Comparison::SealedLength(plain) => {
            let mut start = Vec::new();
            File::open(target)?
                .take(MAX_HEADER as u64)
                .read_to_end(&mut start)?;
            Ok(sealed_fits(found.len(), header_length(&start), plain))
        }
        Comparison::Bytes(length, blob) => {
            if found.len() != length {
                return Ok(false);
            }
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(File::open(target)?)?;
            Ok(hasher.finalize().as_bytes() == blob.as_bytes())
        }
    }
}
