//! A draft: an object on its way in.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tempfile::NamedTempFile;
use tintype_model::{BlobHash, plan::Layout};
use tintype_ports::{
    ArchiveError,
    archive::{Draft, Placement, Staged},
};

use super::{
    Body, Content, Expected, PIECE, Rule, Writing, disk::Disk, room::Rented, staging::Staging,
};
use crate::{
    errors::{self, blocking},
    paths,
    sealing::Sealer,
};

/// Plain bytes up to this are hashed without leaving the async thread: under a tenth of a millisecond.
const HASH_INLINE: usize = PIECE;
/// Encryption is ten times slower than hashing.
const SEAL_INLINE: usize = 64 * 1024;

/// An object on its way in. Bytes collect in memory; every [`PIECE`] they go, hashed and sealed, to a staged file.
pub(crate) struct FileDraft {
    writing: Arc<Writing>,
    /// `None` after a failure, until a restart.
    progress: Option<Progress>,
    rented: Rented,
}

/// What travels to the blocking threads and back.
struct Progress {
    hasher: blake3::Hasher,
    size: u64,
    sealer: Option<Sealer>,
    pending: Vec<Bytes>,
    pending_length: usize,
    file: Option<NamedTempFile>,
    stored: u64,
}

/// A draft whose bytes have ended.
pub(crate) struct Ended {
    pub(crate) body: Body,
    pub(crate) blob: BlobHash,
    pub(crate) size: u64,
}

impl FileDraft {
    pub(crate) fn new(writing: Arc<Writing>) -> Result<Self, ArchiveError> {
        let progress = Some(Progress::new(&writing)?);
        Ok(Self {
            writing,
            progress,
            rented: Rented::default(),
        })
    }

    fn take(&mut self) -> Result<Progress, ArchiveError> {
        let failed = || ArchiveError::Unavailable("the draft failed before; restart it".to_owned());
        self.progress.take().ok_or_else(failed)
    }

    pub(crate) async fn push(&mut self, bytes: Bytes) -> Result<(), ArchiveError> {
        let mut progress = self.take()?;
        progress.pending_length += bytes.len();
        progress.pending.push(bytes);
        if progress.pending_length < PIECE {
            self.progress = Some(progress);
            return Ok(());
        }
        if let Some(room) = &self.writing.room {
            room.rent(&mut self.rented, progress.pending_length).await?;
        }
        let (staging, disk) = (self.writing.staging.clone(), Arc::clone(&self.writing.disk));
        let progress = blocking(move || {
            let pieces = progress.process()?;
            progress.write_out(&pieces, &staging, disk.as_ref())?;
            Ok(progress)
        });
        self.progress = Some(progress.await?);
        Ok(())
    }

    pub(crate) async fn end(mut self) -> Result<Ended, ArchiveError> {
        let mut progress = self.take()?;
        let inline = if progress.sealer.is_some() {
            SEAL_INLINE
        } else {
            HASH_INLINE
        };
        if progress.file.is_none() && progress.pending_length <= inline {
            let pieces = progress.process_last()?;
            return Ok(progress.end(pieces, self.rented));
        }
        if let (Some(room), true) = (&self.writing.room, progress.file.is_some()) {
            room.rent(&mut self.rented, progress.pending_length).await?;
        }
        let (staging, disk) = (self.writing.staging.clone(), Arc::clone(&self.writing.disk));
        let rented = self.rented;
        blocking(move || {
            let mut pieces = progress.process_last()?;
            if progress.file.is_some() {
                progress.write_out(&pieces, &staging, disk.as_ref())?;
                pieces.clear();
            }
            Ok(progress.end(pieces, rented))
        })
        .await
    }
}

impl Progress {
    fn new(writing: &Writing) -> Result<Self, ArchiveError> {
        Ok(Self {
            hasher: blake3::Hasher::new(),
            size: 0,
            sealer: writing.recipients.sealer()?,
            pending: Vec::new(),
            pending_length: 0,
            file: None,
            stored: 0,
        })
    }

    /// Hashes and seals what is pending; gives it as it will be stored.
    fn process(&mut self) -> Result<Vec<Bytes>, ArchiveError> {
        self.pending_length = 0;
        let mut pieces = std::mem::take(&mut self.pending);
        for piece in &mut pieces {
            self.hasher.update(piece);
            self.size += piece.len() as u64;
            if let Some(sealer) = &mut self.sealer {
                *piece = sealer.seal(piece)?;
            }
            self.stored += piece.len() as u64;
        }
        Ok(pieces)
    }

    fn process_last(&mut self) -> Result<Vec<Bytes>, ArchiveError> {
        let mut pieces = self.process()?;
        if let Some(sealer) = self.sealer.take() {
            let last = sealer.finish()?;
            self.stored += last.len() as u64;
            pieces.push(last);
        }
        Ok(pieces)
    }

    fn write_out(
        &mut self,
        pieces: &[Bytes],
        staging: &Staging,
        disk: &dyn Disk,
    ) -> Result<(), ArchiveError> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(staging.file()?),
        };
        let name = file.path().display().to_string();
        disk.append(file.as_file_mut(), pieces)
            .map_err(|error| errors::of_file(name, &error))
    }

    fn end(self, pieces: Vec<Bytes>, rented: Rented) -> Ended {
        let content = match self.file {
            Some(file) => Content::File(file),
            None => Content::Memory(pieces),
        };
        Ended {
            body: Body {
                content,
                stored: self.stored,
                _rented: Some(rented),
                _memory: None,
            },
            blob: BlobHash::from_bytes(*self.hasher.finalize().as_bytes()),
            size: self.size,
        }
    }
}

#[async_trait]
impl Draft for FileDraft {
    async fn write(&mut self, bytes: Bytes) -> Result<(), ArchiveError> {
        self.push(bytes).await
    }

    async fn restart(&mut self) -> Result<(), ArchiveError> {
        self.progress = Some(Progress::new(&self.writing)?);
        self.rented = Rented::default();
        Ok(())
    }

    async fn finish(self: Box<Self>, placement: Placement) -> Result<Staged, ArchiveError> {
        let writing = Arc::clone(&self.writing);
        let sidecar = check_placement(&writing, &placement)?;
        let Ended { body, blob, size } = self.end().await?;
        let sealed = writing.is_sealed();
        let (path, rule) = match placement {
            Placement::ByContent => (paths::object(&blob, sealed), Rule::Object),
            Placement::At { path, .. } => (path, Rule::Mirrored),
        };
        let expected = Expected {
            path,
            rule,
            size,
            blob,
            sealed,
        };
        writing.stage(body, expected, sidecar).await
    }
}

/// The checked text of the sidecar, when the placement fits the layout.
fn check_placement(
    writing: &Writing,
    placement: &Placement,
) -> Result<Option<String>, ArchiveError> {
    match (writing.layout(), placement) {
        (Layout::Archive, Placement::ByContent) => Ok(None),
        (Layout::Mirror, Placement::At { path, sidecar }) => {
            paths::check_mirrored(path)?;
            crate::sidecar::with_check(sidecar).map(Some)
        }
        (layout, _) => Err(ArchiveError::Settings(format!(
            "the placement does not fit the {layout:?} layout"
        ))),
    }
}
