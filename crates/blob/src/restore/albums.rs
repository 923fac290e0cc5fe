//! Albums: a list of paths for each.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use futures::TryStreamExt as _;
use tintype_model::{SnapshotId, item::ProviderId, snapshot::ManifestAlbum};
use tintype_ports::{ArchiveError, archive::ManifestEntry};

use super::{file::Target, names::Names};
use crate::reader::ArchiveReader;

/// Where the items of albums went. Items of no album take no memory.
pub(super) struct Albums {
    wanted: HashSet<ProviderId>,
    paths: HashMap<ProviderId, String>,
}

impl Albums {
    /// Reads a manifest to its end, so that its signature is checked. Gives the number of items as well.
    pub(super) async fn learn(
        reader: &ArchiveReader,
        snapshot: SnapshotId,
    ) -> Result<(Self, u64), ArchiveError> {
        let mut entries = reader.read_manifest(snapshot).await?;
        let (mut wanted, mut total) = (HashSet::new(), 0);
        while let Some(entry) = entries.try_next().await? {
            match entry {
                ManifestEntry::Album(album) => wanted.extend(album.items),
                ManifestEntry::End { items, .. } => total = items,
                ManifestEntry::Head(_) | ManifestEntry::Item(_) => {}
            }
        }
        Ok((
            Self {
                wanted,
                paths: HashMap::new(),
            },
            total,
        ))
    }

    pub(super) fn remember(&mut self, id: &ProviderId, path: &str) {
        if let Some(id) = self.wanted.take(id) {
            self.paths.insert(id, path.to_owned());
        }
    }

    /// Writes `albums/TITLE.txt`: one path a line, in the album's order. Items that the snapshot does not hold are left out.
    pub(super) async fn write(
        &self,
        album: &ManifestAlbum,
        target: &Arc<Target>,
        names: &mut Names,
    ) -> Result<(), ArchiveError> {
        let path = names.path_of_album(&album.title, album.id.as_str());
        let lines = album.items.iter().filter_map(|id| self.paths.get(id));
        let text: String = lines.map(|path| format!("{path}\n")).collect();
        target.write_text(&path, text).await
    }
}
