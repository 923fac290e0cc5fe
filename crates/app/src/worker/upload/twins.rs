//! Doubts about what was made. A call without a clear answer is made again with the same tokens; Google may then have made an
//! item twice. Whoever looks at the library afterwards finds it: an item that nobody heard of, beside one that is like it.

use std::collections::{HashMap, HashSet};

use tintype_model::{BlobHash, fidelity::Dimensions, item::ProviderId};
use tintype_ports::{
    photos::{ListedItem, Scope},
    store::{JournalEntry, MadeItem, Twin, UploadRecord},
};

use super::make::Maker;
use crate::AppResult;

/// Entries that one look brings.
const LOOK: u32 = 500;
/// Doubts that are looked into together; what is beyond waits for the next run.
const MOST: usize = 20_000;

/// What two items made of the same bytes have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Looks {
    mime_type: String,
    dimensions: Option<Dimensions>,
}

/// An item that may be one of an entry's.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Suspect {
    id: ProviderId,
    looks: Looks,
}

/// An entry in doubt, and what the library shows of it.
#[derive(Debug)]
struct Doubt {
    entry: JournalEntry,
    /// How its item looks, once the listing has shown it.
    looks: Option<Looks>,
    suspects: Vec<Suspect>,
}

/// What a doubt came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Verdict {
    /// The item that is there although nobody heard of it.
    found: Option<ProviderId>,
    /// Items too many.
    twins: Vec<ProviderId>,
}

impl Maker {
    /// Looks through the library for what may have been made twice, if there is anything in doubt.
    pub(super) async fn settle_doubts(&self) -> AppResult<()> {
        let mut doubts = self.doubts().await?;
        if doubts.is_empty() {
            return Ok(());
        }
        tracing::info!(
            items = doubts.len(),
            "looking for items that were made twice"
        );
        self.look_through(&mut doubts).await?;
        let now = self.app.ports.clock.now();
        let (mut record, mut twins) = (UploadRecord::default(), Vec::new());
        let mut contents = Vec::with_capacity(doubts.len());
        for doubt in doubts {
            let content = doubt.entry.sent.content;
            let filename = doubt.entry.sent.filename.clone();
            let verdict = judge(doubt);
            if let Some(id) = verdict.found {
                let id = Some(id);
                record.made.push(MadeItem { content, id });
            }
            twins.extend(verdict.twins.into_iter().map(|id| Twin {
                id,
                filename: filename.clone(),
                run: self.lease.shard.run,
                found_at: now,
            }));
            contents.push(content);
        }
        self.record(record).await?;
        self.settle(&contents, &twins).await
    }

    async fn settle(&self, contents: &[BlobHash], twins: &[Twin]) -> AppResult<()> {
        if !twins.is_empty() {
            metrics::counter!("tintype_upload_twins_total").increment(twins.len() as u64);
            tracing::warn!(
                items = twins.len(),
                "google made items twice although it was asked with the same token; they are listed with the account"
            );
        }
        let store = &self.app.ports.store;
        let mut twins = twins.chunks(LOOK as usize);
        for contents in contents.chunks(LOOK as usize) {
            let some = twins.next().unwrap_or_default();
            store
                .settle_doubts(&self.lease, self.account, contents, some)
                .await?;
        }
        for rest in twins {
            store
                .settle_doubts(&self.lease, self.account, &[], rest)
                .await?;
        }
        Ok(())
    }

    async fn doubts(&self) -> AppResult<Vec<Doubt>> {
        let (tenant, store) = (self.lease.shard.tenant, &self.app.ports.store);
        let (mut doubts, mut after) = (Vec::new(), None);
        while doubts.len() < MOST {
            let entries = store.doubtful(tenant, self.account, after, LOOK).await?;
            let Some(last) = entries.last() else { break };
            after = Some(last.sent.content);
            doubts.extend(entries.into_iter().map(|entry| Doubt {
                entry,
                looks: None,
                suspects: Vec::new(),
            }));
        }
        Ok(doubts)
    }

