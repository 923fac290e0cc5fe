//! Where the bytes of an upload come from.

use std::sync::Arc;

use bytes::Bytes;
use futures::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use tintype_model::{ErrorKind, item::ItemFault};
use tintype_ports::{
    Archive, ArchiveError, Files, PhotoError, PhotoSource,
    photos::{BaseUrl, Download},
    store::PendingItem,
};

use super::super::{download::no_url, trouble::ItemTrouble};
use crate::AppError;

/// Base URLs that one item may use up.
const URLS_PER_ITEM: u32 = 5;

/// The pieces of an item.
pub(super) type Stream = BoxStream<'static, Result<Bytes, ItemTrouble>>;

/// Where the bytes of an upload come from.
#[derive(Clone)]
pub(super) enum Origin {
    /// Files as they lie in a folder or bucket.
    Files(Arc<dyn Files>),
    /// Objects of an archive.
    Archive {
        archive: Arc<dyn Archive>,
        /// Whether they go to the account that they once came from.
        goes_back: bool,
    },
    /// Another Google account.
    Account(Arc<dyn PhotoSource>),
}

/// An item's bytes, and how many they are as far as that is known before they are read.
pub(super) struct Opened {
    pub(super) size: Option<u64>,
    pub(super) pieces: Stream,
}

impl Origin {
    /// Opens an item's bytes from `offset` on.
    pub(super) async fn open(
        &self,
        item: &PendingItem,
        url: Option<&BaseUrl>,
        offset: u64,
    ) -> Result<Opened, ItemTrouble> {
        let file = item.metadata.file.as_ref();
        let size = file.map(|file| file.size);
        let path = file.map_or("", |file| file.path.as_str());
        match self {
            Self::Files(files) => {
                let opened = files.read(path, offset).await;
                let pieces = match opened {
                    Ok(pieces) => pieces.map_err(of_archive).boxed(),
                    Err(error) => return Err(self.trouble(error).await),
                };
                Ok(Opened { size, pieces })
            }
            Self::Archive { archive, .. } => {
                let opened = archive.read(path).await;
                let pieces = match opened {
                    Ok(pieces) => pieces.map_err(of_archive).boxed(),
                    Err(error) => return Err(self.trouble(error).await),
                };
                Ok(Opened {
                    size,
                    pieces: skip(pieces, offset),
                })
            }
            Self::Account(source) => download(source, item, url, offset).await,
        }
    }

    /// A file that is not there is that file's trouble, unless all of them are away.
    async fn trouble(&self, error: ArchiveError) -> ItemTrouble {
        let ArchiveError::Missing(text) = error else {
            return of_archive(error);
        };
        let place = match self {
            Self::Files(files) => files.walk().await.map(drop),
            Self::Archive { archive, .. } => archive.open().await,
            Self::Account(_) => Ok(()),
        };
        match place {
            Err(error) => ItemTrouble::Shard(AppError::Source(error)),
            Ok(()) => ItemTrouble::Item(ItemFault {
                kind: ErrorKind::NotFound,
                message: format!(
                    "it is no longer at the source: {text}; put it back, or let the next run notice"
                ),
            }),
        }
    }
}

fn of_archive(error: ArchiveError) -> ItemTrouble {
    match error {
        ArchiveError::Corrupt(text) => ItemTrouble::Item(ItemFault {
            kind: ErrorKind::Corrupt,
            message: format!("damaged in the archive: {text}; verify the archive"),
        }),
        other => ItemTrouble::Shard(AppError::Source(other)),
    }
}

/// The stream without its first bytes: an object may be encrypted, so that it is read from its start.
fn skip(pieces: Stream, offset: u64) -> Stream {
    let mut left = offset;
    let rest = pieces.try_filter_map(move |piece| {
        let skipped = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        left -= skipped as u64;
        let rest = piece.slice(skipped..);
        std::future::ready(Ok((!rest.is_empty()).then_some(rest)))
    });
    rest.boxed()
}

async fn download(
    source: &Arc<dyn PhotoSource>,
    item: &PendingItem,
    url: Option<&BaseUrl>,
    offset: u64,
) -> Result<Opened, ItemTrouble> {
    let mut url = url.cloned();
    for _ in 0..URLS_PER_ITEM {
        let held = match url.take() {
            Some(held) => held,
            None => fresh_url(source, item).await?,
        };
        let download = match source.download(&held, item.metadata.kind).await {
            Ok(download) => download,
            Err(PhotoError::BaseUrlExpired) => continue,
            Err(error) => return Err(error.into()),
        };
        let size = download.total_length();
        let loading = Loading {
            download,
            source: Arc::clone(source),
            item: item.clone(),
            urls_left: URLS_PER_ITEM,
        };
        let pieces = stream::try_unfold(loading, |mut loading| async move {
            let piece = loading.next().await?;
            Ok(piece.map(|piece| (piece, loading)))
        });
        return Ok(Opened {
            size,
            pieces: skip(pieces.boxed(), offset),
        });
    }
    Err(no_url())
}

/// A download that outlives its URL.
struct Loading {
    download: Box<dyn Download>,
    source: Arc<dyn PhotoSource>,
    item: PendingItem,
    urls_left: u32,
}

impl Loading {
    async fn next(&mut self) -> Result<Option<Bytes>, ItemTrouble> {
        loop {
            match self.download.next().await {
                Err(PhotoError::BaseUrlExpired) if self.urls_left > 0 => {
                    self.urls_left -= 1;
                    let url = fresh_url(&self.source, &self.item).await?;
                    self.download.go_on_from(url);
                }
                piece => return Ok(piece?),
            }
        }
    }
}

async fn fresh_url(
    source: &Arc<dyn PhotoSource>,
    item: &PendingItem,
) -> Result<BaseUrl, ItemTrouble> {
    let mut answers = source
        .items(std::slice::from_ref(&item.provider_id))
        .await?;
    let listed = answers.pop().unwrap_or(Err(PhotoError::ItemNotFound))?;
    listed.base_url.ok_or_else(no_url)
}
