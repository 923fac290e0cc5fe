//! Files in a folder of this machine.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use rustix::{
    fd::OwnedFd,
    fs::{Dir, fstat},
    io::Errno,
};
use tintype_ports::{ArchiveError, Files, files::Found};

use super::{
    beneath,
    folder::{Listing, trouble},
    rules,
    walk::{Entries, Tree, walk},
};
use crate::{
    errors::{self, blocking},
    paths::DESCRIPTOR,
    reader::LONGEST_DESCRIPTOR,
};

/// Bytes that are read at a time.
const PIECE: u64 = 256 * 1024;

pub(super) struct LocalFiles {
    root: Arc<Path>,
}

impl LocalFiles {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.into() }
    }
}

#[async_trait]
impl Files for LocalFiles {
    async fn walk(&self) -> Result<BoxStream<'static, Result<Found, ArchiveError>>, ArchiveError> {
        let path = Arc::clone(&self.root);
        walk(blocking(move || LocalTree::open(path)).await?).await
    }

    async fn read(
        &self,
        path: &str,
        offset: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, ArchiveError>>, ArchiveError> {
        rules::check_path(path)?;
        let (root, path) = (Arc::clone(&self.root), path.to_owned());
        let reading = blocking(move || {
            let root = LocalTree::open(root)?;
            Reading::begin(&root.root, path, offset)
        });
        let pieces = stream::try_unfold(reading.await?, |reading| blocking(move || reading.next()));
        Ok(pieces.boxed())
    }
}

/// The folder as it was opened. A disk cannot be taken out while it is being looked through.
#[derive(Clone)]
struct LocalTree {
    root: Arc<OwnedFd>,
    path: Arc<Path>,
}

impl LocalTree {
    fn open(path: Arc<Path>) -> Result<Self, ArchiveError> {
        match beneath::root(&path) {
            Ok(root) => Ok(Self {
                root: Arc::new(root),
                path,
            }),
            Err(error) => Err(errors::of_file(path.display(), &error.into())),
        }
    }

    fn list(&self, folder: &str) -> Result<Entries, ArchiveError> {
        match beneath::folder(&self.root, folder).and_then(Dir::new) {
            Ok(dir) => Ok(Listing {
                dir,
                path: folder.into(),
            }
            .entries()),
            Err(error) if beneath::is_gone(error) => {
                self.check_root()?;
                Ok(stream::empty().boxed())
            }
            Err(error) => Ok(stream::iter([trouble(folder, error)]).boxed()),
        }
    }

    /// A folder may go while others are looked into; when the root went, much more did, and nobody may take what is left for
    /// all there is.
    fn check_root(&self) -> Result<(), ArchiveError> {
        let identity = |root: &OwnedFd| fstat(root).map(|found| (found.st_dev, found.st_ino));
        let now = beneath::root(&self.path).and_then(|root| identity(&root));
        let now = now.map_err(|error| errors::of_file(self.path.display(), &error.into()))?;
        if identity(&self.root).is_ok_and(|before| before == now) {
            return Ok(());
        }
        Err(ArchiveError::Missing(format!(
            "{} is another folder now",
            self.path.display()
        )))
    }
}

#[async_trait]
impl Tree for LocalTree {
    async fn descriptor(&self) -> Result<Option<Vec<u8>>, ArchiveError> {
        let root = Arc::clone(&self.root);
        blocking(move || {
            let failed = |error: &io::Error| errors::of_file(DESCRIPTOR, error);
            let file = match beneath::file(&root, DESCRIPTOR) {
                Ok(Some(file)) => file,
                Ok(None) | Err(Errno::NOENT) => return Ok(None),
                Err(error) => return Err(failed(&error.into())),
            };
            let mut bytes = Vec::new();
            let read = file.take(LONGEST_DESCRIPTOR).read_to_end(&mut bytes);
            read.map_err(|error| failed(&error))?;
            Ok(Some(bytes))
        })
        .await
    }

    async fn entries(&self, folder: &str) -> Result<Entries, ArchiveError> {
        let (tree, folder) = (self.clone(), folder.to_owned());
        blocking(move || tree.list(&folder)).await
    }
}

/// A file that is being read.
struct Reading {
    file: File,
    path: String,
    /// Bytes that it seems to have left; only to ask for no more memory than is needed.
    left: u64,
}

impl Reading {
    fn begin(root: &OwnedFd, path: String, offset: u64) -> Result<Self, ArchiveError> {
        let gone = |how: &str| ArchiveError::Missing(format!("{path}: {how}"));
        let mut file = match beneath::file(root, &path) {
            Ok(Some(file)) => file,
            Ok(None) => return Err(gone("a link or a device is in its place")),
            Err(Errno::LOOP) => return Err(gone("a link is in the place of its folder")),
            Err(error) => return Err(errors::of_file(&path, &error.into())),
        };
        let size = file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| file.metadata())
            .map_err(|error| errors::of_file(&path, &error))?
            .len();
        Ok(Self {
            file,
            path,
            left: size.saturating_sub(offset),
        })
    }

    /// The next bytes; `None` at the end. Blocks.
    fn next(mut self) -> Result<Option<(Bytes, Self)>, ArchiveError> {
        let expected = usize::try_from(self.left.min(PIECE)).unwrap_or_default();
        let mut piece = Vec::with_capacity(expected);
        let read = (&self.file).take(PIECE).read_to_end(&mut piece);
        let read = read.map_err(|error| errors::of_file(&self.path, &error))?;
        self.left = self.left.saturating_sub(read as u64);
        Ok((read > 0).then(|| (piece.into(), self)))
    }
}