    async fn look_through(&self, doubts: &mut [Doubt]) -> AppResult<()> {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, doubt) in doubts.iter().enumerate() {
            let name = doubt.entry.sent.filename.clone();
            by_name.entry(name).or_default().push(place);
        }
        let scope = Scope::Library {
            include_archived: true,
        };
        let (mut token, mut seen) = (None, HashSet::new());
        loop {
            let page = self.source.list(&scope, token.as_deref()).await?;
            let mut alike: Vec<ListedItem> = page.entries;
            alike.retain(|item| by_name.contains_key(&item.metadata.filename));
            // A page may repeat the last item of the one before.
            alike.retain(|item| seen.insert(item.id.clone()));
            let ids: Vec<ProviderId> = alike.iter().map(|item| item.id.clone()).collect();
            let (tenant, store) = (self.lease.shard.tenant, &self.app.ports.store);
            let known = store.journalled_ids(tenant, self.account, &ids).await?;
            let known: HashSet<ProviderId> = known.into_iter().collect();
            for item in alike {
                let places = by_name.get(&item.metadata.filename);
                for place in places.into_iter().flatten() {
                    note(&mut doubts[*place], &item, known.contains(&item.id));
                }
            }
            token = page.next;
            if token.is_none() {
                return Ok(());
            }
        }
    }
}

fn note(doubt: &mut Doubt, item: &ListedItem, is_known: bool) {
    let looks = Looks {
        mime_type: item.metadata.mime_type.clone(),
        dimensions: item.metadata.dimensions,
    };
    if doubt.entry.id.as_ref() == Some(&item.id) {
        doubt.looks = Some(looks);
    } else if !is_known {
        let id = item.id.clone();
        doubt.suspects.push(Suspect { id, looks });
    }
}

fn judge(doubt: Doubt) -> Verdict {
    let mut suspects = doubt.suspects.into_iter();
    let (found, looks) = match doubt.looks {
        Some(looks) => (None, Some(looks)),
        // Its item is not in the listing: gone, or never heard of.
        None if doubt.entry.id.is_some() => (None, None),
        None => match suspects.next() {
            Some(first) => (Some(first.id), Some(first.looks)),
            None => (None, None),
        },
    };
    let twins = suspects.filter(|suspect| Some(&suspect.looks) == looks.as_ref());
    Verdict {
        found,
        twins: twins.map(|suspect| suspect.id).collect(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use tintype_ports::store::SentBytes;

    use super::*;

    fn id(name: &str) -> ProviderId {
        name.parse().unwrap()
    }

    fn suspect(name: &str, width: u32) -> Suspect {
        Suspect {
            id: id(name),
            looks: looks(width),
        }
    }

    fn looks(width: u32) -> Looks {
        Looks {
            mime_type: "image/jpeg".into(),
            dimensions: Some(Dimensions { width, height: 3 }),
        }
    }

    fn doubt(made_as: Option<&str>, shown: Option<u32>, suspects: Vec<Suspect>) -> Doubt {
        Doubt {
            entry: JournalEntry {
                sent: SentBytes {
                    content: BlobHash::of(b"a"),
                    token: "t".into(),
                    expires_at: DateTime::UNIX_EPOCH,
                    filename: "a.jpg".into(),
                },
                made: made_as.is_some(),
                id: made_as.map(id),
            },
            looks: shown.map(looks),
            suspects,
        }
    }

    #[test]
    fn an_item_nobody_heard_of_that_looks_like_ours_is_a_twin() {
        let verdict = judge(doubt(
            Some("a"),
            Some(4),
            vec![suspect("b", 4), suspect("c", 5)],
        ));
        assert_eq!(verdict.twins, [id("b")]);
        assert_eq!(verdict.found, None);
    }

    #[test]
    fn of_an_item_without_an_id_the_first_is_it() {
        let verdict = judge(doubt(None, None, vec![suspect("b", 4), suspect("c", 4)]));
        assert_eq!(verdict.found, Some(id("b")));
        assert_eq!(verdict.twins, [id("c")]);
        assert_eq!(judge(doubt(None, None, vec![])), Verdict::default());
    }

    #[test]
    fn an_item_that_is_gone_has_no_twins() {
        let verdict = judge(doubt(Some("a"), None, vec![suspect("b", 4)]));
        assert_eq!(verdict, Verdict::default());
    }
}
