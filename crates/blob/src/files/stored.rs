//! Files in an object store, whose folders are parts of names.

use std::{sync::Arc, time::SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use futures::{
    StreamExt as _, TryStreamExt as _, future,
    stream::{self, BoxStream},
};
use opendal::{ErrorKind, Metadata, Operator};
use tintype_ports::{
    ArchiveError, Files,
    files::{Found, FoundFile},
};

use super::{
    rules,
    walk::{Entries, Entry, Tree, walk},
};
use crate::{errors, reader::read_descriptor};

/// Objects that are asked about at once, where a listing does not tell enough.
const AT_ONCE: usize = 16;

/// The library below takes white space around a path for none of it, and so would list or read something else.
const WHITE_SPACE: &str = "its name begins or ends with white space; rename it";

#[derive(Clone)]
pub(super) struct StoredFiles {
    operator: Operator,
}

impl StoredFiles {
    pub(super) const fn new(operator: Operator) -> Self {
        Self { operator }
    }
}

#[async_trait]
impl Files for StoredFiles {
    async fn walk(&self) -> Result<BoxStream<'static, Result<Found, ArchiveError>>, ArchiveError> {
        walk(self.clone()).await
    }

    async fn read(
        &self,
        path: &str,
        offset: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, ArchiveError>>, ArchiveError> {
        rules::check_path(path)?;
        if path.trim() != path {
            return Err(ArchiveError::Settings(format!("{path:?}: {WHITE_SPACE}")));
        }
        let path: Arc<str> = path.into();
        pieces(&self.operator, &path, offset).await
    }
}

async fn pieces(
    operator: &Operator,
    path: &Arc<str>,
    offset: u64,
) -> Result<BoxStream<'static, Result<Bytes, ArchiveError>>, ArchiveError> {
    let at = Arc::clone(path);
    let failed = move |error: opendal::Error| errors::of_storage(&at, &error);
    let reader = operator.reader(path).await.map_err(&failed)?;
    let mut buffers = reader.into_stream(offset..).await.map_err(&failed)?;
    // The store is asked with the first bytes, not before.
    let first = match buffers.try_next().await {
        // There is nothing behind the end, nor at it.
        Err(error) if error.kind() == ErrorKind::RangeNotSatisfied => None,
        first => first.map_err(&failed)?,
    };
    let buffers = stream::iter(first.map(Ok)).chain(buffers);
    let pieces = buffers.map_err(failed);
    Ok(pieces
        .map_ok(|buffer| stream::iter(Iterator::map(buffer, Ok)))
        .try_flatten()
        .boxed())
}

#[async_trait]
impl Tree for StoredFiles {
    async fn descriptor(&self) -> Result<Option<Vec<u8>>, ArchiveError> {
        match read_descriptor(&self.operator).await {
            Err(ArchiveError::Foreign(_)) => Ok(None),
            found => found,
        }
    }

    async fn entries(&self, folder: &str) -> Result<Entries, ArchiveError> {
        let lister = match self.operator.lister(folder).await {
            Ok(lister) => lister,
            Err(error) => return Ok(stream::iter([trouble(folder, &error)]).boxed()),
        };
        let (operator, folder): (Operator, Arc<str>) = (self.operator.clone(), folder.into());
        let entries = lister.map(move |entry| {
            let (operator, folder) = (operator.clone(), Arc::clone(&folder));
            async move {
                match entry {
                    Ok(entry) => look_at(&operator, &folder, entry).await,
                    Err(error) => trouble(&folder, &error).map(Some),
                }
            }
        });
        let entries = entries.buffered(AT_ONCE);
        Ok(entries.try_filter_map(future::ok).boxed())
    }
}

/// A folder that may not be listed is told and passed by, but not so the root; all other trouble is that of the place.
fn trouble(folder: &str, error: &opendal::Error) -> Result<Entry, ArchiveError> {
    let place = folder.trim_end_matches('/');
    match errors::of_storage(format_args!("/{place}"), error) {
        ArchiveError::ReadOnly(_) if !place.is_empty() => {
            Ok(Entry::unreadable(place, "the keys may not list it"))
        }
        other => Err(other),
    }
}

async fn look_at(
    operator: &Operator,
    folder: &str,
    entry: opendal::Entry,
) -> Result<Option<Entry>, ArchiveError> {
    let (path, metadata) = entry.into_parts();
    let Some(rest) = path.strip_prefix(folder) else {
        return Ok(None);
    };
    // The folder itself is listed as well.
    if rest.is_empty() || path == "/" {
        return Ok(None);
    }
    let (name, is_folder) = match rest.strip_suffix('/') {
        Some(name) => (name, true),
        None => (rest, false),
    };
    if rules::is_left_out(name) || (!is_folder && rules::is_sidecar(name)) {
        return Ok(None);
    }
    let white_space = (path.trim() != path).then_some(WHITE_SPACE);
    let full = format!("{folder}{name}");
    if let Some(reason) = rules::objection(&full).or(white_space) {
        return Ok(Some(Entry::unreadable(full, reason)));
    }
    if is_folder {
        return Ok(Some(Entry::Folder(name.to_owned())));
    }
    let file = match version(&metadata) {
        Some(version) => Some(FoundFile {
            path,
            size: metadata.content_length(),
            version,
        }),
        None => read_through(operator, path).await?,
    };
    Ok(file.map(|file| Entry::Found(Found::File(file))))
}

/// The entity tag, else the time of the last change.
fn version(metadata: &Metadata) -> Option<String> {
    // A store may know none of what it has just been given.
    let tag = metadata
        .etag()
        .filter(|tag| !tag.trim_matches('"').is_empty());
    let time = || {
        let time: DateTime<Utc> = SystemTime::from(metadata.last_modified()?).into();
        Some(time.to_rfc3339_opts(SecondsFormat::Nanos, true))
    };
    tag.map(str::to_owned).or_else(time)
}

/// What a listing does not tell; only memory tells nothing. `None` when the object went.
async fn read_through(
    operator: &Operator,
    path: String,
) -> Result<Option<FoundFile>, ArchiveError> {
    let at: Arc<str> = path.as_str().into();
    let mut pieces = match pieces(operator, &at, 0).await {
        Err(ArchiveError::Missing(_)) => return Ok(None),
        pieces => pieces?,
    };
    let mut hasher = blake3::Hasher::new();
    while let Some(piece) = pieces.try_next().await? {
        hasher.update(&piece);
    }
    Ok(Some(FoundFile {
        path,
        size: hasher.count(),
        version: hasher.finalize().to_string(),
    }))
}
