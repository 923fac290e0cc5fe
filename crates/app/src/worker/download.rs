//! Fetches one item's bytes into a draft, looks at them while they pass, and never takes something else for the photo.

use std::sync::Arc;

use tintype_media::{Inspector, MediaFacts};
use tintype_model::{
    ErrorKind, Fidelity,
    fidelity::{Channel, Encoding},
    item::{ItemFault, MediaKind},
};
use tintype_ports::{
    Archive, PhotoError, PhotoSource,
    archive::{Draft, Placement, Staged},
    photos::BaseUrl,
    store::PendingItem,
};

use tracing::{Instrument as _, debug_span};

use super::{trouble::ItemTrouble, urls::HeldUrl};
use crate::App;

/// Bytes that are not the photo are fetched anew this often before the item counts as failed.
const TRIES: u32 = 3;
/// Base URLs that one file may use up; more means that they die faster than they can be used.
const URLS_PER_ITEM: u32 = 5;

/// What fetching an item takes.
#[derive(Clone)]
pub(crate) struct Fetcher {
    pub(crate) app: App,
    pub(crate) source: Arc<dyn PhotoSource>,
    pub(crate) archive: Arc<dyn Archive>,
    /// The way the bytes come.
    pub(crate) channel: Channel,
    /// The size of each item is asked for before its download, and its bytes must have exactly that length.
    pub(crate) read_size: bool,
}

enum Flaw {
    /// Not the photo; fetching again may help.
    NotThePhoto(String),
    Trouble(ItemTrouble),
}

impl<E: Into<ItemTrouble>> From<E> for Flaw {
    fn from(error: E) -> Self {
        Self::Trouble(error.into())
    }
}

impl Fetcher {
    /// The item's bytes, complete but not yet durable.
    pub(crate) async fn fetch(
        &self,
        item: &PendingItem,
        held: HeldUrl,
        placement: Placement,
    ) -> Result<(Staged, Fidelity), ItemTrouble> {
        let mut held = held;
        let mut draft = self.archive.draft().await?;
        for attempt in 1.. {
            // The bytes are hashed and looked at while they pass: that time is part of this span, and of no other.
            let span = debug_span!("item.fetch", item.attempt = attempt);
            let poured = self.pour(item, &mut held, draft.as_mut());
            match poured.instrument(span).await {
                Ok(facts) => {
                    let span = debug_span!("item.stage");
                    let staged = draft.finish(placement).instrument(span).await?;
                    return Ok((staged, fidelity(item, self.channel, &facts)));
                }
                Err(Flaw::Trouble(trouble)) => return Err(trouble),
                Err(Flaw::NotThePhoto(message)) if attempt == TRIES => {
                    let message = format!("{message}; the same after {TRIES} downloads");
                    return Err(ItemTrouble::Item(ItemFault {
                        kind: ErrorKind::Corrupt,
                        message,
                    }));
                }
                Err(Flaw::NotThePhoto(message)) => {
                    tracing::debug!(
                        item.seq = item.seq,
                        fault = message,
                        "not the photo; fetching it again"
                    );
                    draft.restart().await?;
                }
            }
        }
        unreachable!("the loop ends at its last try")
    }

    async fn pour(
        &self,
        item: &PendingItem,
        held: &mut HeldUrl,
        draft: &mut dyn Draft,
    ) -> Result<MediaFacts, Flaw> {
        let mut urls_left = URLS_PER_ITEM;
        let told = if self.read_size {
            self.size(item, held, &mut urls_left).await?
        } else {
            None
        };
        let mut download = loop {
            match self.source.download(&held.url, item.metadata.kind).await {
                Ok(download) => break download,
                Err(PhotoError::BaseUrlExpired) if urls_left > 0 => {
                    urls_left -= 1;
                    *held = self.renew(item, held).await?;
                }
                Err(PhotoError::NotMedia(message)) => return Err(Flaw::NotThePhoto(message)),
                Err(error) => return Err(error.into()),
            }
        };
        let promised = download.total_length();
        let mut inspector = Inspector::new(&item.metadata.mime_type);
        let mut length = 0;
        loop {
            let bytes = match download.next().await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => break,
                Err(PhotoError::BaseUrlExpired) if urls_left > 0 => {
                    urls_left -= 1;
                    *held = self.renew(item, held).await?;
                    download.go_on_from(held.url.clone());
                    continue;
                }
                Err(PhotoError::NotMedia(message)) => return Err(Flaw::NotThePhoto(message)),
                Err(error) => return Err(error.into()),
            };
            length += bytes.len() as u64;
            inspector.feed(&bytes);
            draft.write(bytes).await?;
        }
        if promised.is_some_and(|promised| promised != length) {
            return Err(Flaw::NotThePhoto(format!(
                "{length} bytes came where {} were promised",
                promised.unwrap_or(0)
            )));
        }
        check_length(length, told)?;
        let facts = debug_span!("item.inspect", item.bytes = length)
            .in_scope(|| inspector.finish(length))
            .map_err(|fault| Flaw::NotThePhoto(fault.to_string()))?;
        // Cameras write trailers that nobody knows, and a broken answer may end in rubbish; another answer tells which.
        if facts.surplus > 0 && !self.read_size {
            let told = self.size(item, held, &mut urls_left).await?;
            check_length(length, told)?;
        }
        Ok(facts)
    }

    /// The item's length by Google's word, apart from any download of it; `None` where Google does not tell.
    async fn size(
        &self,
        item: &PendingItem,
        held: &mut HeldUrl,
        urls_left: &mut u32,
    ) -> Result<Option<u64>, ItemTrouble> {
        loop {
            match self.source.size(&held.url, item.metadata.kind).await {
                Err(PhotoError::BaseUrlExpired) if *urls_left > 0 => {
                    *urls_left -= 1;
                    *held = self.renew(item, held).await?;
                }
                answer => return Ok(answer?),
            }
        }
    }

    /// A new base URL for an item whose old one died.
    async fn renew(&self, item: &PendingItem, dead: &HeldUrl) -> Result<HeldUrl, ItemTrouble> {
        let clock = &self.app.ports.clock;
        self.app.urls.died(dead, clock.now());
        let mut answers = self
            .source
            .items(std::slice::from_ref(&item.provider_id))
            .await?;
        let listed = answers.pop().unwrap_or(Err(PhotoError::ItemNotFound))?;
        let url: BaseUrl = listed.base_url.ok_or_else(no_url)?;
        Ok(HeldUrl {
            url,
            since: clock.now(),
        })
    }
}

fn check_length(came: u64, told: Option<u64>) -> Result<(), Flaw> {
    match told {
        Some(told) if told != came => Err(Flaw::NotThePhoto(format!(
            "{came} bytes came, but by google's word it has {told}"
        ))),
        _ => Ok(()),
    }
}

/// Google lists the item but offers no bytes, as it does while a video is being processed.
pub(crate) fn no_url() -> ItemTrouble {
    let message = "google has no bytes for it yet; a video is offered once it is processed".into();
    ItemTrouble::Later(ItemFault {
        kind: ErrorKind::Unavailable,
        message,
    })
}

fn fidelity(item: &PendingItem, channel: Channel, facts: &MediaFacts) -> Fidelity {
    let encoding = match item.metadata.kind {
        MediaKind::Photo => Encoding::Download,
        MediaKind::Video => Encoding::Transcoded,
    };
    Fidelity {
        channel,
        encoding,
        promised: item.metadata.dimensions,
        got: facts.dimensions,
        location: facts.location,
    }
}
