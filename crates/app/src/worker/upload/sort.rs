//! What there is to do for a batch, by what the journal and the account say now.

use std::collections::{HashMap, HashSet};

use tintype_model::{BlobHash, item::ProviderId};
use tintype_ports::{PhotoError, store::JournalEntry};

use super::{How, Sent, Voucher, make::Maker, send::offer};
use crate::AppResult;

/// An item to make, with what it is made of.
pub(super) struct Ready {
    pub(super) sent: Sent,
    pub(super) voucher: Voucher,
    /// It may have been made before.
    pub(super) again: bool,
}

/// A batch, sorted by what there is to do.
#[derive(Default)]
pub(super) struct Sorted {
    pub(super) ready: Vec<Ready>,
    /// There by the journal, and what of them: to be looked for.
    pub(super) known: Vec<(Sent, ProviderId)>,
    /// There by the journal, but nobody knows which.
    pub(super) nameless: Vec<Sent>,
    /// More of the same bytes: they are one item with the first.
    pub(super) twins: Vec<Sent>,
    /// Without a token any more.
    pub(super) later: Vec<Sent>,
}

impl Maker {
    /// Asks the journal once more, now that nobody else writes: the same bytes may have come by another way meanwhile.
    pub(super) async fn sort(&self, items: Vec<Sent>) -> AppResult<Sorted> {
        let contents: Vec<BlobHash> = items.iter().map(|sent| sent.content).collect();
        let store = &self.app.ports.store;
        let tenant = self.lease.shard.tenant;
        let entries = store.journal(tenant, self.account, &contents).await?;
        let mut journal: HashMap<BlobHash, JournalEntry> = entries
            .into_iter()
            .map(|entry| (entry.sent.content, entry))
            .collect();
        let now = self.app.ports.clock.now();
        let (mut sorted, mut first) = (Sorted::default(), HashSet::new());
        for sent in items {
            if !first.insert(sent.content) {
                sorted.twins.push(sent);
                continue;
            }
            let entry = journal.remove(&sent.content);
            match (entry, sent.how.clone()) {
                (
                    Some(JournalEntry {
                        made: true,
                        id: Some(id),
                        ..
                    }),
                    _,
                ) => sorted.known.push((sent, id)),
                (
                    Some(JournalEntry {
                        made: true,
                        id: None,
                        ..
                    }),
                    _,
                ) => sorted.nameless.push(sent),
                // Bytes that were sent once more: the older token may have been used, so it is the one to ask with.
                (Some(entry), how) => match (offer(entry, now), how) {
                    (Some(How::Again(voucher)), _) | (_, How::Again(voucher)) => {
                        sorted.ready.push(Ready {
                            sent,
                            voucher,
                            again: true,
                        });
                    }
                    (_, How::New(voucher)) => sorted.ready.push(Ready {
                        sent,
                        voucher,
                        again: false,
                    }),
                    (_, How::Known) => sorted.later.push(sent),
                },
                (None, How::New(voucher)) => sorted.ready.push(Ready {
                    sent,
                    voucher,
                    again: false,
                }),
                (None, How::Again(voucher)) => sorted.ready.push(Ready {
                    sent,
                    voucher,
                    again: true,
                }),
                (None, How::Known) => sorted.later.push(sent),
            }
        }
        Ok(sorted)
    }

    /// Looks whether the known items are still there; those that are not are made anew where that is possible. Returns what the
    /// journal should forget.
    pub(super) async fn look_for(&self, sorted: &mut Sorted) -> AppResult<Vec<BlobHash>> {
        if sorted.known.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<ProviderId> = sorted.known.iter().map(|(_, id)| id.clone()).collect();
        let answers = self.source.items(&ids).await?;
        let mut gone = Vec::new();
        for ((sent, id), answer) in std::mem::take(&mut sorted.known).into_iter().zip(answers) {
            // Any other answer means that it is there, or that nobody knows: then nothing is made twice.
            if !matches!(answer, Err(PhotoError::ItemNotFound)) {
                sorted.known.push((sent, id));
                continue;
            }
            gone.push(sent.content);
            match sent.how.clone() {
                How::New(voucher) => sorted.ready.push(Ready {
                    sent,
                    voucher,
                    again: false,
                }),
                How::Again(_) | How::Known => sorted.later.push(sent),
            }
        }
        Ok(gone)
    }
}
