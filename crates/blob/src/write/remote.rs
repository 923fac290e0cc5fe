//! Writing to an object store: whole bodies, put only where nothing is, acknowledged by the store.

use std::{fs::File, io::Read as _, sync::Arc};

use bytes::Bytes;
use futures::TryStreamExt as _;
use opendal::{ErrorKind, Operator};
use tintype_model::BlobHash;
use tintype_ports::ArchiveError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    Body, Content, Expected, Rule,
    existing::{Comparison, Difference, sealed_fits},
    output::StagedFile,
};
use crate::{
    errors::{self, blocking},
    paths,
    sealing::{MAX_HEADER, header_length},
};

/// Memory for the parts of large uploads, over all of them.
const UPLOAD_MEMORY: u64 = 32 * 1024 * 1024;
/// Bodies up to this are sent in one request.
const SINGLE: u64 = 8 * 1024 * 1024;
/// S3 takes parts from 5 MiB up, and at most 10,000 of them.
const LEAST_PART: u64 = 5 * 1024 * 1024;
const MOST_PARTS: u64 = 9_000;
const UNIT: u64 = 1024;

/// An object store.
pub(super) struct Remote {
    operator: Operator,
    memory: Arc<Semaphore>,
}

impl Remote {
    pub(super) fn new(operator: Operator) -> Self {
        let units = usize::try_from(UPLOAD_MEMORY / UNIT).unwrap_or(usize::MAX);
        Self {
            operator,
            memory: Arc::new(Semaphore::new(units)),
        }
    }

    /// Sends a body. When this returns, the store has acknowledged it.
    pub(super) async fn send(&self, body: Body, expected: &Expected) -> Result<(), ArchiveError> {
        let only_new = expected.rule != Rule::Latest;
        // Some stores take no notice of conditions. Another object of the same content does no harm; these do.
        let must_not_replace =
            matches!(expected.rule, Rule::Manifest | Rule::First | Rule::Mirrored);
        if !must_not_replace || !self.exists(&expected.path).await? {
            let refused = match self.put(&body, &expected.path, only_new).await {
                Ok(()) => return Ok(()),
                Err(PutError::Storage(error)) if only_new => error,
                Err(error) => return Err(error.into_typed(&expected.path)),
            };
            let exists = match refused.kind() {
                ErrorKind::ConditionNotMatch | ErrorKind::AlreadyExists => true,
                _ if knows_no_conditions(&refused) => self.exists(&expected.path).await?,
                _ => return Err(errors::of_storage(&expected.path, &refused)),
            };
            if !exists {
                let put = self.put(&body, &expected.path, false).await;
                return put.map_err(|error| error.into_typed(&expected.path));
            }
        }
        if expected.rule == Rule::First || self.is_same(expected).await? {
            return Ok(());
        }
        match expected.difference() {
            Difference::Refuse(error) => return Err(error),
            Difference::ReplaceIfOurs if !self.is_ours(&expected.path).await? => {
                return Err(expected.in_the_way());
            }
            Difference::Replace | Difference::ReplaceIfOurs => expected.report_replacement(),
        }
        let put = self.put(&body, &expected.path, false).await;
        put.map_err(|error| error.into_typed(&expected.path))
    }

    /// Sends the sidecar of a mirrored file.
    pub(super) async fn send_sidecar(&self, path: &str, text: String) -> Result<(), ArchiveError> {
        let path = paths::sidecar(path);
        let put = self.operator.write(&path, text).await;
        put.map(drop)
            .map_err(|error| errors::of_storage(&path, &error))
    }

    async fn put(&self, body: &Body, path: &str, only_new: bool) -> Result<(), PutError> {
        match &body.content {
            Content::Memory(bytes) => {
                self.operator
                    .write_with(path, bytes.clone())
                    .if_not_exists(only_new)
                    .await?;
                Ok(())
            }
            Content::File(file) if body.stored <= SINGLE => {
                let _room = self.rent(body.stored).await?;
                let bytes = read_part(File::open(&file.path).map_err(of_spool)?, body.stored)
                    .await?
                    .1;
                self.operator
                    .write_with(path, bytes)
                    .if_not_exists(only_new)
                    .await?;
                Ok(())
            }
            Content::File(file) => self.put_in_parts(file, body.stored, path, only_new).await,
        }
    }

