//! Writing a manifest from start to end.

use std::{io::Write as _, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use tintype_model::{
    BlobHash, SnapshotId,
    snapshot::{ManifestAlbum, ManifestHead, ManifestItem},
};
use tintype_ports::{ArchiveError, archive::ManifestWriter};
use zstd::stream::write::Encoder;

use super::{
    ALBUMS, CLOSE, Index, LONGEST_LINE, head_line, signature_line, signed_hasher, to_json, trailer,
};
use crate::{
    errors::{self, blocking},
    paths, reader,
    write::{Expected, FileDraft, Rule, Writing},
};

/// Its power of two is what the compressor looks back on, in bytes. Lines resemble their neighbours, so that more would cost
/// memory, here and in each reader, and bring nothing.
const WINDOW: u32 = 19;
/// Plain text is compressed in pieces of this size, off the async threads.
const PIECE: usize = 256 * 1024;
const LEVEL: i32 = 3;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Items,
    Albums,
    Sealed,
}

/// Writes lines, compresses and hashes them on the way into a draft.
pub(crate) struct Writer {
    writing: Arc<Writing>,
    snapshot: SnapshotId,
    draft: FileDraft,
    part: Part,
    /// True until the first line of the part.
    empty: bool,
    text: Vec<u8>,
    compressor: Option<Compressor>,
    seal: Option<BlobHash>,
}

struct Compressor {
    encoder: Encoder<'static, Vec<u8>>,
    signed: blake3::Hasher,
    stored: blake3::Hasher,
}

impl Writer {
    pub(crate) fn begin(writing: Arc<Writing>, head: &ManifestHead) -> Result<Self, ArchiveError> {
        let failed = |error| errors::of_file("zstd", &error);
        let mut encoder = Encoder::new(Vec::new(), LEVEL).map_err(failed)?;
        encoder.include_checksum(true).map_err(failed)?;
        encoder.window_log(WINDOW).map_err(failed)?;
        let compressor = Compressor {
            encoder,
            signed: signed_hasher(),
            stored: blake3::Hasher::new(),
        };
        Ok(Self {
            draft: FileDraft::new(Arc::clone(&writing))?,
            writing,
            snapshot: head.id,
            part: Part::Items,
            empty: true,
            text: head_line(head)?.into_bytes(),
            compressor: Some(compressor),
            seal: None,
        })
    }

    async fn line(&mut self, part: Part, json: String) -> Result<(), ArchiveError> {
        self.move_to(part)?;
        if json.len() > LONGEST_LINE - 2 {
            return Err(ArchiveError::Settings(format!(
                "a manifest line of {} bytes is too long",
                json.len()
            )));
        }
        self.text
            .extend_from_slice(if self.empty { b"\n" } else { b",\n" });
        self.text.extend_from_slice(json.as_bytes());
        self.empty = false;
        if self.text.len() >= PIECE {
            self.compress().await?;
        }
        Ok(())
    }

    fn move_to(&mut self, part: Part) -> Result<(), ArchiveError> {
        if part < self.part || self.compressor.is_none() {
            let reason = "a manifest takes its items, then its albums, then its signature";
            return Err(ArchiveError::Settings(reason.to_owned()));
        }
        if part == self.part {
            return Ok(());
        }
        if self.part == Part::Items {
            self.text
                .extend_from_slice(format!("\n{ALBUMS}").as_bytes());
        }
        if part == Part::Sealed {
            self.text
                .extend_from_slice(format!("\n{CLOSE}\n").as_bytes());
        }
        self.part = part;
        self.empty = true;
        Ok(())
    }

    async fn compress(&mut self) -> Result<(), ArchiveError> {
        let failed = || ArchiveError::Unavailable("the manifest failed before".to_owned());
        let mut compressor = self.compressor.take().ok_or_else(failed)?;
        let text = std::mem::take(&mut self.text);
        let sealed = self.seal.is_some();
        let (compressor, stored) = blocking(move || {
            if !sealed {
                compressor.signed.update(&text);
            }
            let written = compressor.encoder.write_all(&text);
            written.map_err(|error| errors::of_file("zstd", &error))?;
            let stored = std::mem::take(compressor.encoder.get_mut());
            compressor.stored.update(&stored);
            Ok((compressor, stored))
        })
        .await?;
        self.compressor = Some(compressor);
        if !stored.is_empty() {
            self.draft.push(Bytes::from(stored)).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl ManifestWriter for Writer {
    async fn item(&mut self, item: &ManifestItem) -> Result<(), ArchiveError> {
        self.line(Part::Items, to_json(item)?).await
    }

    async fn album(&mut self, album: &ManifestAlbum) -> Result<(), ArchiveError> {
        self.line(Part::Albums, to_json(album)?).await
    }

    async fn seal(&mut self) -> Result<BlobHash, ArchiveError> {
        if let Some(hash) = self.seal {
            return Ok(hash);
        }
        self.move_to(Part::Sealed)?;
        self.compress().await?;
        let failed = || ArchiveError::Unavailable("the manifest failed before".to_owned());
        let compressor = self.compressor.as_ref().ok_or_else(failed)?;
        let hash = BlobHash::from_bytes(*compressor.signed.finalize().as_bytes());
        self.seal = Some(hash);
        Ok(hash)
    }

    async fn publish(mut self: Box<Self>, signature: [u8; 64]) -> Result<(), ArchiveError> {
        let hash = self.seal().await?;
        self.text
            .extend_from_slice(signature_line(&hash, &signature).as_bytes());
        self.compress().await?;
        let Self {
            writing,
            snapshot,
            mut draft,
            compressor,
            ..
        } = *self;
        let failed = || ArchiveError::Unavailable("the manifest failed before".to_owned());
        let Compressor {
            encoder,
            mut stored,
            ..
        } = compressor.ok_or_else(failed)?;
        let mut end = encoder
            .finish()
            .map_err(|error| errors::of_file("zstd", &error))?;
        stored.update(&end);
        end.extend_from_slice(&trailer(&stored));
        draft.push(Bytes::from(end)).await?;

        let ended = draft.end().await?;
        let sealed = writing.is_sealed();
        let expected = Expected {
            path: paths::manifest(snapshot, sealed),
            rule: Rule::Manifest,
            size: ended.size,
            blob: ended.blob,
            sealed,
        };
        writing.store(ended.body, expected).await?;

        let mut index = Index::load(&writing.operator).await?.unwrap_or_default();
        index
            .0
            .extend(reader::list_snapshots(&writing.operator, sealed).await?);
        index.0.insert(snapshot);
        writing
            .store_text(paths::SNAPSHOT_INDEX, index.to_text(), Rule::Latest)
            .await
    }
}
