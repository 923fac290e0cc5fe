//! The port: an archive that runs write to.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use tintype_model::{ArchiveId, SnapshotId, snapshot::ManifestHead};
use tintype_ports::{
    Archive, ArchiveError,
    archive::{Draft, ManifestEntry, ManifestWriter, Staged},
};

use crate::{
    descriptor::Descriptor,
    errors, manifest, operator,
    paths::DESCRIPTOR,
    reader::{ArchiveReader, read_descriptor},
    settings::ArchiveSettings,
    write::{Disk, FileDraft, RealDisk, Rule, Writing},
};

/// Opens the archive of a plan. Nothing is written before [`Archive::open_or_create`].
///
/// # Errors
/// When the settings cannot be used, or a local folder is not there.
pub fn open_archive(settings: ArchiveSettings) -> Result<Arc<dyn Archive>, ArchiveError> {
    open_on(settings, Arc::new(RealDisk))
}

pub(crate) fn open_on(
    settings: ArchiveSettings,
    disk: Arc<dyn Disk>,
) -> Result<Arc<dyn Archive>, ArchiveError> {
    let recipients = settings.check()?;
    let operator = operator::open(&settings.root)?;
    let descriptor = Descriptor {
        archive: settings.archive,
        layout: settings.layout,
        recipients: settings.recipients.clone(),
        signing_key: settings.signing_key,
    };
    let reader = ArchiveReader::with(operator.clone(), descriptor, settings.identity.as_ref())?;
    let writing = Arc::new(Writing::new(&settings, recipients, operator, disk));
    Ok(Arc::new(StoredArchive { reader, writing }))
}

struct StoredArchive {
    reader: ArchiveReader,
    writing: Arc<Writing>,
}

#[async_trait]
impl Archive for StoredArchive {
    async fn open_or_create(&self) -> Result<ArchiveId, ArchiveError> {
        let wanted = self.reader.descriptor();
        let operator = self.reader.operator();
        let found = match read_descriptor(operator).await? {
            Some(bytes) => bytes,
            None => {
                self.writing
                    .store_text(DESCRIPTOR, wanted.to_text()?, Rule::First)
                    .await?;
                let gone = || {
                    ArchiveError::Missing(format!("{DESCRIPTOR} went as soon as it was written"))
                };
                read_descriptor(operator).await?.ok_or_else(gone)?
            }
        };
        check_same(&Descriptor::from_text(&found)?, wanted)?;
        Ok(wanted.archive)
    }

    async fn open(&self) -> Result<(), ArchiveError> {
        let missing = || {
            let text = format!("{DESCRIPTOR} is not there, though this archive was written before");
            ArchiveError::Missing(text)
        };
        let found = read_descriptor(self.reader.operator()).await?;
        let found = found.ok_or_else(missing)?;
        check_same(&Descriptor::from_text(&found)?, self.reader.descriptor())
    }

    async fn probe(&self) -> Result<(), ArchiveError> {
        let operator = self.reader.operator();
        let path = format!(".tintype-probe-{}", self.writing.unique_name().await?);
        let text = "a small write, read and delete, to learn whether this place works\n";
        self.writing
            .store_text(&path, text.to_owned(), Rule::Latest)
            .await?;
        let failed = |error: opendal::Error| errors::of_storage(&path, &error);
        let read = operator.read(&path).await.map_err(failed);
        operator.delete(&path).await.map_err(failed)?;
        if read?.to_bytes() != text {
            return Err(ArchiveError::Corrupt(
                "other bytes come back than were written".to_owned(),
            ));
        }
        Ok(())
    }

    async fn draft(&self) -> Result<Box<dyn Draft>, ArchiveError> {
        Ok(Box::new(FileDraft::new(Arc::clone(&self.writing))?))
    }

    async fn commit(&self, group: Vec<Staged>) -> Vec<Result<(), ArchiveError>> {
        self.writing.commit(group).await
    }

    async fn sweep(&self) -> Result<u64, ArchiveError> {
        self.writing.sweep().await
    }

    async fn begin_manifest(
        &self,
        head: &ManifestHead,
    ) -> Result<Box<dyn ManifestWriter>, ArchiveError> {
        Ok(Box::new(manifest::Writer::begin(
            Arc::clone(&self.writing),
            head,
        )?))
    }

    async fn snapshots(&self) -> Result<Vec<SnapshotId>, ArchiveError> {
        self.reader.snapshots().await
    }

    async fn read_manifest(
        &self,
        snapshot: SnapshotId,
    ) -> Result<BoxStream<'static, Result<ManifestEntry, ArchiveError>>, ArchiveError> {
        self.reader.read_manifest(snapshot).await
    }

    async fn read(
        &self,
        path: &str,
    ) -> Result<BoxStream<'static, Result<Bytes, ArchiveError>>, ArchiveError> {
        self.reader.read(path).await
    }
}

fn check_same(found: &Descriptor, wanted: &Descriptor) -> Result<(), ArchiveError> {
    if found.archive != wanted.archive {
        return Err(ArchiveError::Foreign(format!(
            "it holds the archive {}, not {}; choose an empty place",
            found.archive, wanted.archive
        )));
    }
    let differs = [
        ("layout", found.layout != wanted.layout),
        ("recipients", found.recipients != wanted.recipients),
        ("signing key", found.signing_key != wanted.signing_key),
    ];
    match differs.iter().find(|(_, differs)| *differs) {
        Some((field, _)) => Err(ArchiveError::Foreign(format!(
            "the archive that is there has another {field}; an archive keeps it for life, so choose an empty place"
        ))),
        None => Ok(()),
    }
}
