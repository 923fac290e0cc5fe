//! One photo, however often it was seen: its renditions stand in a manifest under one item, the best of them first.

use std::collections::{BTreeMap, HashMap};

use tintype_model::{
    item::{Item, StoredContent},
    plan::Plan,
    snapshot::ManifestItem,
};

use crate::{App, AppResult};

/// Which items of a plan are one photo.
#[derive(Debug, Default)]
pub(super) struct Renditions {
    /// The item that each rendition is of in the end: a rendition may be of one that is a rendition itself.
    roots: HashMap<u64, u64>,
    /// The renditions of each item that has some.
    of: BTreeMap<u64, Vec<u64>>,
}

impl Renditions {
    pub(super) async fn of(app: &App, plan: &Plan) -> AppResult<Self> {
        let links = app.ports.store.renditions(plan.tenant, plan.id).await?;
        Ok(Self::from_links(&links.into_iter().collect()))
    }

    fn from_links(links: &HashMap<u64, u64>) -> Self {
        let mut renditions = Self::default();
        for seq in links.keys() {
            let mut root = *seq;
            // No chain is longer than there are links; one that runs in a circle ends somewhere on it.
            for _ in 0..links.len() {
                let Some(next) = links.get(&root) else {
                    break;
                };
                root = *next;
            }
            if root != *seq {
                renditions.roots.insert(*seq, root);
                renditions.of.entry(root).or_default().push(*seq);
            }
        }
        for seqs in renditions.of.values_mut() {
            seqs.sort_unstable();
        }
        renditions
    }

    /// The item as a manifest shows it, with everything that we hold of it. `None` where nothing is held of it, where it is gone
    /// by all accounts, or where it stands under another one.
    pub(super) async fn gather(
        &self,
        app: &App,
        plan: &Plan,
        row: Item,
    ) -> AppResult<Option<ManifestItem>> {
        if self.roots.contains_key(&row.seq) {
            return Ok(None);
        }
        let seqs = self.of.get(&row.seq).map_or(&[][..], Vec::as_slice);
        let mut all = vec![row];
        if !seqs.is_empty() {
            let store = &app.ports.store;
            all.extend(store.items_at(plan.tenant, plan.id, seqs).await?);
        }
        Ok(merged(all))
    }
}

/// The first of them that is there gives its name, the best its bytes.
fn merged(all: Vec<Item>) -> Option<ManifestItem> {
    let mut first = None;
    let mut contents: Vec<StoredContent> = Vec::new();
    for item in all.into_iter().filter(|it| !it.gone) {
        let Some(content) = item.content else {
            continue;
        };
        first.get_or_insert((item.provider_id, item.metadata));
        if contents.iter().all(|it| it.blob != content.blob) {
            contents.push(content);
        }
    }
    let (id, metadata) = first?;
    // Stable: of equals the first stays first.
    contents.sort_by_key(|it| std::cmp::Reverse(it.fidelity.rank()));
    let mut contents = contents.into_iter();
    Some(ManifestItem {
        id,
        metadata,
        content: contents.next()?,
        renditions: contents.collect(),
    })
}

#[cfg(test)]
mod tests {
    use tintype_model::{
        BlobHash, Fidelity,
        fidelity::{Channel, Dimensions, Encoding, Location},
        item::{CameraFacts, ItemMetadata, ItemState, MediaKind},
    };

    use super::*;

    fn content(bytes: &[u8], channel: Channel, encoding: Encoding) -> StoredContent {
        let size = Dimensions {
            width: 4,
            height: 3,
        };
        StoredContent {
            blob: BlobHash::of(bytes),
            size: bytes.len() as u64,
            path: String::new(),
            fidelity: Fidelity {
                channel,
                encoding,
                promised: Some(size),
                got: Some(size),
                location: Location::Absent,
            },
        }
    }

    fn item(seq: u64, content: Option<StoredContent>) -> Item {
        Item {
            seq,
            provider_id: format!("id{seq}").parse().expect("an id"),
            metadata: ItemMetadata {
                filename: format!("{seq}.jpg"),
                mime_type: "image/jpeg".into(),
                kind: MediaKind::Photo,
                description: None,
                created_at: None,
                dimensions: None,
                camera: CameraFacts::default(),
                video_status: None,
                file: None,
            },
            state: ItemState::Stored,
            content,
            fault: None,
            gone: false,
        }
    }

    #[test]
    fn the_original_is_served_under_the_name_of_the_first() {
        let download = content(b"download", Channel::AppCreated, Encoding::Download);
        let original = content(b"original", Channel::Takeout, Encoding::Original);
        let all = vec![
            item(1, Some(download.clone())),
            item(5, Some(original.clone())),
        ];
        let merged = merged(all).expect("an item");
        assert_eq!(merged.id.as_str(), "id1");
        assert_eq!(
            (merged.content, merged.renditions),
            (original, vec![download])
        );
    }

    #[test]
    fn the_same_bytes_are_no_other_rendition_and_what_is_gone_gives_nothing() {
        let bytes = |channel| Some(content(b"same", channel, Encoding::Download));
        let twice = vec![
            item(1, bytes(Channel::AppCreated)),
            item(2, bytes(Channel::Picker)),
        ];
        assert_eq!(merged(twice.clone()).expect("an item").renditions, []);
        let mut without = twice;
        without[0].gone = true;
        let left = merged(without.clone()).expect("the one that was picked");
        assert_eq!(left.id.as_str(), "id2");
        without[1].content = None;
        assert_eq!(merged(without), None);
    }

    #[test]
    fn chains_end_at_one_item_and_circles_end() {
        let renditions = Renditions::from_links(&HashMap::from([(1, 2), (2, 9), (3, 9)]));
        assert_eq!(renditions.of, BTreeMap::from([(9, vec![1, 2, 3])]));
        let circle = Renditions::from_links(&HashMap::from([(1, 2), (2, 1)]));
        let rooted = |seq| circle.roots.contains_key(&seq);
        assert!(!(rooted(1) && rooted(2)), "one of them stands by itself");
    }
}
