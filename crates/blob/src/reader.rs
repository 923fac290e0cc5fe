//! Reading an archive that is on its own: no catalogue, no vault, only what lies there and an identity.

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use opendal::{ErrorKind, Operator};
use secrecy::SecretString;
use tintype_model::{SnapshotId, plan::Layout};
use tintype_ports::{ArchiveError, archive::ManifestEntry};

use crate::{
    descriptor::Descriptor,
    errors, manifest, operator,
    paths::{self, DESCRIPTOR, SNAPSHOTS},
    sealing::Identities,
    settings::{Root, check_root},
};

/// No description of an archive is longer; recipients take some 70 bytes each.
pub(crate) const LONGEST_DESCRIPTOR: u64 = 1024 * 1024;

/// An archive, opened for reading. Cheap to clone.
#[derive(Clone)]
pub struct ArchiveReader {
    operator: Operator,
    descriptor: Descriptor,
    identities: Option<Identities>,
}

impl ArchiveReader {
    /// Opens an archive by its `tintype.json`. `identity` is the text of an age key file. Whether local folders may be opened is
    /// the caller's policy.
    ///
    /// # Errors
    /// When there is no archive, it is damaged or newer, or the identity does not belong to it.
    pub async fn open(root: &Root, identity: Option<&SecretString>) -> Result<Self, ArchiveError> {
        check_root(root, true)?;
        let operator = operator::open(root)?;
        let Some(bytes) = read_descriptor(&operator).await? else {
            return Err(ArchiveError::Missing(format!(
                "there is no {DESCRIPTOR}, so no archive"
            )));
        };
        let descriptor = Descriptor::from_text(&bytes)?;
        Self::with(operator, descriptor, identity)
    }

    pub(crate) fn with(
        operator: Operator,
        descriptor: Descriptor,
        identity: Option<&SecretString>,
    ) -> Result<Self, ArchiveError> {
        let identities = match identity {
            Some(text) if descriptor.is_encrypted() => {
                Some(Identities::parse(text, &descriptor.recipients)?)
            }
            _ => None,
        };
        Ok(Self {
            operator,
            descriptor,
            identities,
        })
    }

    /// What the archive says of itself.
    #[must_use]
    pub const fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The snapshots that are there, oldest first.
    ///
    /// # Errors
    /// When the place cannot be listed.
    pub async fn snapshots(&self) -> Result<Vec<SnapshotId>, ArchiveError> {
        list_snapshots(&self.operator, self.descriptor.is_encrypted()).await
    }

    /// Reads a manifest entry by entry; the last one says that the signature fits.
    ///
    /// # Errors
    /// When it is missing, damaged, or encrypted and there is no identity.
    pub async fn read_manifest(
        &self,
        snapshot: SnapshotId,
    ) -> Result<BoxStream<'static, Result<ManifestEntry, ArchiveError>>, ArchiveError> {
        let path = paths::manifest(snapshot, self.descriptor.is_encrypted());
        let stored = self.read(&path).await?;
        let wanted = manifest::Wanted {
            path,
            snapshot,
            archive: self.descriptor.archive,
            signing_key: self.descriptor.signing_key,
        };
        Ok(manifest::read(wanted, stored))
    }

    /// Reads the plain bytes of an object or a mirrored file, without checking its hash.
    ///
    /// # Errors
    /// When it is missing, damaged, or encrypted and there is no identity.
    pub async fn read(
        &self,
        path: &str,
    ) -> Result<BoxStream<'static, Result<Bytes, ArchiveError>>, ArchiveError> {
        if !self.descriptor.is_encrypted() {
            return self.read_stored(path).await;
        }
        let Some(identities) = &self.identities else {
            return Err(self.locked());
        };
        let sealed = self.read_stored(path).await?;
        identities.open(path, sealed).await
    }

    /// Says that an identity is needed, when it is and there is none.
    pub(crate) fn check_unlocked(&self) -> Result<(), ArchiveError> {
        let locked = self.descriptor.is_encrypted() && self.identities.is_none();
        if locked { Err(self.locked()) } else { Ok(()) }
    }

    fn locked(&self) -> ArchiveError {
        let recipients = self.descriptor.recipients.join(", ");
        ArchiveError::Locked(format!(
            "pass --identity with the age key file of {recipients}"
        ))
    }

    pub(crate) const fn layout(&self) -> Layout {
        self.descriptor.layout
    }

    pub(crate) const fn operator(&self) -> &Operator {
        &self.operator
    }

    async fn read_stored(
        &self,
        path: &str,
    ) -> Result<BoxStream<'static, Result<Bytes, ArchiveError>>, ArchiveError> {
        let failed = |error: opendal::Error| errors::of_storage(path, &error);
        let reader = self.operator.reader(path).await.map_err(failed)?;
        let stream = reader.into_bytes_stream(..).await.map_err(failed)?;
        let path = path.to_owned();
        Ok(stream
            .map_err(move |error| errors::of_file(&path, &error))
            .boxed())
    }
}

/// The bytes of `tintype.json`; `None` when there is none.
pub(crate) async fn read_descriptor(operator: &Operator) -> Result<Option<Vec<u8>>, ArchiveError> {
    let failed = |error: &opendal::Error| errors::of_storage(DESCRIPTOR, error);
    let found = match operator.stat(DESCRIPTOR).await {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let typed = failed(&error);
            // A bucket that does not exist is not an archive that does not exist yet.
            let bucket_is_missing = error.message().contains("NoSuchBucket");
            return if bucket_is_missing {
                Err(typed)
            } else {
                Ok(None)
            };
        }
        Err(error) => return Err(failed(&error)),
    };
    let has_its_length = (1..=LONGEST_DESCRIPTOR).contains(&found.content_length());
    if !found.is_file() || !has_its_length {
        return Err(ArchiveError::Foreign(format!(
            "{DESCRIPTOR} is not the description of an archive"
        )));
    }
    // Told how much there is, opendal does not set megabytes aside for it.
    let whole = operator.read_with(DESCRIPTOR);
    let bytes = whole.range(..found.content_length()).await;
    bytes
        .map(|bytes| Some(bytes.to_vec()))
        .map_err(|error| failed(&error))
}

pub(crate) async fn list_snapshots(
    operator: &Operator,
    sealed: bool,
) -> Result<Vec<SnapshotId>, ArchiveError> {
    let entries = match operator.list(SNAPSHOTS).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        entries => entries.map_err(|error| errors::of_storage(SNAPSHOTS, &error))?,
    };
    let ids = entries
        .iter()
        .filter_map(|entry| paths::snapshot_of(entry.path(), sealed));
    let mut ids: Vec<SnapshotId> = ids.collect();
    ids.sort_unstable();
    Ok(ids)
}
