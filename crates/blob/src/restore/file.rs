//! One file of a restore: checked before it is visible, never outside the target folder.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use bytes::Bytes;
use futures::TryStreamExt as _;
use tempfile::{NamedTempFile, TempDir};
use tintype_model::{BlobHash, snapshot::ManifestItem};
use tintype_ports::ArchiveError;

use super::of_target;
use crate::{errors::blocking, paths, reader::ArchiveReader};

/// Bytes that collect before they go to the disk.
const PIECE: usize = 512 * 1024;

/// What became of an item.
pub(super) enum Outcome {
    Written,
    AlreadyThere,
    InTheWay,
}

/// The target folder.
pub(super) struct Target {
    root: PathBuf,
    /// Files that are not checked yet; it goes with what is in it.
    staging: TempDir,
    overwrite: bool,
}

/// A file on its way.
struct Incoming {
    file: NamedTempFile,
    hasher: blake3::Hasher,
    size: u64,
}

impl Target {
    pub(super) async fn open(folder: &Path, overwrite: bool) -> Result<Self, ArchiveError> {
        let folder = folder.to_owned();
        blocking(move || {
            let open = || {
                fs::create_dir_all(&folder)?;
                let root = fs::canonicalize(&folder)?;
                let staging = tempfile::Builder::new()
                    .prefix(".tintype-restore-")
                    .tempdir_in(&root)?;
                Ok(Self {
                    root,
                    staging,
                    overwrite,
                })
            };
            open().map_err(|error| of_target(&folder, &error))
        })
        .await
    }

    /// Restores an item to `path` below the target.
    pub(super) async fn restore(
        self: &Arc<Self>,
        reader: &ArchiveReader,
        item: &ManifestItem,
        path: &str,
    ) -> Result<Outcome, ArchiveError> {
        let content = &item.content;
        let sealed = reader.descriptor().is_encrypted();
        if !paths::fits(&content.path, &content.blob, reader.layout(), sealed) {
            return Err(ArchiveError::Corrupt(format!(
                "{:?} is not a path in an archive",
                content.path
            )));
        }
        let (target, at) = (Arc::clone(self), path.to_owned());
        let (size, blob) = (content.size, content.blob);
        let found = blocking(move || {
            let full = target.prepare(&at)?;
            target
                .compare(&full, size, &blob)
                .map_err(|error| of_target(&full, &error))
        })
        .await?;
        match found {
            Found::Equal => return Ok(Outcome::AlreadyThere),
            Found::Other if !self.overwrite => return Ok(Outcome::InTheWay),
            Found::Other | Found::Nothing => {}
        }
        let incoming = self.fetch(reader, &content.path).await?;
        if incoming.size != size || incoming.hasher.finalize().as_bytes() != blob.as_bytes() {
            return Err(ArchiveError::Corrupt(format!(
                "{} is not what the manifest says",
                content.path
            )));
        }
        let modified = item.metadata.created_at.map(SystemTime::from);
        self.show(incoming.file, path, modified).await
    }

    /// Writes a small text to `path` below the target, whatever is there.
    pub(super) async fn write_text(
        self: &Arc<Self>,
        path: &str,
        text: String,
    ) -> Result<(), ArchiveError> {
        let (target, path) = (Arc::clone(self), path.to_owned());
        blocking(move || {
            let full = target.prepare(&path)?;
            let write = || {
                let mut file = target.stage()?;
                file.write_all(text.as_bytes())?;
                file.persist(&full)?;
                Ok(())
            };
            write().map_err(|error: io::Error| of_target(&full, &error))
        })
        .await
    }

    async fn fetch(&self, reader: &ArchiveReader, path: &str) -> Result<Incoming, ArchiveError> {
        let file = self
            .stage()
            .map_err(|error| of_target(self.staging.path(), &error))?;
        let mut incoming = Incoming {
            file,
            hasher: blake3::Hasher::new(),
            size: 0,
        };
        let mut stream = reader.read(path).await?;
        let (mut pieces, mut length) = (Vec::new(), 0);
        while let Some(bytes) = stream.try_next().await? {
            length += bytes.len();
            pieces.push(bytes);
            if length >= PIECE {
                incoming = incoming.take(std::mem::take(&mut pieces)).await?;
                length = 0;
            }
        }
        incoming.take(pieces).await
    }

    /// The full path, its folder made, when it does not lead out of the target through a link.
    fn prepare(&self, path: &str) -> Result<PathBuf, ArchiveError> {
        let full = self.root.join(path);
        let folder = full.parent().unwrap_or(&self.root);
        let made = fs::create_dir_all(folder).and_then(|()| fs::canonicalize(folder));
        let real = made.map_err(|error| of_target(folder, &error))?;
        if real.starts_with(&self.root) {
            return Ok(full);
        }
        Err(ArchiveError::Foreign(format!(
            "{} is a link that leads out of the target",
            folder.display()
        )))
    }

    fn compare(&self, full: &Path, size: u64, blob: &BlobHash) -> io::Result<Found> {
        let found = match fs::symlink_metadata(full) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            found => found?,
        };
        if !found.is_file() || found.len() != size {
            return Ok(Found::Other);
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(full)?)?;
        let equal = hasher.finalize().as_bytes() == blob.as_bytes();
        Ok(if equal { Found::Equal } else { Found::Other })
    }

    async fn show(
        self: &Arc<Self>,
        file: NamedTempFile,
        path: &str,
        modified: Option<SystemTime>,
    ) -> Result<Outcome, ArchiveError> {
        let (full, overwrite) = (self.root.join(path), self.overwrite);
        blocking(move || {
            let failed = |error: &io::Error| of_target(&full, error);
            if let Some(modified) = modified {
                file.as_file()
                    .set_modified(modified)
                    .map_err(|error| failed(&error))?;
            }
            if overwrite {
                file.persist(&full).map_err(|error| failed(&error.error))?;
                return Ok(Outcome::Written);
            }
            match file.persist_noclobber(&full) {
                Ok(_) => Ok(Outcome::Written),
                Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => {
                    Ok(Outcome::InTheWay)
                }
                Err(refused) => Err(failed(&refused.error)),
            }
        })
        .await
    }

    fn stage(&self) -> io::Result<NamedTempFile> {
        use std::os::unix::fs::PermissionsExt as _;
        tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(self.staging.path())
    }
}

enum Found {
    Nothing,
    Equal,
    Other,
}

impl Incoming {
    async fn take(mut self, pieces: Vec<Bytes>) -> Result<Self, ArchiveError> {
        blocking(move || {
            for piece in &pieces {
                self.hasher.update(piece);
                self.size += piece.len() as u64;
                let written = self.file.write_all(piece);
                written.map_err(|error| of_target(self.file.path(), &error))?;
            }
            Ok(self)
        })
        .await
    }
}
