//! A draft: an object on its way in.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tintype_model::{BlobHash, plan::Layout};
use tintype_ports::{
    ArchiveError,
    archive::{Draft, Placement, Staged},
};

use super::{
    Body, Content, Expected, Rule, Writing,
    block::Block,
    output::{Output, Outputs},
    room::Rented,
};
use crate::{errors::blocking, paths, sealing::Sealer};

/// Sealed without leaving the async thread, up to this; encryption takes ten times as long as hashing.
const SEAL_INLINE: usize = 64 * 1024;

/// An object on its way in. Bytes are hashed and sealed as they come, and collect in one block of memory; each full block goes
/// to a staged file.
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
    block: Option<Block>,
    output: Option<Output>,
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
        let progress = self.take()?;
        let (progress, stored) = progress.process(bytes).await?;
        self.progress = Some(self.collect(progress, stored).await?);
        Ok(())
    }

    /// Fills blocks. A full one is written out only when more comes: what fits into one block can be sent on from memory.
    async fn collect(
        &mut self,
        mut progress: Progress,
        mut bytes: Bytes,
    ) -> Result<Progress, ArchiveError> {
        progress.stored += bytes.len() as u64;
        let outputs = Arc::clone(&self.writing.outputs);
        while !bytes.is_empty() {
            let block = progress.block.get_or_insert_with(|| outputs.blocks.take());
            if block.is_full() {
                self.rent(block).await?;
                let outputs = Arc::clone(&outputs);
                progress = blocking(move || progress.write_out(&outputs)).await?;
            } else {
                block.fill(&mut bytes);
            }
        }
        Ok(progress)
    }

    async fn rent(&mut self, block: &Block) -> Result<(), ArchiveError> {
        match &self.writing.room {
            Some(room) => room.rent(&mut self.rented, block.bytes().len()).await,
            None => Ok(()),
        }
    }

    pub(crate) async fn end(mut self) -> Result<Ended, ArchiveError> {
        let mut progress = self.take()?;
        if let Some(sealer) = progress.sealer.take() {
            let last = sealer.finish()?;
            progress = self.collect(progress, last).await?;
        }
        let stays_in_memory = !self.writing.is_local() && progress.output.is_none();
        if stays_in_memory {
            let bytes = progress
                .block
                .take()
                .map_or_else(Bytes::new, Bytes::from_owner);
            return Ok(progress.end(Content::Memory(bytes), self.rented));
        }
        if let Some(block) = &progress.block {
            self.rent(block).await?;
        }
        let outputs = Arc::clone(&self.writing.outputs);
        let rented = self.rented;
        blocking(move || {
            let mut progress = progress.write_out(&outputs)?;
            let output = match progress.output.take() {
                Some(output) => output,
                None => outputs.begin()?,
            };
            Ok(progress.end(Content::File(output.end()?), rented))
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
            block: None,
            output: None,
            stored: 0,
        })
    }

    /// Hashes and seals; gives the bytes as they will be stored.
    async fn process(mut self, plain: Bytes) -> Result<(Self, Bytes), ArchiveError> {
        self.size += plain.len() as u64;
        if self.sealer.is_some() && plain.len() > SEAL_INLINE {
            return blocking(move || self.process_now(plain)).await;
        }
        self.process_now(plain)
    }

    fn process_now(mut self, plain: Bytes) -> Result<(Self, Bytes), ArchiveError> {
        self.hasher.update(&plain);
        let stored = match &mut self.sealer {
            Some(sealer) => sealer.seal(&plain)?,
            None => plain,
        };
        Ok((self, stored))
    }

    fn write_out(mut self, outputs: &Arc<Outputs>) -> Result<Self, ArchiveError> {
        if let Some(block) = &mut self.block {
            let output = match &mut self.output {
                Some(output) => output,
                none => none.insert(outputs.begin()?),
            };
            output.append(block)?;
        }
        Ok(self)
    }

    fn end(self, content: Content, rented: Rented) -> Ended {
        Ended {
            body: Body {
                content,
                stored: self.stored,
                _rented: Some(rented),
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
