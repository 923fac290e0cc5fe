//! Originals by way of a full-resolution proxy. Whatever goes wrong there, the item comes from its base URL as any other does; one
//! that is stored already stays as it is (`originals.rs`).
//!
//! A turn at the proxy takes the place of a permit: one download at a time, no call of Google's, and nothing that Google's limits
//! could learn from. Who falls back waits for a permit like everybody.

use futures::future::BoxFuture;
use tintype_media::{
    Inspector, MediaFacts,
    accepted::{LARGEST_PHOTO, LARGEST_VIDEO},
};
use tintype_model::{
    BlobHash, BlobHasher, ErrorKind, Fidelity,
    fidelity::{Channel, Encoding},
    item::{ItemFault, MediaKind},
};
use tintype_ports::{
    Archive,
    archive::{Placement, Staged},
    originals::{OriginalError, Stretch, Turn},
    store::PendingItem,
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug_span};

use super::{download::Fetcher, permits::Permit, trouble::ItemTrouble, urls::HeldUrl};

/// The right to fetch an item.
pub(super) enum Pass {
    /// From its base URL; held until the committer has the bytes.
    Permit { _held: Permit },
    /// From the proxy.
    Proxy {
        turn: Box<dyn Turn>,
        /// Waited for only when the proxy fails.
        permit: BoxFuture<'static, Permit>,
    },
}

impl From<Permit> for Pass {
    fn from(permit: Permit) -> Self {
        Self::Permit { _held: permit }
    }
}

/// Where an original is to lie.
pub(super) struct Place {
    /// For bytes that are not there yet.
    pub(super) placement: Placement,
    /// What is stored already, and where. Where Google took nothing away these are the same bytes, which need no second file.
    pub(super) older: Option<(BlobHash, Placement)>,
}

impl From<Placement> for Place {
    fn from(placement: Placement) -> Self {
        Self {
            placement,
            older: None,
        }
    }
}

impl Place {
    fn of(self, blob: Option<BlobHash>) -> Placement {
        match self.older {
            Some((older, placement)) if blob == Some(older) => placement,
            _ => self.placement,
        }
    }
}

type Fetched = Result<(Staged, Fidelity), ItemTrouble>;

/// Why the proxy did not give the item.
enum Miss {
    Proxy(OriginalError),
    /// What came is not the item.
    NotTheItem(String),
    Trouble(ItemTrouble),
}

impl From<OriginalError> for Miss {
    fn from(error: OriginalError) -> Self {
        Self::Proxy(error)
    }
}

impl From<tintype_ports::ArchiveError> for Miss {
    fn from(error: tintype_ports::ArchiveError) -> Self {
        Self::Trouble(error.into())
    }
}

/// How many items came by way of a proxy, and why others did not.
pub(super) fn count(outcome: &'static str) {
    metrics::counter!("tintype_proxy_downloads_total", "outcome" => outcome).increment(1);
}

impl Fetcher {
    /// Fetches the item in the way that it may, and gives back what is to be held until the committer has the bytes.
    pub(super) async fn fetch_with(
        &self,
        pass: Pass,
        (item, url, placement): (&PendingItem, HeldUrl, Placement),
        hand_back: &CancellationToken,
    ) -> (Pass, Fetched) {
        let (mut turn, permit) = match pass {
            Pass::Proxy { turn, permit } => (turn, permit),
            Pass::Permit { .. } => return (pass, self.fetch(item, url, placement).await),
        };
        let archive = self.archive.as_ref();
        let asked = original(
            archive,
            item,
            turn.as_mut(),
            placement.clone().into(),
            hand_back,
        );
        if let Some(fetched) = asked.await.transpose() {
            return (Pass::Proxy { turn, permit }, fetched);
        }
        // Others may ask the proxy meanwhile.
        drop(turn);
        let permit = permit.await;
        (permit.into(), self.fetch(item, url, placement).await)
    }
}

/// Asks a proxy for the item's original; `None` when it does not give it.
pub(super) async fn original(
    archive: &dyn Archive,
    item: &PendingItem,
    turn: &mut dyn Turn,
    place: Place,
    hand_back: &CancellationToken,
) -> Result<Option<(Staged, Fidelity)>, ItemTrouble> {
    let asked = ask(archive, item, turn, place, hand_back);
    let (outcome, why) = match asked.instrument(debug_span!("item.original")).await {
        Ok(fetched) => {
            count("original");
            return Ok(Some(fetched));
        }
        Err(Miss::Trouble(trouble)) => return Err(trouble),
        Err(Miss::Proxy(error)) => ("failed", error.to_string()),
        Err(Miss::NotTheItem(why)) => ("not_the_item", why),
    };
    count(outcome);
    tracing::debug!(
        item.seq = item.seq,
        fault = why,
        "the proxy does not give the item's original"
    );
    Ok(None)
}

async fn ask(
    archive: &dyn Archive,
    item: &PendingItem,
    turn: &mut dyn Turn,
    place: Place,
    hand_back: &CancellationToken,
) -> Result<(Staged, Fidelity), Miss> {
    let kind = item.metadata.kind;
    let most = match kind {
        MediaKind::Photo => LARGEST_PHOTO,
        MediaKind::Video => LARGEST_VIDEO,
    };
    // The proxy fetches the whole item before it answers: whoever wants the shard back does not wait for that.
    tokio::select! {
        asked = turn.ask(&item.provider_id, Stretch::Whole { most }) => asked?,
        () = hand_back.cancelled() => return Err(handed_back()),
    }
    let mut draft = archive.draft().await?;
    let mut inspector = Inspector::new(&item.metadata.mime_type);
    let mut length = 0;
    let mut hasher = place.older.is_some().then(BlobHasher::default);
    while let Some(bytes) = turn.next().await? {
        length += bytes.len() as u64;
        inspector.feed(&bytes);
        if let Some(hasher) = &mut hasher {
            hasher.update(&bytes);
        }
        draft.write(bytes).await?;
    }
    match judge(item, inspector, length) {
        Ok(fidelity) => {
            turn.judge(true);
            let span = debug_span!("item.stage");
            let placement = place.of(hasher.map(|it| it.finish()));
            let staged = draft.finish(placement).instrument(span).await?;
            Ok((staged, fidelity))
        }
        Err(why) => {
            turn.judge(false);
            Err(Miss::NotTheItem(why))
        }
    }
}

/// Whether the bytes are a whole photo or video that can be the item. An original may be of another type than Google tells of, and
/// larger.
fn judge(item: &PendingItem, inspector: Inspector, length: u64) -> Result<Fidelity, String> {
    if !inspector.is_certainly(item.metadata.kind) {
        return Err("it is no file of the item's kind".to_owned());
    }
    let facts: MediaFacts = inspector
        .finish(length)
        .map_err(|fault| fault.to_string())?;
    let fidelity = Fidelity {
        channel: Channel::Proxy,
        encoding: Encoding::Original,
        promised: item.metadata.dimensions,
        got: facts.dimensions,
        location: facts.location,
    };
    // Of a video, players and Google may count the pixels of each line differently.
    if item.metadata.kind == MediaKind::Photo && fidelity.is_smaller_than_promised() {
        return Err("it is smaller than promised".to_owned());
    }
    Ok(fidelity)
}

fn handed_back() -> Miss {
    Miss::Trouble(ItemTrouble::Later(ItemFault {
        kind: ErrorKind::Unavailable,
        message: "the shard was handed back while the proxy was asked".into(),
    }))
}
