//! What was established: manifests, items, and the archive's soundness.

use std::{collections::BTreeMap, path::PathBuf};

use futures::StreamExt;
use tintype_blob::{ArchiveReader, Root};
use tintype_model::{
    SnapshotId,
    item::{Item, MediaKind},
    run::Run,
    snapshot::{ManifestAlbum, ManifestItem},
};
use tintype_ports::archive::ManifestEntry;

use super::{Party, World};

/// What a snapshot holds.
pub(crate) struct Manifest {
    pub(crate) items: BTreeMap<String, ManifestItem>,
    pub(crate) albums: Vec<ManifestAlbum>,
}

impl World {
    pub(crate) async fn item(&self, id: &str) -> Item {
        let store = &self.process.app.ports().store;
        let items = store
            .items(self.first.tenant, self.first.plan, None, 10_000)
            .await
            .expect("items");
        items
            .into_iter()
            .find(|item| item.provider_id.as_str() == id)
            .expect("a known item")
    }

    async fn reader(&self, folder: &std::path::Path) -> ArchiveReader {
        let root = Root::LocalFolder {
            path: folder.to_owned(),
        };
        ArchiveReader::open(&root, None)
            .await
            .expect("a readable archive")
    }

    pub(crate) async fn manifest(&self, run: &Run) -> Manifest {
        let snapshot: SnapshotId = self
            .reload(run)
            .await
            .snapshot
            .expect("the run has a snapshot");
        let reader = self.reader(&self.first.folder_of(run, self)).await;
        self.read(&reader, snapshot).await
    }

    async fn read(&self, reader: &ArchiveReader, snapshot: SnapshotId) -> Manifest {
        let mut entries = reader.read_manifest(snapshot).await.expect("a manifest");
        let mut manifest = Manifest {
            items: BTreeMap::new(),
            albums: Vec::new(),
        };
        let mut ended = false;
        while let Some(entry) = entries.next().await {
            match entry.expect("a sound manifest") {
                ManifestEntry::Head(_) => (),
                ManifestEntry::Item(item) => {
                    let twice = manifest.items.insert(item.id.to_string(), *item);
                    assert!(twice.is_none(), "an item stands twice in the manifest");
                }
                ManifestEntry::Album(album) => manifest.albums.push(album),
                ManifestEntry::End { .. } => ended = true,
            }
        }
        assert!(ended, "the manifest ends with its signature");
        manifest
    }

    /// Compares length and content of each item with what Google serves for it.
    pub(crate) fn assert_manifest_is_what_google_serves(&self, manifest: &Manifest) {
        for (id, item) in &manifest.items {
            let suffix = if item.metadata.kind == MediaKind::Video {
                "dv"
            } else {
                "d"
            };
            let served = self
                .control
                .served_bytes(id, suffix)
                .expect("known")
                .expect("bytes");
            assert_eq!(item.content.size, served.len() as u64);
            assert_eq!(
                item.content.blob,
                tintype_model::BlobHash::of(&served),
                "{id} differs"
            );
        }
    }

    /// Looks at every file of the archive without our own verifier: whole, hashed as it is named, nothing half done.
    pub(crate) async fn assert_archive_is_clean(&self) {
        let reader = self.reader(&self.first.folder).await;
        let mut needed = BTreeMap::new();
        for snapshot in reader.snapshots().await.expect("a list of snapshots") {
            for item in self.read(&reader, snapshot).await.items.into_values() {
                for content in [item.content].into_iter().chain(item.renditions) {
                    needed.insert(content.path.clone(), content);
                }
            }
        }
        assert!(!needed.is_empty(), "no snapshot needs anything");
        for (path, content) in needed {
            let bytes = std::fs::read(self.first.folder.join(&path)).expect("the file is there");
            assert_eq!(tintype_model::BlobHash::of(&bytes), content.blob, "{path}");
        }
        let staged = std::fs::read_dir(self.first.folder.join(".staging"));
        let left = staged.map_or(0, Iterator::count);
        assert_eq!(left, 0, "drafts were left behind");
    }
}

impl Party {
    fn folder_of(&self, run: &Run, world: &World) -> PathBuf {
        assert_eq!(
            run.tenant, world.first.tenant,
            "only the first tenant's manifests are read here"
        );
        self.folder.clone()
    }
}
