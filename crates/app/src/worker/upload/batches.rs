//! Items whose bytes were sent gather in batches, one for each album, until a batch is full or nothing came to it for a while.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use super::{Sent, album_of};

/// A batch that waits for more.
struct Open {
    items: Vec<Sent>,
    /// When something came last.
    fed_at: Instant,
}

/// Items of one album, or of none, that are made together.
pub(super) struct Batch {
    pub(super) album: Option<String>,
    pub(super) items: Vec<Sent>,
}

/// The batches of a shard that wait for more.
pub(super) struct Batches {
    size: usize,
    patience: Duration,
    open: HashMap<Option<String>, Open>,
}

impl Batches {
    pub(super) fn new(size: usize, patience: Duration) -> Self {
        Self {
            size: size.max(1),
            patience,
            open: HashMap::new(),
        }
    }

    /// Takes an item in; a batch that it fills comes back.
    pub(super) fn push(&mut self, sent: Sent, now: Instant) -> Option<Batch> {
        let album = album_of(&sent.item).map(str::to_owned);
        let open = self.open.entry(album.clone()).or_insert_with(|| Open {
            items: Vec::new(),
            fed_at: now,
        });
        open.items.push(sent);
        open.fed_at = now;
        if open.items.len() < self.size {
            return None;
        }
        self.close(album)
    }

    /// When the first batch has waited long enough.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let first = self.open.values().map(|open| open.fed_at).min()?;
        Some(first + self.patience)
    }

    /// The batch that has waited longest, if that was long enough: its album, and how many items it holds.
    pub(super) fn due(&self, now: Instant) -> Option<(Option<String>, usize)> {
        let first = self.open.iter().min_by_key(|(_, open)| open.fed_at);
        let (album, open) = first.filter(|(_, open)| open.fed_at + self.patience <= now)?;
        Some((album.clone(), open.items.len()))
    }

    /// Closes an album's batch, if there is one.
    pub(super) fn close(&mut self, album: Option<String>) -> Option<Batch> {
        let Open { items, .. } = self.open.remove(&album)?;
        Some(Batch { album, items })
    }

    /// An album's batch waits as if something had come to it just now.
    pub(super) fn wait_on(&mut self, album: &Option<String>, now: Instant) {
        if let Some(open) = self.open.get_mut(album) {
            open.fed_at = now;
        }
    }

    /// All of them: nothing else will come.
    pub(super) fn close_all(&mut self) -> Vec<Batch> {
        let mut closed: Vec<Batch> = self
            .open
            .drain()
            .map(|(album, open)| Batch {
                album,
                items: open.items,
            })
            .collect();
        // Whatever order a map has: those that began first go first.
        closed.sort_by_key(|batch| batch.items.first().map(|sent| sent.item.seq));
        closed
    }
}

#[cfg(test)]
mod tests {
    use tintype_model::{
        BlobHash,
        item::{CameraFacts, FileFacts, ItemMetadata, MediaKind, ProviderId},
    };
    use tintype_ports::store::PendingItem;

    use super::{super::How, *};

    fn sent(seq: u64, album: Option<&str>) -> Sent {
        let metadata = ItemMetadata {
            filename: format!("{seq}.jpg"),
            mime_type: "image/jpeg".into(),
            kind: MediaKind::Photo,
            description: None,
            created_at: None,
            dimensions: None,
            camera: CameraFacts::default(),
            video_status: None,
            file: Some(FileFacts {
                path: format!("{seq}.jpg"),
                size: 1,
                version: "1".into(),
                album: album.map(str::to_owned),
            }),
        };
        Sent {
            item: PendingItem {
                seq,
                provider_id: ProviderId::of_path(&metadata.filename),
                metadata,
                has_content: false,
            },
            content: BlobHash::of(&seq.to_le_bytes()),
            size: 1,
            how: How::Known,
        }
    }

    fn seqs(batches: &[Batch]) -> Vec<Vec<u64>> {
        let of = |batch: &Batch| batch.items.iter().map(|it| it.item.seq).collect();
        batches.iter().map(of).collect()
    }

    #[tokio::test]
    async fn a_full_batch_leaves_and_albums_do_not_mix() {
        let now = Instant::now();
        let mut batches = Batches::new(2, Duration::from_secs(1));
        assert!(batches.push(sent(1, Some("a")), now).is_none());
        assert!(batches.push(sent(2, None), now).is_none());
        assert!(batches.push(sent(3, Some("b")), now).is_none());
        let full = batches.push(sent(4, Some("a")), now).unwrap();
        assert_eq!(full.album.as_deref(), Some("a"));
        assert_eq!(seqs(&[full]), [[1, 4]]);
        assert_eq!(seqs(&batches.close_all()), [[2], [3]]);
        assert!(batches.next_due().is_none());
    }

    #[tokio::test]
    async fn a_batch_that_nothing_comes_to_is_due() {
        let (begun, second) = (Instant::now(), Duration::from_secs(1));
        let mut batches = Batches::new(50, 2 * second);
        batches.push(sent(1, None), begun);
        batches.push(sent(2, Some("a")), begun + second);
        assert_eq!(batches.next_due(), Some(begun + 2 * second));
        batches.push(sent(3, None), begun + second);
        assert_eq!(batches.due(begun + 2 * second), None);
        batches.push(sent(4, Some("a")), begun + 2 * second);
        let due = batches.due(begun + 3 * second).unwrap();
        assert_eq!(due, (None, 2));
        batches.wait_on(&due.0, begun + 3 * second);
        assert_eq!(batches.due(begun + 3 * second), None);
        let (album, _) = batches.due(begun + 4 * second).unwrap();
        assert_eq!(seqs(&[batches.close(album).unwrap()]), [[2, 4]]);
        assert_eq!(batches.due(begun + 4 * second), None);
        assert_eq!(batches.next_due(), Some(begun + 5 * second));
    }
}
