//! A folder as a library: a person's own photos, served from disk as they are.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::error::EmulatorError;
use crate::serving::probe;
use crate::state::item::{Content, StoredItem};

/// Bytes read of each file to learn its dimensions and date.
const HEAD: u64 = 256 * 1024;
/// Folders deeper than this are not entered, so that a link loop ends.
const DEEPEST: usize = 32;

/// Every file below the folder whose type Google accepts, by path.
pub(crate) fn read(folder: &Path) -> Result<Vec<StoredItem>, EmulatorError> {
    let mut files = Vec::new();
    walk(folder, 0, &mut files)?;
    files.sort();
    files
        .iter()
        .filter_map(|path| item(path).transpose())
        .collect()
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), EmulatorError> {
    let at = |source| EmulatorError::File {
        path: folder.to_owned(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(at)? {
        let path = entry.map_err(at)?.path();
        if path.is_dir() && depth < DEEPEST {
            walk(&path, depth + 1, files)?;
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

fn item(path: &Path) -> Result<Option<StoredItem>, EmulatorError> {
    let at = |source| EmulatorError::File {
        path: path.to_owned(),
        source,
    };
    let Some(name) = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
    else {
        return Ok(None);
    };
    let Some(mime) = probe::mime_of_name(&name) else {
        return Ok(None);
    };
    let file = File::open(path).map_err(at)?;
    let metadata = file.metadata().map_err(at)?;
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head).map_err(at)?;
    let facts = probe::probe(&head);
    let modified = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified_ms = modified
        .and_then(|age| i64::try_from(age.as_millis()).ok())
        .unwrap_or(0);
    let created_ms = facts.taken_ms.unwrap_or(modified_ms);
    let (width, height) = facts.dimensions.unwrap_or((0, 0));
    Ok(Some(StoredItem {
        created_ms,
        added_ms: created_ms,
        file_name: name.into_boxed_str(),
        mime,
        width,
        height,
        description: None,
        camera: facts.camera.map(Box::new),
        archived: false,
        favorite: false,
        removed: false,
        failed: false,
        ready_ms: i64::MIN,
        content: Content::File {
            path: path.to_owned(),
            len: metadata.len(),
        },
    }))
}
