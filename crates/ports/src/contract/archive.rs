//! What every archive promises: bytes come back as they went in, equal ones are stored once, manifests are whole or not there.

#![expect(
    clippy::unwrap_used,
    reason = "a suite panics where an adapter breaks its promise"
)]

mod manifests;
mod objects;

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt as _;
use tintype_model::{
    ArchiveId, BlobHash, Fidelity, RunId, SnapshotId,
    fidelity::{Channel, Encoding, Location},
    item::{CameraFacts, ItemMetadata, MediaKind, ProviderId, StoredContent},
    plan::Layout,
    snapshot::{ManifestHead, ManifestItem},
};

use crate::archive::{Archive, Placement, Staged};

/// Signs like the vault does: Ed25519 over the given bytes.
pub type Sign = Arc<dyn Fn(&[u8]) -> [u8; 64] + Send + Sync>;

/// An archive under test. It can read what it writes, so an encrypted one has its identity.
#[derive(Clone)]
pub struct Subject {
    /// The archive, in an empty place.
    pub archive: Arc<dyn Archive>,
    /// The id it was opened with.
    pub id: ArchiveId,
    /// Its layout.
    pub layout: Layout,
    /// Signs with the key that it was opened with.
    pub sign: Sign,
}

/// Runs the whole suite.
///
/// # Panics
/// When the archive breaks a promise.
pub async fn run(subject: Subject) {
    opening_twice_gives_the_same_archive(&subject).await;
    a_probe_leaves_nothing(&subject).await;
    objects::run(&subject).await;
    manifests::run(&subject).await;
    nothing_is_left_to_sweep(&subject).await;
}

async fn opening_twice_gives_the_same_archive(subject: &Subject) {
    assert_eq!(
        subject.archive.open().await.unwrap_err().kind(),
        tintype_model::ErrorKind::DestinationMissing
    );
    assert_eq!(subject.archive.open_or_create().await.unwrap(), subject.id);
    subject.archive.open().await.unwrap();
    assert_eq!(subject.archive.open_or_create().await.unwrap(), subject.id);
}

async fn a_probe_leaves_nothing(subject: &Subject) {
    subject.archive.probe().await.unwrap();
    subject.archive.probe().await.unwrap();
    assert_eq!(subject.archive.snapshots().await.unwrap(), []);
}

async fn nothing_is_left_to_sweep(subject: &Subject) {
    assert_eq!(subject.archive.sweep().await.unwrap(), 0);
}

impl Subject {
    /// Where an object called `name` goes in this layout.
    #[must_use]
    pub fn placement(&self, name: &str) -> Placement {
        match self.layout {
            Layout::Archive => Placement::ByContent,
            Layout::Mirror => Placement::At {
                path: format!("by-month/2024/2024-06/{name}"),
                sidecar: format!("{{\"filename\":\"{name}\"}}"),
            },
        }
    }

    /// Writes bytes in pieces up to the point before the commit.
    ///
    /// # Panics
    /// When the archive refuses.
    pub async fn stage(&self, name: &str, bytes: &[u8], piece: usize) -> Staged {
        let mut draft = self.archive.draft().await.unwrap();
        for piece in bytes.chunks(piece) {
            draft.write(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        draft.finish(self.placement(name)).await.unwrap()
    }

    /// Stores bytes and returns what a manifest says of them.
    ///
    /// # Panics
    /// When the archive refuses.
    pub async fn store(&self, name: &str, bytes: &[u8]) -> ManifestItem {
        let staged = self.stage(name, bytes, 50_000).await;
        let (blob, size, path) = (staged.blob, staged.size, staged.path.clone());
        for result in self.archive.commit(vec![staged]).await {
            result.unwrap();
        }
        item(
            name,
            StoredContent {
                blob,
                size,
                path,
                fidelity: fidelity(),
            },
        )
    }

    /// Reads an object to its end.
    ///
    /// # Panics
    /// When the archive refuses.
    pub async fn read(&self, path: &str) -> Vec<u8> {
        let stream = self.archive.read(path).await.unwrap();
        let pieces: Vec<Bytes> = stream.try_collect().await.unwrap();
        pieces.concat()
    }

    /// Publishes a snapshot of items; returns its signed hash.
    ///
    /// # Panics
    /// When the archive refuses.
    pub async fn publish(&self, head: &ManifestHead, items: &[ManifestItem]) -> BlobHash {
        let mut writer = self.archive.begin_manifest(head).await.unwrap();
        for item in items {
            writer.item(item).await.unwrap();
        }
        let hash = writer.seal().await.unwrap();
        writer.publish((self.sign)(hash.as_bytes())).await.unwrap();
        hash
    }

    /// The head of snapshot `number`.
    #[must_use]
    pub fn head(&self, number: u8, previous: Option<BlobHash>) -> ManifestHead {
        let created_at = moment() + TimeDelta::days(i64::from(number));
        ManifestHead {
            id: SnapshotId::new(created_at, [number; 10]),
            archive: self.id,
            run: RunId::new(created_at, [number; 10]),
            created_at,
            previous,
        }
    }
}

/// A manifest item called `name`.
///
/// # Panics
/// Never: the id that is made fits.
#[must_use]
pub fn item(name: &str, content: StoredContent) -> ManifestItem {
    let id: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    ManifestItem {
        id: id.parse::<ProviderId>().unwrap(),
        metadata: ItemMetadata {
            filename: name.to_owned(),
            mime_type: "image/jpeg".to_owned(),
            kind: MediaKind::Photo,
            description: Some("sea, \"quoted\"\nand a second line \u{1F30A}".to_owned()),
            created_at: Some(moment()),
            dimensions: None,
            camera: CameraFacts {
                focal_length: Some(4.15),
                ..CameraFacts::default()
            },
            video_status: None,
            file: None,
        },
        content,
        renditions: Vec::new(),
    }
}

/// What the suite says it got.
#[must_use]
pub const fn fidelity() -> Fidelity {
    Fidelity {
        channel: Channel::AppCreated,
        encoding: Encoding::Download,
        promised: None,
        got: None,
        location: Location::Absent,
    }
}

/// Bytes that differ for each seed and do not compress.
#[must_use]
pub fn bytes(seed: u8, length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ (u64::from(seed) << 32);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

fn moment() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(19_000)
}