    async fn put_in_parts(
        &self,
        file: &StagedFile,
        stored: u64,
        path: &str,
        only_new: bool,
    ) -> Result<(), PutError> {
        let part = LEAST_PART.max(stored.div_ceil(MOST_PARTS));
        let _room = self.rent(2 * part).await?;
        let chunk = usize::try_from(part).unwrap_or(usize::MAX);
        let mut writer = self
            .operator
            .writer_with(path)
            .chunk(chunk)
            .if_not_exists(only_new)
            .await?;
        let sent = async {
            let mut file = File::open(&file.path).map_err(of_spool)?;
            let mut left = stored;
            while left > 0 {
                let (same_file, bytes) = read_part(file, left.min(part)).await?;
                file = same_file;
                left -= bytes.len() as u64;
                writer.write(bytes).await?;
            }
            writer.close().await?;
            Ok(())
        }
        .await;
        if sent.is_err() {
            // Parts of an upload that never ends cost money. The first failure is the one to tell.
            if let Err(error) = writer.abort().await {
                tracing::debug!(path, %error, "an upload in parts could not be given up");
            }
        }
        sent
    }

    async fn rent(&self, bytes: u64) -> Result<OwnedSemaphorePermit, PutError> {
        let wanted = bytes.min(UPLOAD_MEMORY).div_ceil(UNIT);
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
        let rented = Arc::clone(&self.memory).acquire_many_owned(wanted).await;
        let closed = |_| ArchiveError::Unavailable("the upload memory is closed".to_owned());
        rented.map_err(closed).map_err(PutError::Typed)
    }

    async fn exists(&self, path: &str) -> Result<bool, ArchiveError> {
        let exists = self.operator.exists(path).await;
        exists.map_err(|error| errors::of_storage(path, &error))
    }

    async fn is_ours(&self, path: &str) -> Result<bool, ArchiveError> {
        let path = paths::sidecar(path);
        match self.operator.read(&path).await {
            Ok(bytes) => Ok(crate::sidecar::is_intact(&bytes.to_bytes())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(errors::of_storage(&path, &error)),
        }
    }

    async fn is_same(&self, expected: &Expected) -> Result<bool, ArchiveError> {
        let path = expected.path.as_str();
        let failed = |error: opendal::Error| errors::of_storage(path, &error);
        let length = self
            .operator
            .stat(path)
            .await
            .map_err(failed)?
            .content_length();
        match expected.comparison() {
            Comparison::Length(wanted) => Ok(length == wanted),
            Comparison::SealedLength(plain) => {
                let most = length.min(MAX_HEADER as u64);
                let start = self
                    .operator
                    .read_with(path)
                    .range(0..most)
                    .await
                    .map_err(failed)?;
                Ok(sealed_fits(length, header_length(&start.to_bytes()), plain))
            }
            Comparison::Bytes(wanted, _) if length != wanted => Ok(false),
            Comparison::Bytes(_, blob) => Ok(self.hash(path).await? == blob),
        }
    }

    async fn hash(&self, path: &str) -> Result<BlobHash, ArchiveError> {
        let failed = |error: opendal::Error| errors::of_storage(path, &error);
        let reader = self.operator.reader(path).await.map_err(failed)?;
        let mut stream = reader.into_bytes_stream(..).await.map_err(failed)?;
        let mut hasher = blake3::Hasher::new();
        let next = |error| errors::of_file(path, &error);
        while let Some(bytes) = stream.try_next().await.map_err(next)? {
            hasher.update(&bytes);
        }
        Ok(BlobHash::from_bytes(*hasher.finalize().as_bytes()))
    }
}

/// Why a put failed: what the store said decides what happens next.
enum PutError {
    Storage(opendal::Error),
    Typed(ArchiveError),
}

impl PutError {
    fn into_typed(self, path: &str) -> ArchiveError {
        match self {
            Self::Storage(error) => errors::of_storage(path, &error),
            Self::Typed(error) => error,
        }
    }
}

impl From<opendal::Error> for PutError {
    fn from(error: opendal::Error) -> Self {
        Self::Storage(error)
    }
}

/// Some stores answer 501 to `If-None-Match`.
fn knows_no_conditions(error: &opendal::Error) -> bool {
    error.kind() == ErrorKind::Unsupported || error.message().contains("NotImplemented")
}

fn of_spool(error: std::io::Error) -> PutError {
    PutError::Typed(errors::of_file("the spool folder", &error))
}

async fn read_part(mut file: File, length: u64) -> Result<(File, Bytes), PutError> {
    let read = blocking(move || {
        let failed = |error: std::io::Error| errors::of_file("the spool folder", &error);
        let mut buffer = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        file.read_exact(&mut buffer).map_err(failed)?;
        Ok((file, Bytes::from(buffer)))
    });
    read.await.map_err(PutError::Typed)
}
