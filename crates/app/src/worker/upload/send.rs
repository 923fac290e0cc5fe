//! Sends one item's bytes, unless the account was sent them before.

use std::sync::Arc;

use chrono::TimeDelta;
use tintype_media::accepted;
use tintype_model::{BlobHash, ErrorKind, StorageId, TenantId, item::ItemFault};
use tintype_ports::{
    PhotoSink,
    photos::{BaseUrl, SendError, UploadToken},
    store::{JournalEntry, PendingItem},
};
use tracing::{Instrument as _, debug_span};

use super::{
    super::trouble::ItemTrouble,
    How, LARGE, Sent, Voucher, archived,
    origin::{Opened, Origin},
    place_of,
    read::{LargeBody, check_kind, whole},
};
use crate::{App, steps::Step};

/// Room that a large item takes while it is sent.
const LARGE_ROOM: u64 = 1 << 20;
/// Google takes a token for a day; less is counted on, because nobody says when the day began.
const TOKEN_LIFE: TimeDelta = TimeDelta::hours(22);
/// A token that ends within this is not used any more.
const TOKEN_MARGIN: TimeDelta = TimeDelta::hours(1);

/// What sending an item takes.
#[derive(Clone)]
pub(super) struct Sender {
    pub(super) app: App,
    pub(super) tenant: TenantId,
    pub(super) account: StorageId,
    pub(super) origin: Origin,
    pub(super) sink: Arc<dyn PhotoSink>,
}

/// Refuses by name and size what Google would not take, before anything is spent on it.
pub(super) fn check(item: &PendingItem) -> Result<(), ItemFault> {
    let Some(file) = &item.metadata.file else {
        return Ok(());
    };
    let refused = accepted::check(&item.metadata.filename, file.size).err();
    refused.map_or(Ok(()), |refusal| {
        Err(ItemFault {
            kind: ErrorKind::InvalidInput,
            message: format!("{}: {refusal}", file.path),
        })
    })
}

impl Sender {
    /// Sends the item's bytes, or finds that there is no need to.
    pub(super) async fn send(
        &self,
        item: PendingItem,
        url: Option<BaseUrl>,
    ) -> Result<Sent, ItemTrouble> {
        if let Some(sent) = self.sent_by_name(&item).await? {
            return Ok(sent);
        }
        let opened = self.origin.open(&item, url.as_ref(), 0).await?;
        let size = opened.size.ok_or_else(no_length)?;
        if size < LARGE {
            self.send_whole(item, opened, size).await
        } else {
            self.send_large(item, opened, size).await
        }
    }

    /// An item of an archive is known by its hash before it is read.
    async fn sent_by_name(&self, item: &PendingItem) -> Result<Option<Sent>, ItemTrouble> {
        let (Origin::Archive { .. }, Some((content, size))) = (&self.origin, archived(item)) else {
            return Ok(None);
        };
        let how = self.known(content).await?;
        Ok(how.map(|how| Sent {
            item: item.clone(),
            content,
            size,
            how,
        }))
    }

    async fn send_whole(
        &self,
        item: PendingItem,
        opened: Opened,
        size: u64,
    ) -> Result<Sent, ItemTrouble> {
        let room = self.app.upload_memory.room_for(size).await;
        let read = debug_span!("item.read", item.bytes = size);
        let bytes = whole(opened, LARGE).instrument(read).await?;
        check_kind(&item, &bytes)?;
        let content = BlobHash::of(&bytes);
        self.check_archive(&item, content)?;
        let how = match self.known(content).await? {
            Some(how) => how,
            None => {
                let sent = self.sink.send(&item.metadata.mime_type, bytes);
                How::New(self.voucher(sent.await?))
            }
        };
        drop(room);
        Ok(Sent {
            item,
            content,
            size,
            how,
        })
    }

    async fn send_large(
        &self,
        item: PendingItem,
        opened: Opened,
        size: u64,
    ) -> Result<Sent, ItemTrouble> {
        let _room = self.app.upload_memory.room_for(LARGE_ROOM).await;
        let mut body = LargeBody::new(self.origin.clone(), item.clone(), opened.pieces);
        let sent = self
            .sink
            .send_large(&item.metadata.mime_type, size, &mut body)
            .await;
        let token = match sent {
            Ok(token) => token,
            Err(SendError::Google(error)) => return Err(error.into()),
            Err(SendError::Body(_)) => return Err(body.trouble(size)),
        };
        let content = body.content();
        self.check_archive(&item, content)?;
        // The bytes are there in any case; only whether an item was made of the same ones is of interest now.
        let how = match self.known(content).await? {
            Some(How::Known) => How::Known,
            _ => How::New(self.voucher(token)),
        };
        Ok(Sent {
            item,
            content,
            size,
            how,
        })
    }

    fn voucher(&self, token: UploadToken) -> Voucher {
        self.app.ports.steps.reached(Step::BytesSent);
        Voucher {
            token,
            expires_at: self.app.ports.clock.now() + TOKEN_LIFE,
        }
    }

    /// An object that is not what its manifest says is not sent on as if it were.
    fn check_archive(&self, item: &PendingItem, content: BlobHash) -> Result<(), ItemTrouble> {
        let is_archived = matches!(self.origin, Origin::Archive { .. });
        if !is_archived || archived(item).is_some_and(|(expected, _)| expected == content) {
            return Ok(());
        }
        Err(ItemTrouble::Item(ItemFault {
            kind: ErrorKind::Corrupt,
            message: format!(
                "{}: damaged in the archive, its bytes are not what the snapshot says; verify the archive",
                place_of(item)
            ),
        }))
    }

    /// What the journal offers for these bytes.
    async fn known(&self, content: BlobHash) -> Result<Option<How>, ItemTrouble> {
        let store = &self.app.ports.store;
        let entries = store
            .journal(self.tenant, self.account, &[content])
            .await
            .map_err(|error| ItemTrouble::Shard(error.into()))?;
        let now = self.app.ports.clock.now();
        Ok(entries
            .into_iter()
            .next()
            .and_then(|entry| offer(entry, now)))
    }
}

/// What a journal entry offers; nothing when its token is too old.
pub(super) fn offer(entry: JournalEntry, now: chrono::DateTime<chrono::Utc>) -> Option<How> {
    if entry.made {
        return Some(How::Known);
    }
    let is_alive = entry.sent.expires_at > now + TOKEN_MARGIN && !entry.sent.token.is_empty();
    is_alive.then(|| {
        How::Again(Voucher {
            token: UploadToken::new(entry.sent.token),
            expires_at: entry.sent.expires_at,
        })
    })
}

/// Without a length Google cannot be told what comes.
fn no_length() -> ItemTrouble {
    ItemTrouble::Later(ItemFault {
        kind: ErrorKind::Unavailable,
        message: "google did not say how long it is; the next try asks again".into(),
    })
}
