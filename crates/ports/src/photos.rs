//! A source of photos: what Google Photos is to the use cases.

mod picker;
mod sink;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use tintype_model::{
    ErrorKind,
    album::Album,
    item::{ItemMetadata, MediaKind, ProviderId},
    quota::QuotaKind,
};

use crate::{
    quota::QuotaError,
    vault::{AccessToken, Refusal, VaultError},
};

pub use picker::{MOST_PICKS, PhotoPicker, PickSession, PickSessionId};
pub use sink::{
    Batch, Body, BodyBroke, Creation, NewItem, PhotoSink, Pieces, SendError, UploadToken,
};

/// Where an item's bytes can be fetched for a while. A capability: never stored, never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// A URL as Google handed it out.
    #[must_use]
    pub const fn new(url: String) -> Self {
        Self(url)
    }

    /// The URL, for the client that fetches it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BaseUrl(…)")
    }
}

/// An item as a listing shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedItem {
    /// Its id.
    pub id: ProviderId,
    /// Its metadata.
    pub metadata: ItemMetadata,
    /// Where its bytes are for a while; absent while a video is processing or where Google gave none.
    pub base_url: Option<BaseUrl>,
}

/// One page of a listing. It may be short, empty, or repeat the last item of the page before.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// What the page shows.
    pub entries: Vec<T>,
    /// How many entries could not be understood and were left out, with the first reason.
    pub malformed: Option<(u64, String)>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
}

/// Which items a listing shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The library, newest first.
    Library {
        /// Whether archived items are shown.
        include_archived: bool,
    },
    /// An album, archived items included.
    Album(ProviderId),
}

/// What Google does not permit, which decides what a person can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forbidden {
    /// The person did not grant a scope.
    ScopeMissing,
    /// An API is switched off in a cloud project.
    ApiDisabled {
        /// Its name, as Google writes it: `Photos Library API`, `Photos Picker API`.
        api: String,
        /// The number of the project; empty where Google does not name it.
        project: String,
    },
    /// Google Photos is switched off for the account.
    AccountDisabled,
    /// Somebody between here and Google answered.
    NotGoogle(String),
    /// Google's own words.
    Other(String),
}

impl std::fmt::Display for Forbidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ScopeMissing => f.write_str(
                "a permission is missing: connect the account again and allow all that is asked for",
            ),
            Self::ApiDisabled { api, project } => write!(
                f,
                "the {api} is switched off in cloud project {project}: enable it in the Google Cloud console"
            ),
            Self::AccountDisabled => f.write_str(
                "Google Photos is switched off for this account: switch it on, or ask the organisation's administrator",
            ),
            Self::NotGoogle(text) => write!(
                f,
                "{text}, and not in Google's manner: check the proxy between here and Google"
            ),
            Self::Other(text) => write!(
                f,
                "{text} (only what was made with the same OAuth client is visible; connect the account again if that is not it)"
            ),
        }
    }
}

/// Why a call to the source failed for good, after its retries.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// The credential is refused even after a fresh access token, or the vault has none.
    #[error("the account must be authorised again: {0}")]
    AuthLost(String),
    /// The vault hands out nothing of the credential until it is replaced.
    #[error("the account must be authorised again: {0}")]
    Refused(Refusal),
    /// A scope is missing, the API is switched off in the project, or Google Photos is off for the account.
    #[error("google does not permit the call: {0}")]
    Forbidden(Forbidden),
    /// The day's quota is used up, by our count or by Google's.
    #[error("today's quota is used up until {resumes_at}")]
    QuotaExhausted {
        /// When the quota day ends.
        resumes_at: DateTime<Utc>,
    },
    /// Passing trouble that outlasted the retries.
    #[error("google did not answer as it should: {0}")]
    Unavailable(String),
    /// The page token is no longer good: begin the listing again.
    #[error("the listing's page token is no longer valid")]
    PageTokenExpired,
    /// The base URL is no longer good: ask for a new one.
    #[error("the base url has expired")]
    BaseUrlExpired,
    /// Google does not know the item.
    #[error("google does not know this item")]
    ItemNotFound,
    /// The answer is no photo or video: empty, a web page, or cut short beyond the retries.
    #[error("what google sent is not the photo: {0}")]
    NotMedia(String),
    /// The call is wrong by Google's word: a defect of ours or a setting that does not fit.
    #[error("google rejects the call: {0}")]
    Rejected(String),
    /// The account has no room left (uploads only).
    #[error("the google account has no storage left")]
    StorageFull,
    /// The vault could not answer.
    #[error("no access token could be had")]
    Vault(#[source] VaultError),
    /// The quota ledger could not be asked.
    #[error("the quota could not be asked")]
    Quota(#[source] QuotaError),
}

impl PhotoError {
    /// The class, which decides what the run does next.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::AuthLost(_) | Self::Refused(_) => ErrorKind::AuthLost,
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::QuotaExhausted { .. } => ErrorKind::QuotaExhausted,
            Self::Unavailable(_)
            | Self::PageTokenExpired
            | Self::BaseUrlExpired
            | Self::Vault(_)
            | Self::Quota(_) => ErrorKind::Unavailable,
            Self::ItemNotFound => ErrorKind::NotFound,
            Self::NotMedia(_) => ErrorKind::Corrupt,
            Self::Rejected(_) => ErrorKind::Internal,
            Self::StorageFull => ErrorKind::DestinationFull,
        }
    }
}

