//! The walk through a tree, folder by folder: a folder's files first, then each folder in it with all that is below.

use std::vec;

use async_stream::try_stream;
use async_trait::async_trait;
use futures::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use tintype_model::plan::Layout;
use tintype_ports::{ArchiveError, files::Found};

use crate::{
    descriptor::{Descriptor, Unreadable},
    paths::SNAPSHOTS,
};

/// Folders whose turn is still to come, at most. Only their names are kept: some ten megabytes at the bound. Of a folder's
/// entries no more is in memory than an adapter reads at a time.
const MOST_WAITING: usize = 100_000;

/// What a folder holds.
#[derive(Debug)]
pub(super) enum Entry {
    /// To be told.
    Found(Found),
    /// The name of a folder to be looked into.
    Folder(String),
}

impl Entry {
    pub(super) fn unreadable(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Found(Found::Unreadable {
            path: path.into(),
            reason: reason.into(),
        })
    }
}

pub(super) type Entries = BoxStream<'static, Result<Entry, ArchiveError>>;

/// A root with folders in it.
#[async_trait]
pub(super) trait Tree: Send + Sync {
    /// The bytes of `tintype.json`; `None` when there is no such file, or none that could be an archive's.
    async fn descriptor(&self) -> Result<Option<Vec<u8>>, ArchiveError>;

    /// What a folder holds, without what is left out. The root is empty text, others end with `/`. An error says that the whole
    /// place is in trouble; a folder that cannot be looked into is told as such, and one that went holds nothing.
    async fn entries(&self, folder: &str) -> Result<Entries, ArchiveError>;
}

/// Walks through a tree. Trouble with the root is told before the first file.
pub(super) async fn walk(
    tree: impl Tree + 'static,
) -> Result<BoxStream<'static, Result<Found, ArchiveError>>, ArchiveError> {
    let is_mirror = is_mirror(tree.descriptor().await?)?;
    let mut entries = tree.entries("").await?;
    let first = entries.try_next().await?;
    let mut entries = stream::iter(first.map(Ok)).chain(entries).boxed();
    let found = try_stream! {
        let mut waiting = Waiting::default();
        let mut folder = String::new();
        loop {
            let mut names = Vec::new();
            while let Some(entry) = entries.try_next().await? {
                match entry {
                    Entry::Found(found) => yield found,
                    Entry::Folder(name) if is_mirror && is_own(&folder, &name) => {}
                    Entry::Folder(name) => {
                        waiting.check_room(names.len(), &folder)?;
                        names.push(name);
                    }
                }
            }
            waiting.add(folder, names);
            let Some(next) = waiting.take() else { break };
            entries = tree.entries(&next).await?;
            folder = next;
        }
    };
    Ok(found.boxed())
}

/// Whether the place is a mirror of ours. An archive is refused: its objects are no files for people.
fn is_mirror(descriptor: Option<Vec<u8>>) -> Result<bool, ArchiveError> {
    let Some(bytes) = descriptor else {
        return Ok(false);
    };
    match Descriptor::from_text(&bytes) {
        Ok(found) if found.layout == Layout::Archive => Err(ArchiveError::Foreign(
            "this is a Tintype archive; choose a snapshot of it instead".to_owned(),
        )),
        Ok(_) => Ok(true),
        // Somebody else's file of that name.
        Err(Unreadable::Foreign) => Ok(false),
        Err(ours) => Err(ours.into()),
    }
}

/// What a mirror keeps for itself, besides what is left out everywhere.
fn is_own(folder: &str, name: &str) -> bool {
    folder.is_empty() && SNAPSHOTS.trim_end_matches('/') == name
}

/// Folders to be looked into, deepest first, in the order they were listed.
#[derive(Default)]
struct Waiting {
    levels: Vec<Level>,
    folders: usize,
}

struct Level {
    parent: String,
    names: vec::IntoIter<String>,
}

impl Waiting {
    fn check_room(&self, more: usize, folder: &str) -> Result<(), ArchiveError> {
        if self.folders + more < MOST_WAITING {
            return Ok(());
        }
        Err(ArchiveError::Settings(format!(
            "more than {MOST_WAITING} folders wait to be looked into at /{folder}; choose a folder with fewer in it"
        )))
    }

    fn add(&mut self, parent: String, names: Vec<String>) {
        if names.is_empty() {
            return;
        }
        self.folders += names.len();
        self.levels.push(Level {
            parent,
            names: names.into_iter(),
        });
    }

    /// The path of the next folder, with `/` at its end.
    fn take(&mut self) -> Option<String> {
        while let Some(level) = self.levels.last_mut() {
            if let Some(name) = level.names.next() {
                self.folders -= 1;
                return Some(format!("{}{name}/", level.parent));
            }
            self.levels.pop();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use tintype_ports::files::FoundFile;

    use super::*;

    /// A root with so many folders, each with one file.
    struct Wide(usize);

    #[async_trait]
    impl Tree for Wide {
        async fn descriptor(&self) -> Result<Option<Vec<u8>>, ArchiveError> {
            Ok(None)
        }

        async fn entries(&self, folder: &str) -> Result<Entries, ArchiveError> {
            if folder.is_empty() {
                let folders = (0..self.0).map(|number| Ok(Entry::Folder(number.to_string())));
                return Ok(stream::iter(folders).boxed());
            }
            let file = Found::File(FoundFile {
                path: format!("{folder}a.jpg"),
                size: 1,
                version: "1".to_owned(),
            });
            Ok(stream::iter([Ok(Entry::Found(file))]).boxed())
        }
    }

    async fn count(tree: Wide) -> Result<usize, ArchiveError> {
        let found: Vec<Found> = walk(tree).await?.try_collect().await?;
        Ok(found.len())
    }

    #[tokio::test]
    async fn folders_that_wait_have_a_bound() {
        assert_eq!(count(Wide(MOST_WAITING)).await.unwrap(), MOST_WAITING);
        let error = count(Wide(MOST_WAITING + 1)).await.unwrap_err();
        assert!(
            matches!(&error, ArchiveError::Settings(text) if text.contains("100000 folders")),
            "{error}"
        );
    }
}
