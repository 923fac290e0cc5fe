//! Giving a durable file its name below the root, without ever replacing what is good.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

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
    make_folders(root, &expected.path, folders).map_err(|error| failed(&error))?;
    if expected.rule == Rule::Latest {
        file.persist(&target)
            .map_err(|error| failed(&error.error))?;
    } else if let Err(refused) = file.persist_noclobber(&target) {
        if refused.error.kind() != io::ErrorKind::AlreadyExists {
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

/// Makes the folders between the root and the file, never the root itself: that may be a disk that is not mounted.
fn make_folders(root: &Path, path: &str, folders: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    let mut folder = root.to_path_buf();
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    for part in parent.split('/').filter(|part| !part.is_empty()) {
        let above = folder.clone();
        folder.push(part);
        if folders.contains(&folder) {
            continue;
        }
        match fs::create_dir(&folder) {
            Ok(()) => drop(folders.insert(above)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    folders.insert(folder);
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