/// Asked by the source before each single HTTP attempt, retries included, so that no call escapes the quota, and for the
/// access token of each attempt.
#[async_trait]
pub trait CallGate: Send + Sync {
    /// Waits for permission to make one call.
    ///
    /// # Errors
    /// When the day's quota is used up or cannot be asked.
    async fn admit(&self, kind: QuotaKind) -> Result<(), QuotaError>;

    /// Google said that the day is over; returns when it turns.
    async fn exhausted(&self, kind: QuotaKind) -> Result<DateTime<Utc>, QuotaError>;

    /// An access token. `rejected` is the one that Google just refused, so that the answer is another one.
    async fn access_token(&self, rejected: Option<&AccessToken>)
    -> Result<AccessToken, VaultError>;

    /// How an attempt went, for whoever adapts concurrency to it.
    fn observe(&self, attempt: Attempt);
}

/// What goes over the wire in an attempt. Each kind is held to a limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Traffic {
    /// A question with a short answer.
    Call,
    /// An item's bytes, from Google.
    Download,
    /// An item's bytes, to Google.
    Upload,
}

/// How one HTTP attempt went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// What went over the wire.
    pub traffic: Traffic,
    /// Time from sending the request to the end of what it was for: the last byte of a download, else the answer's head.
    pub latency: Duration,
    /// What came of it.
    pub outcome: AttemptOutcome,
}

/// What came of one HTTP attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// An answer that is about the request, good or bad.
    Answered,
    /// Google asks us to slow down: 429 that is not about the day.
    Throttled,
    /// 5xx, a timeout, a broken connection.
    Failed,
}

/// A stretch of an item's bytes. Ends after exactly `total_length` bytes of the item have been given, or with an error;
/// interruptions and expiry of the connection are healed inside by asking for the rest (Range).
#[async_trait]
pub trait Download: Send {
    /// Total length of the item in bytes, where Google said it.
    fn total_length(&self) -> Option<u64>;

    /// The MIME type that came with the bytes.
    fn content_type(&self) -> Option<&str>;

    /// The next bytes; `None` at the proper end.
    ///
    /// # Errors
    /// [`PhotoError::BaseUrlExpired`] when the rest needs a new base URL: call [`Download::go_on_from`]. Others are final.
    async fn next(&mut self) -> Result<Option<Bytes>, PhotoError>;

    /// Goes on where it stopped, with a new base URL of the same item.
    fn go_on_from(&mut self, url: BaseUrl);
}

/// A connected Google Photos account, read side. Every call has deadlines and limited retries of its own.
#[async_trait]
pub trait PhotoSource: Send + Sync {
    /// One page (up to 100) of a listing.
    async fn list(
        &self,
        scope: &Scope,
        page_token: Option<&str>,
    ) -> Result<Page<ListedItem>, PhotoError>;

    /// One page (up to 50) of the albums.
    async fn albums(&self, page_token: Option<&str>) -> Result<Page<Album>, PhotoError>;

    /// 1 to 50 items by id, in the order asked, with fresh base URLs. [`PhotoError::ItemNotFound`] for those unknown.
    async fn items(
        &self,
        ids: &[ProviderId],
    ) -> Result<Vec<Result<ListedItem, PhotoError>>, PhotoError>;

    /// Asks how long an item's bytes are, without fetching them: a check that does not come with the bytes it checks.
    /// Counts as one download. `None` when the source does not tell.
    ///
    /// # Errors
    /// [`PhotoError::BaseUrlExpired`] when it takes a new base URL; others are final.
    async fn size(&self, url: &BaseUrl, kind: MediaKind) -> Result<Option<u64>, PhotoError>;

    /// Opens an item's bytes from the start. Returns when the answer's head is there.
    async fn download(
        &self,
        url: &BaseUrl,
        kind: MediaKind,
    ) -> Result<Box<dyn Download>, PhotoError>;
}

/// How long passing trouble is borne.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// As the settings say: for work that should get done.
    Usual,
    /// Not at all: for a test, whose answer is the trouble. A refused access token is still replaced once.
    Once,
}

/// Opens accounts. Endpoints, authorities and proxy are the operator's configuration.
pub trait PhotoSources: Send + Sync {
    /// The read side of an account, which asks `gate` before each attempt.
    fn open(&self, gate: Arc<dyn CallGate>, persistence: Persistence) -> Arc<dyn PhotoSource>;

    /// What a person picks of an account; `gate` is asked before each attempt.
    fn open_picker(
        &self,
        gate: Arc<dyn CallGate>,
        persistence: Persistence,
    ) -> Arc<dyn PhotoPicker>;

    /// The write side of an account, which asks `gate` before each attempt.
    fn open_sink(&self, gate: Arc<dyn CallGate>, persistence: Persistence) -> Arc<dyn PhotoSink>;
}
